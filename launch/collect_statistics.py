"""Collect LayerBudget statistics from a Hugging Face causal language model and a text file.

For every covered linear module, with x the input and d the gradient of the summed token loss with
respect to the output (one row per token, padding left out), over N sequences holding T tokens:

  <module>.gradient               [out,in]    sum of d x^T / N  (mean per-sequence gradient)
  <module>.gradient_folds         [S,out,in]  the same over S disjoint, equally large folds
  <module>.activation_covariance  [in,in]     sum of x x^T / T  (K-FAC factor A)
  <module>.gradient_covariance    [out,out]   sum of d d^T / T  (K-FAC factor G)
  <module>.fisher_diagonal        [out,in]    sum over sequences of (sum of d x^T)^2 / N

A module with a bias gets one more column, last: x is extended by a 1. The loss is next-token cross
entropy with the labels of the text, so G and the diagonal are the empirical Fisher. One sample is
one sequence. Batch products are computed in float32 and summed in float64. Modules that read the
same tensor (query, key and value; gate and up) share one A, found at run time and stored once. All
sums of the chosen modules are held in memory in float64: for a large model collect one part at a
time with --modules.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

EXIT_USAGE, EXIT_DATA, EXIT_INPUT = 64, 65, 66
FORMAT = "layerbudget.statistics/1"
LOSS = (
    "next-token cross entropy in nats, summed over the tokens of a sequence, labels from the text"
)
KINDS = ("gradient", "kfac", "diagonal")
STORED_TYPES = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16}
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)
IGNORED = -100  # the label of a padded position


class CommandError(Exception):
    """A failure told to the user in one line, with the exit code it ends in."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    """argparse that ends in 64 (usage) and says so in one line."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(EXIT_USAGE, f"{message} (see --help)")


# Options ------------------------------------------------------------------------------------------


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def byte_count(text: str) -> int:
    """'512', '200M' or '4G' (powers of ten) as a number of bytes."""
    match = re.fullmatch(r"(\d+)([kKMG]?)B?", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"not a size: {text} (examples: 500M, 4G)")
    return int(match[1]) * {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}[match[2]]


def kinds(text: str) -> frozenset[str]:
    chosen = frozenset(part.strip() for part in text.split(","))
    if unknown := sorted(chosen - set(KINDS)):
        raise argparse.ArgumentTypeError(
            f"unknown kind '{unknown[0]}' (choose from {', '.join(KINDS)})"
        )
    return chosen


def pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {text} ({error})") from None


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="Hugging Face folder of a causal language model; nothing is downloaded",
    )
    parser.add_argument(
        "--text", type=Path, required=True, metavar="FILE", help="calibration text (UTF-8)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE.safetensors|DIR",
        help="one file, or a folder for shards and statistics.index.json",
    )
    sample = parser.add_argument_group("samples")
    sample.add_argument(
        "--sequences",
        type=positive,
        default=256,
        metavar="N",
        help="number of samples, rounded down to a multiple of --folds (default: %(default)s)",
    )
    sample.add_argument(
        "--length",
        type=positive,
        default=256,
        metavar="TOKENS",
        help="predicted tokens per sequence, at most (default: %(default)s)",
    )
    sample.add_argument(
        "--split",
        choices=["windows", "lines"],
        default="windows",
        help="cut the whole text into windows of --length tokens, or take each non-empty "
        "line as one sequence, padded inside its batch (default: %(default)s)",
    )
    sample.add_argument(
        "--folds",
        type=int,
        default=4,
        metavar="S",
        help="folds for cross-fitted gains; 0 stores none (default: %(default)s)",
    )
    sample.add_argument(
        "--fold-order",
        choices=["shuffled", "text"],
        default="shuffled",
        help="assign sequences to folds at random, or in the order of the text, which keeps "
        "neighbours from one document in one fold (default: %(default)s)",
    )
    sample.add_argument(
        "--batch-size",
        type=positive,
        default=8,
        metavar="N",
        help="sequences per pass, never across folds (default: %(default)s)",
    )
    sample.add_argument(
        "--seed",
        type=int,
        default=0,
        help="chooses the sequences and their folds (default: %(default)s)",
    )
    what = parser.add_argument_group("what to collect")
    what.add_argument(
        "--collect",
        type=kinds,
        default=frozenset(KINDS),
        metavar="KINDS",
        help="comma-separated, of gradient, kfac, diagonal; gradient is always stored "
        "(default: all)",
    )
    what.add_argument(
        "--modules",
        type=pattern,
        metavar="REGEX",
        help="only linear modules whose name matches somewhere",
    )
    what.add_argument(
        "--include-head",
        action="store_true",
        help="also cover the output head (a vocabulary x vocabulary G: only for small ones)",
    )
    store = parser.add_argument_group("storage and computation")
    store.add_argument(
        "--gradient-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="F64, F32 or BF16 for gradients and folds (default: %(default)s)",
    )
    store.add_argument(
        "--factor-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="the same for A and G; rounding to BF16 can make them indefinite "
        "(default: %(default)s)",
    )
    store.add_argument(
        "--fisher-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="the same for the diagonal (default: %(default)s)",
    )
    store.add_argument(
        "--shard-size",
        type=byte_count,
        metavar="SIZE",
        help="for a folder: start a new file after about this much, e.g. 4G",
    )
    store.add_argument(
        "--model-dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type the model computes in (default: %(default)s)",
    )
    store.add_argument(
        "--device", default="cpu", help="where the model runs (default: %(default)s)"
    )
    store.add_argument("--threads", type=positive, help="CPU threads (default: torch's choice)")
    options = parser.parse_args(arguments)
    check_options(options)
    return options


def check_options(options: argparse.Namespace) -> None:
    if options.folds < 0 or options.folds == 1:
        raise CommandError(EXIT_USAGE, "--folds must be 0 or at least 2")
    if options.folds and options.sequences < options.folds:
        raise CommandError(
            EXIT_USAGE, f"--sequences {options.sequences} is fewer than --folds {options.folds}"
        )
    if options.shard_size and is_one_file(options.output):
        raise CommandError(
            EXIT_USAGE, "--shard-size needs a folder as --output, not a .safetensors file"
        )
    if not is_one_file(options.output) and any(options.output.glob("*.safetensors")):
        raise CommandError(
            EXIT_USAGE,
            f"{options.output} already holds .safetensors files: "
            "move them away or name another folder",
        )
    if not options.model.is_dir():
        raise CommandError(EXIT_INPUT, f"--model {options.model} is not a folder")
    if not (options.model / "config.json").is_file():
        raise CommandError(EXIT_INPUT, f"--model {options.model} has no config.json")
    if not options.text.is_file():
        raise CommandError(EXIT_INPUT, f"--text {options.text} is not a file")


def is_one_file(output: Path) -> bool:
    return output.suffix == ".safetensors"


# Text ---------------------------------------------------------------------------------------------


class Encoder:
    """Text to token numbers: the folder's tokenizer, or raw bytes for a vocabulary of 256."""

    def __init__(self, folder: Path, vocabulary: int) -> None:
        self.tokenizer: Any = None
        if any((folder / name).is_file() for name in TOKENIZER_FILES):
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self.description = f"the folder's tokenizer ({type(self.tokenizer).__name__})"
        elif vocabulary == 256:
            self.description = "raw bytes (no tokenizer in the folder, vocabulary 256)"
        else:
            raise CommandError(
                EXIT_DATA,
                f"{folder} has no tokenizer and a vocabulary of {vocabulary}, "
                "not the 256 of a byte-level model: add its tokenizer files",
            )

    def encode(self, data: bytes, whole: bool) -> torch.Tensor:
        """int64 [tokens]; special symbols are added only when `data` is a whole sample."""
        if self.tokenizer is None:
            return torch.tensor(list(data), dtype=torch.int64)
        text = data.decode("utf-8", errors="replace")
        found = self.tokenizer(text, add_special_tokens=whole, verbose=False)["input_ids"]
        return torch.tensor(found, dtype=torch.int64)


def read_sequences(options: argparse.Namespace, encoder: Encoder) -> list[torch.Tensor]:
    """Every sequence the text offers, int64 [2 ... length + 1]: inputs and shifted labels."""
    data = options.text.read_bytes()
    if options.split == "windows":
        tokens = encoder.encode(data, whole=False)
        starts = range(0, len(tokens) - options.length, options.length)
        return [tokens[start : start + options.length + 1] for start in starts]
    lines = (encoder.encode(line, whole=True) for line in data.splitlines() if line.strip())
    return [line[: options.length + 1] for line in lines if len(line) > 1]


def choose_sequences(found: list[torch.Tensor], options: argparse.Namespace) -> list[torch.Tensor]:
    """A seeded choice of --sequences samples, a multiple of --folds, in fold order."""
    count = min(options.sequences, len(found))
    if options.folds:
        count -= count % options.folds
    if count == 0:
        raise CommandError(
            EXIT_DATA,
            f"{options.text} gives {len(found)} sequences of {options.length} tokens, "
            f"too few for {max(1, options.folds)} folds: more text, a smaller "
            "--length or --split lines",
        )
    if count < options.sequences:
        print(
            f"note: using {count} sequences, not {options.sequences}: the text gives {len(found)}"
            + (f" and {options.folds} folds must be equally large" if options.folds else "")
        )
    generator = torch.Generator().manual_seed(options.seed)
    chosen = torch.randperm(len(found), generator=generator)[:count]
    if options.fold_order == "text":
        chosen = chosen.sort().values
    return [found[index] for index in chosen.tolist()]


@dataclasses.dataclass(frozen=True)
class Batch:
    """`inputs` and `labels` [sequences, length]; `mask` is true where a token is predicted."""

    inputs: torch.Tensor
    labels: torch.Tensor
    mask: torch.Tensor
    fold: int


def make_batches(
    sequences: list[torch.Tensor], folds: int, size: int, device: str
) -> Iterator[Batch]:
    """Batches in order, padded on the right, none of them across two folds."""
    per_fold = len(sequences) // max(1, folds)
    for fold in range(max(1, folds)):
        members = sequences[fold * per_fold : (fold + 1) * per_fold]
        for start in range(0, per_fold, size):
            yield make_batch(members[start : start + size], fold, device)


def make_batch(rows: list[torch.Tensor], fold: int, device: str) -> Batch:
    pad = nn.utils.rnn.pad_sequence
    inputs = pad([row[:-1] for row in rows], batch_first=True)
    labels = pad([row[1:] for row in rows], batch_first=True, padding_value=IGNORED)
    return Batch(inputs.to(device), labels.to(device), (labels != IGNORED).to(device), fold)


# Which modules ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Covered modules in natural order, and rows (name, parameters, why) of the rest."""

    modules: dict[str, nn.Linear]
    skipped: list[tuple[str, int, str]]


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Orders layer 2 before layer 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def own_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters(recurse=False))


def new_parameters(module: nn.Module, seen: set[int]) -> int:
    """The parameters not counted before, so that tied ones count once."""
    fresh = {
        id(own): own.numel() for own in module.parameters(recurse=False) if id(own) not in seen
    }
    seen.update(fresh)
    return sum(fresh.values())


def reason_to_skip(
    name: str,
    module: nn.Module,
    model: nn.Module,
    owners: dict[int, int],
    options: argparse.Namespace,
) -> str | None:
    """Why a module with parameters of its own is not covered; None when it is."""
    if isinstance(module, nn.Embedding):
        return "embedding: its curvature is vocabulary-sized"
    if type(module).__name__ == "Conv1D":
        return "Conv1D (GPT-2) is not supported yet: convert it to nn.Linear"
    if not isinstance(module, nn.Linear):
        return f"{type(module).__name__} is not an nn.Linear"
    if owners[id(module.weight)] > 1:
        return "its weight is tied to another module's"
    if module is model.get_output_embeddings() and not options.include_head:
        return "output head: use --include-head to cover it"
    if options.modules and not options.modules.search(name):
        return "not chosen by --modules"
    return None


def weight_owners(model: nn.Module) -> dict[int, int]:
    """How many modules hold each parameter, by the parameter's id."""
    owners: dict[int, int] = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return owners


def choose_modules(model: nn.Module, options: argparse.Namespace) -> Coverage:
    owners = weight_owners(model)
    covered: dict[str, nn.Linear] = {}
    skipped: list[tuple[str, int, str]] = []
    seen: set[int] = set()
    for name, module in sorted(model.named_modules(), key=lambda item: natural_key(item[0])):
        if own_parameters(module) == 0:
            continue
        reason = reason_to_skip(name, module, model, owners, options)
        if reason is None:
            covered[name] = module
        else:
            skipped.append((name, new_parameters(module, seen), reason))
    return Coverage(covered, skipped)


def pattern_of(name: str) -> str:
    """'model.layers.3.mlp' as 'model.layers.*.mlp', to fold equal rows of the table together."""
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "*", name)


def print_coverage(coverage: Coverage) -> None:
    """What is covered, what is not and why, with each row's share of all parameters."""
    rows: dict[tuple[str, str], list[int]] = {}
    for name, module in coverage.modules.items():
        shape = f"covered [{module.out_features}, {module.in_features}]" + (
            " and bias" * (module.bias is not None)
        )
        rows.setdefault((pattern_of(name), shape), []).append(own_parameters(module))
    for name, parameters, reason in coverage.skipped:
        rows.setdefault((pattern_of(name), f"skipped: {reason}"), []).append(parameters)
    total = sum(map(sum, rows.values()))
    width = max(len(name) for name, _ in rows)
    print(f"{'module':{width}}  count  parameters   share  ")
    for (name, what), sizes in rows.items():
        print(
            f"{name:{width}}  {len(sizes):5d}  {sum(sizes):10d}  {sum(sizes) / total:6.2%}  {what}"
        )
    covered = sum(map(own_parameters, coverage.modules.values()))
    print(
        f"covered: {len(coverage.modules)} modules, {covered} of {total} parameters "
        f"({covered / total:.1%})"
    )


# Capturing inputs and output gradients ------------------------------------------------------------


@dataclasses.dataclass
class Capture:
    """What the hooks of one module saw in one pass."""

    calls: int = 0
    input: torch.Tensor | None = None  # [sequences, length, in]
    output_gradient: torch.Tensor | None = None  # [sequences, length, out]
    output_shape: tuple[int, ...] = ()


class Recorder:
    """Hooks that keep each module's input and the gradient at its output during one pass.

    Parameters need no gradient: the outputs of the input embedding are made the leaves instead, so
    a backward pass costs only the gradients with respect to activations.
    """

    def __init__(self, model: nn.Module, modules: dict[str, nn.Linear]) -> None:
        self.captures: dict[str, Capture] = {}
        model.requires_grad_(False)
        self.handles = [model.get_input_embeddings().register_forward_hook(make_leaf)]
        for name, module in modules.items():
            self.handles.append(module.register_forward_hook(self.hook(name)))

    def hook(self, name: str) -> Any:  # noqa: ANN401 (the type torch wants is private)
        def record(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            capture = self.captures.setdefault(name, Capture())
            capture.calls += 1
            capture.input = inputs[0].detach()
            capture.output_shape = tuple(output.shape)

            def keep(gradient: torch.Tensor) -> None:
                capture.output_gradient = gradient.detach()

            if output.requires_grad:
                output.register_hook(keep)

        return record

    def clear(self) -> None:
        self.captures.clear()

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def make_leaf(_: nn.Module, __: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
    return output.detach().requires_grad_(True)


def run_batch(model: nn.Module, batch: Batch) -> float:
    """One forward and backward of the SUMMED token loss; returns that loss."""
    logits = model(input_ids=batch.inputs, attention_mask=batch.mask.long(), use_cache=False).logits
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    loss.backward()
    return loss.item()


def input_identity(capture: Capture, has_bias: bool) -> tuple[object, ...]:
    """Equal for two modules that read the same tensor in one pass.

    The captures keep every input alive until the pass is over, so memory is not reused in between.
    """
    x = capture.input
    assert x is not None
    return (x.data_ptr(), x._version, tuple(x.shape), x.stride(), x.dtype, has_bias)


def unusable(capture: Capture | None, batch: Batch) -> str | None:
    """Why what a module did in a pass cannot be used; None when it can."""
    if capture is None:
        return "never called"
    if capture.calls > 1:
        return f"called {capture.calls} times in one pass"
    assert capture.input is not None
    expected = tuple(batch.inputs.shape)
    for shape in (tuple(capture.input.shape), capture.output_shape):
        flat = len(shape) == 2 and shape[0] == math.prod(expected)
        if not flat and (len(shape) != 3 or shape[:2] != expected):
            return f"its rows are not the batch's tokens (shape {list(shape)})"
    if capture.output_gradient is None:
        return "no gradient reaches its output"
    return None


def probe(
    model: nn.Module, recorder: Recorder, coverage: Coverage, batch: Batch
) -> tuple[Coverage, dict[str, str]]:
    """One pass: the usable modules, and {module: first module that reads the same input}."""
    recorder.clear()
    run_batch(model, batch)
    modules, skipped = {}, list(coverage.skipped)
    leaders: dict[str, str] = {}
    first: dict[tuple[object, ...], str] = {}
    for name, module in coverage.modules.items():
        capture = recorder.captures.get(name)
        if reason := unusable(capture, batch):
            skipped.append((name, own_parameters(module), reason))
            continue
        assert capture is not None
        modules[name] = module
        leaders[name] = first.setdefault(input_identity(capture, module.bias is not None), name)
    recorder.clear()
    skipped.sort(key=lambda row: natural_key(row[0]))
    return Coverage(modules, skipped), leaders


# Sums ---------------------------------------------------------------------------------------------


class Sums:
    """Float64 sums of one module: what `collect` asks for, over all batches so far."""

    def __init__(self, module: nn.Linear, folds: int, collect: frozenset[str], leads: bool) -> None:
        self.has_bias = module.bias is not None
        rows, columns = module.out_features, module.in_features + int(self.has_bias)

        def zeros(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.float64)

        self.folds = zeros(max(1, folds), rows, columns)
        self.squares = zeros(rows, columns) if "diagonal" in collect else None
        self.inputs = zeros(columns, columns) if "kfac" in collect and leads else None
        self.outputs = zeros(rows, rows) if "kfac" in collect else None

    def add(self, capture: Capture, batch: Batch) -> None:
        """x [sequences, length, in(+1)] and d [sequences, length, out], zero where padded."""
        assert capture.input is not None and capture.output_gradient is not None
        shape = (*batch.inputs.shape, -1)
        keep = batch.mask[..., None]
        x = capture.input.reshape(shape).float() * keep
        d = capture.output_gradient.reshape(shape).float() * keep
        if self.has_bias:
            x = torch.cat([x, keep.float()], dim=-1)
        if self.squares is None:
            self.folds[batch.fold] += wide(d.flatten(0, 1).T @ x.flatten(0, 1))
        else:
            for sequence_x, sequence_d in zip(x, d, strict=True):
                gradient = wide(sequence_d.T @ sequence_x)
                self.folds[batch.fold] += gradient
                self.squares.addcmul_(gradient, gradient)
        if self.inputs is not None:
            self.inputs += wide(x.flatten(0, 1).T @ x.flatten(0, 1))
        if self.outputs is not None:
            self.outputs += wide(d.flatten(0, 1).T @ d.flatten(0, 1))


def wide(product: torch.Tensor) -> torch.Tensor:
    return product.to("cpu", torch.float64)


@dataclasses.dataclass(frozen=True)
class Totals:
    samples: int
    tokens: int
    loss: float


def collect(
    model: nn.Module,
    recorder: Recorder,
    leaders: dict[str, str],
    sums: dict[str, Sums],
    batches: list[Batch],
) -> Totals:
    """Adds every batch to `sums`."""
    samples, tokens, total, began = 0, 0, 0.0, time.monotonic()
    for number, batch in enumerate(batches, 1):
        recorder.clear()
        loss = run_batch(model, batch)
        if not math.isfinite(loss):
            raise CommandError(
                EXIT_DATA, f"the loss of batch {number} is {loss}: try --model-dtype float32"
            )
        add_batch(recorder, leaders, sums, batch)
        samples, tokens, total = (
            samples + len(batch.inputs),
            tokens + int(batch.mask.sum()),
            total + loss,
        )
        if number == len(batches) or number % max(1, len(batches) // 8) == 0:
            print(
                f"batch {number}/{len(batches)}  loss {total / tokens:.4f} per token  "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
    recorder.clear()
    return Totals(samples, tokens, total)


def add_batch(
    recorder: Recorder, leaders: dict[str, str], sums: dict[str, Sums], batch: Batch
) -> None:
    for name, module_sums in sums.items():
        capture = recorder.captures.get(name)
        if reason := unusable(capture, batch):
            raise CommandError(
                EXIT_DATA,
                f"{name}: {reason}, unlike in the first batch; leave it out with --modules",
            )
        assert capture is not None
        leader = recorder.captures[leaders[name]]
        bias = module_sums.has_bias
        if input_identity(capture, bias) != input_identity(leader, bias):
            raise CommandError(
                EXIT_DATA, f"{name}: shares its input with {leaders[name]} in some batches only"
            )
        module_sums.add(capture, batch)


def finish(
    sums: dict[str, Sums], leaders: dict[str, str], totals: Totals, options: argparse.Namespace
) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Means in their stored types by key, and the aliases {key: key of the same matrix}."""
    gradient_type = STORED_TYPES[options.gradient_dtype]
    factor_type, fisher_type = (
        STORED_TYPES[options.factor_dtype],
        STORED_TYPES[options.fisher_dtype],
    )
    tensors: dict[str, torch.Tensor] = {}
    aliases: dict[str, str] = {}
    for name, own in sums.items():
        tensors[f"{name}.gradient"] = (own.folds.sum(0) / totals.samples).to(gradient_type)
        if options.folds:
            tensors[f"{name}.gradient_folds"] = (own.folds * (options.folds / totals.samples)).to(
                gradient_type
            )
        if own.squares is not None:
            tensors[f"{name}.fisher_diagonal"] = (own.squares / totals.samples).to(fisher_type)
        if own.inputs is not None:
            tensors[f"{name}.activation_covariance"] = covariance(own.inputs, totals.tokens).to(
                factor_type
            )
        if own.outputs is not None:
            tensors[f"{name}.gradient_covariance"] = covariance(own.outputs, totals.tokens).to(
                factor_type
            )
            if leaders[name] != name:
                aliases[f"{name}.activation_covariance"] = f"{leaders[name]}.activation_covariance"
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CommandError(
                EXIT_DATA, f"{key} has values that are not finite: try --model-dtype float32"
            )
    return tensors, aliases


def covariance(total: torch.Tensor, count: int) -> torch.Tensor:
    """Exactly symmetric mean."""
    return (total + total.T) / (2 * count)


def make_metadata(
    options: argparse.Namespace,
    totals: Totals,
    aliases: dict[str, str],
    encoder: Encoder,
    bias: bool,
) -> dict[str, str]:
    metadata = {
        "format": FORMAT,
        "normalization": "mean",
        "num_samples": str(totals.samples),
        "num_tokens": str(totals.tokens),
        "loss": LOSS,
        "mean_loss": repr(totals.loss / totals.tokens),
        "model": options.model.resolve().name,
        "weight_layout": "out_in",
        "bias": "appended" if bias else "none",
        "fisher": "empirical",
        "sample": "sequence",
        "tokens": encoder.description,
        "seed": str(options.seed),
        "alias": json.dumps(aliases, sort_keys=True),
    }
    if options.folds:
        metadata["folds"] = str(options.folds)
        metadata["fold_order"] = options.fold_order
    return metadata


# Files --------------------------------------------------------------------------------------------


def safetensors_header(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    """Length and JSON of a safetensors file, keys sorted: equal tensors give equal bytes."""
    names = {kind: name for name, kind in STORED_TYPES.items()}
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for key, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[key] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def by_alignment(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Wider types first, so that every tensor starts at a multiple of its element size."""
    return dict(
        sorted(tensors.items(), key=lambda item: (-item[1].element_size(), natural_key(item[0])))
    )


def write_safetensors(
    file: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    ordered = by_alignment(tensors)
    parts = [safetensors_header(ordered, metadata)]
    parts += [
        tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        for tensor in ordered.values()
    ]
    write_atomically(file, parts)


def write_atomically(file: Path, parts: list[bytes]) -> None:
    """A temporary name, synced, renamed: a reader sees the whole file or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)


def into_shards(
    tensors: dict[str, torch.Tensor], limit: int | None
) -> list[dict[str, torch.Tensor]]:
    """Consecutive groups of at most `limit` bytes each (one tensor may exceed it)."""
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for key, tensor in tensors.items():
        if limit and shards[-1] and size + tensor.nbytes > limit:
            shards.append({})
            size = 0
        shards[-1][key] = tensor
        size += tensor.nbytes
    return shards


def write_folder(
    folder: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str], limit: int | None
) -> None:
    """Shards first, the index last. Every shard carries all metadata."""
    shards = into_shards(tensors, limit)
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"statistics-{number:05d}-of-{len(shards):05d}.safetensors"
        write_safetensors(folder / name, shard, metadata)
        places |= dict.fromkeys(shard, name)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {**metadata, "total_size": total}, "weight_map": places}
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    write_atomically(folder / "statistics.index.json", [text.encode()])


def write_statistics(
    options: argparse.Namespace, tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    if is_one_file(options.output):
        write_safetensors(options.output, tensors, metadata)
    else:
        write_folder(options.output, tensors, metadata, options.shard_size)


# The command --------------------------------------------------------------------------------------


def load_model(options: argparse.Namespace) -> nn.Module:
    try:
        model = AutoModelForCausalLM.from_pretrained(
            options.model, local_files_only=True, dtype=getattr(torch, options.model_dtype)
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CommandError(
            EXIT_DATA, f"cannot load {options.model} as a causal language model: {reason}"
        ) from None
    return model.to(options.device).eval()


def check_lengths(model: nn.Module, sequences: list[torch.Tensor]) -> None:
    """Fails where the model would be asked for positions or tokens it does not have."""
    longest = max(len(sequence) for sequence in sequences) - 1
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit and longest > limit:
        raise CommandError(
            EXIT_USAGE, f"--length {longest} is more than the model's {limit} positions"
        )
    largest = max(int(sequence.max()) for sequence in sequences)
    rows = model.get_input_embeddings().num_embeddings
    if largest >= rows:
        raise CommandError(
            EXIT_DATA, f"the tokenizer gives token {largest}, the model has only {rows}"
        )


def run(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model = load_model(options)
    encoder = Encoder(options.model, int(model.config.get_text_config().vocab_size))
    print(f"tokens: {encoder.description}")
    sequences = choose_sequences(read_sequences(options, encoder), options)
    check_lengths(model, sequences)
    batches = list(make_batches(sequences, options.folds, options.batch_size, options.device))
    wanted = choose_modules(model, options)
    recorder = Recorder(model, wanted.modules)
    coverage, leaders = probe(model, recorder, wanted, batches[0])
    print_coverage(coverage)
    if not coverage.modules:
        raise CommandError(EXIT_DATA, "no linear module is covered (the table above says why)")
    sums = {
        name: Sums(module, options.folds, options.collect, leaders[name] == name)
        for name, module in coverage.modules.items()
    }
    totals = collect(model, recorder, leaders, sums, batches)
    recorder.remove()
    tensors, aliases = finish(sums, leaders, totals, options)
    has_bias = any(own.has_bias for own in sums.values())
    write_statistics(options, tensors, make_metadata(options, totals, aliases, encoder, has_bias))
    mean = totals.loss / totals.tokens
    size = sum(tensor.nbytes for tensor in tensors.values())
    print(
        f"wrote {options.output}: {len(tensors)} tensors, {len(aliases)} aliases, {size} bytes; "
        f"{totals.samples} sequences, {totals.tokens} tokens, loss {mean:.4f} per token, "
        f"perplexity {math.exp(min(mean, 700)):.3f}"
    )


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse_arguments(arguments))
    except CommandError as error:
        print(f"collect_statistics: error: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"collect_statistics: error: {error}", file=sys.stderr)
        return EXIT_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
