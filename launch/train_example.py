"""Train the small byte-level Llama that LayerBudget's example is made from.

The model reads raw bytes (vocabulary 256, no special symbols), so it needs no tokenizer and no
download: it trains on documentation, licence texts and Python sources found on this machine, or on
``--text``. With ``--steps`` alone the run is reproducible for one seed, text and number of threads.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import json
import math
import os
import random
import sys
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM
from transformers.utils import logging as transformers_logging

EXIT_USAGE, EXIT_DATA, EXIT_INPUT = 64, 65, 66
VOCABULARY = 256
LARGEST_FILE = 96 * 1024  # bytes kept of one file, so that no single source dominates
SHORTEST_DOCUMENT = 512


class CommandError(Exception):
    """A failure told to the user in one line, with the exit code it ends in."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Parser(argparse.ArgumentParser):
    """argparse that ends in 64 (usage) and says so in one line."""

    def error(self, message: str) -> NoReturn:
        raise CommandError(EXIT_USAGE, f"{message} (see --help)")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Training and validation text as flat byte tensors (uint8, one dimension)."""

    training: torch.Tensor
    validation: torch.Tensor
    documents: int


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for the trained model"
    )
    text = parser.add_argument_group("text")
    text.add_argument(
        "--text",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="train on these files instead of the text found on this machine",
    )
    text.add_argument(
        "--text-bytes",
        type=positive,
        default=24_000_000,
        metavar="N",
        help="use at most N bytes of text (default: %(default)s)",
    )
    text.add_argument(
        "--validation-share",
        type=float,
        default=0.05,
        metavar="F",
        help="share of the text held out for validation (default: %(default)s)",
    )
    text.add_argument(
        "--validation-out",
        type=Path,
        metavar="FILE",
        help="also write the held-out text, e.g. for collect_statistics.py",
    )
    model = parser.add_argument_group("model")
    model.add_argument("--hidden", type=positive, default=48, help="width (default: %(default)s)")
    model.add_argument("--intermediate", type=positive, help="MLP width (default: 2.5 x hidden)")
    model.add_argument("--layers", type=positive, default=12, help="blocks (default: %(default)s)")
    model.add_argument(
        "--heads", type=positive, default=4, help="query heads (default: %(default)s)"
    )
    model.add_argument(
        "--kv-heads",
        type=positive,
        default=2,
        help="key and value heads, a divisor of --heads (default: %(default)s)",
    )
    model.add_argument(
        "--context",
        type=positive,
        default=256,
        help="sequence length in bytes (default: %(default)s)",
    )
    model.add_argument(
        "--dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type of the saved weights (default: %(default)s)",
    )
    train = parser.add_argument_group("training")
    train.add_argument("--steps", type=positive, default=2000, help="(default: %(default)s)")
    train.add_argument(
        "--minutes",
        type=float,
        help="stop after about this long; the learning rate then falls with the clock, "
        "so the result is not reproducible to the bit",
    )
    train.add_argument(
        "--batch-size", type=positive, default=16, help="sequences per step (default: %(default)s)"
    )
    train.add_argument(
        "--learning-rate", type=float, help="peak (default: 0.008 x sqrt(48/hidden))"
    )
    train.add_argument("--weight-decay", type=float, default=0.05, help="(default: %(default)s)")
    train.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    train.add_argument(
        "--threads", type=positive, default=2, help="CPU threads (default: %(default)s)"
    )
    train.add_argument(
        "--report-every", type=positive, default=100, metavar="STEPS", help="(default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    check_options(options)
    return options


def check_options(options: argparse.Namespace) -> None:
    if options.hidden % options.heads or (options.hidden // options.heads) % 2:
        raise CommandError(
            EXIT_USAGE,
            f"--hidden {options.hidden} / --heads {options.heads} must be "
            "a whole, even number (rotary embedding)",
        )
    if options.heads % options.kv_heads:
        raise CommandError(
            EXIT_USAGE, f"--kv-heads {options.kv_heads} must divide --heads {options.heads}"
        )
    if not 0 < options.validation_share < 1:
        raise CommandError(EXIT_USAGE, "--validation-share must lie between 0 and 1")
    if options.minutes is not None and options.minutes <= 0:
        raise CommandError(EXIT_USAGE, "--minutes must be positive")
    if options.intermediate is None:
        options.intermediate = options.hidden * 5 // 2
    if options.learning_rate is None:
        options.learning_rate = 0.008 * math.sqrt(48 / options.hidden)


# Text ---------------------------------------------------------------------------------------------


def found_files() -> list[Path]:
    """Documentation, licences and Python sources of this machine, sorted: the default text."""
    documentation = Path("/usr/share/doc")
    patterns = ["*/copyright", "**/*.txt", "**/*.md", "**/*.txt.gz", "**/*.md.gz", "**/*.rst"]
    files = [file for pattern in patterns for file in documentation.glob(pattern)]
    files += Path("/usr/share/common-licenses").glob("*")
    files += Path("/usr/share/perl").glob("**/*.pod")
    files += Path("/usr/share").glob("vim/*/doc/*.txt")
    standard_library = Path(sysconfig.get_path("stdlib"))
    files += standard_library.glob("*.py")
    for package in ("asyncio", "concurrent", "email", "http", "json", "logging", "unittest"):
        files += standard_library.glob(f"{package}/**/*.py")
    return sorted({file for file in files if is_wanted(file)})


def is_wanted(file: Path) -> bool:
    """Change logs are left out: their commit hashes cannot be predicted."""
    return file.is_file() and not file.is_symlink() and "changelog" not in str(file).lower()


def read_document(file: Path) -> bytes:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as stream:
        return stream.read(LARGEST_FILE)


def without_repeats(document: bytes, seen: set[bytes]) -> bytes:
    """The paragraphs not met before: licences repeat and would leak into validation."""
    kept = []
    for paragraph in document.split(b"\n\n"):
        key = hashlib.sha256(b" ".join(paragraph.split())).digest()
        if key not in seen:
            seen.add(key)
            kept.append(paragraph)
    return b"\n\n".join(kept)


def found_documents(limit: int) -> list[bytes]:
    seen: set[bytes] = set()
    documents: list[bytes] = []
    for file in found_files():
        try:
            raw = read_document(file)
        except (OSError, EOFError):
            continue  # unreadable or damaged: other files will do
        document = without_repeats(raw, seen)
        if len(document) >= SHORTEST_DOCUMENT and b"\0" not in document:
            documents.append(document)
    random.Random(0).shuffle(documents)
    ends = np.cumsum([len(document) for document in documents])
    return documents[: int(np.searchsorted(ends, limit)) + 1]


def named_documents(files: list[Path], limit: int) -> list[bytes]:
    """The given files, each cut into pieces of at most 64 KiB so that a share can be held out."""
    documents: list[bytes] = []
    for file in files:
        try:
            data = file.read_bytes()[:limit]
        except OSError as error:
            raise CommandError(EXIT_INPUT, f"cannot read {file}: {error.strerror}") from None
        size = max(1, min(65536, len(data) // 32))
        documents += [data[at : at + size] for at in range(0, len(data), size)]
        limit -= len(data)
    random.Random(0).shuffle(documents)
    return documents


def make_corpus(options: argparse.Namespace) -> Corpus:
    """Whole documents are held out, never parts of one that is trained on (with the found text)."""
    if options.text:
        documents = named_documents(options.text, options.text_bytes)
    else:
        documents = found_documents(options.text_bytes)
    wanted = options.validation_share * sum(map(len, documents))
    held_out, total = 0, 0
    while held_out < len(documents) and total < wanted:
        total += len(documents[held_out])
        held_out += 1
    validation, training = documents[:held_out], documents[held_out:]
    shortest = options.context + 2
    if total < shortest or sum(map(len, training)) < shortest:
        raise CommandError(
            EXIT_DATA,
            f"too little text: {sum(map(len, documents))} bytes give no window "
            f"of {shortest} bytes for both training and validation; use --text",
        )
    return Corpus(as_bytes(training), as_bytes(validation), len(documents))


def as_bytes(documents: list[bytes]) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(b"\n\n".join(documents), dtype=np.uint8).copy())


# Model and training -------------------------------------------------------------------------------


def make_model(options: argparse.Namespace) -> LlamaForCausalLM:
    torch.manual_seed(options.seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=options.hidden,
        intermediate_size=options.intermediate,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.kv_heads,
        max_position_embeddings=options.context,
        rms_norm_eps=1e-5,
        initializer_range=0.5 / math.sqrt(options.hidden),
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        use_cache=False,
        layerbudget_tokenizer="bytes",
    )
    return LlamaForCausalLM(config).float()


def windows(text: torch.Tensor, starts: torch.Tensor, context: int) -> torch.Tensor:
    """Rows text[s : s + context + 1]; int64, shape [len(starts), context + 1]."""
    return text[starts[:, None] + torch.arange(context + 1)].long()


def token_loss(model: LlamaForCausalLM, batch: torch.Tensor) -> torch.Tensor:
    """Mean next-byte cross entropy in nats over a batch of shape [sequences, context + 1]."""
    logits = model(input_ids=batch[:, :-1]).logits
    return functional.cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())


@torch.no_grad()
def validation_loss(model: LlamaForCausalLM, text: torch.Tensor, context: int, most: int) -> float:
    """Mean loss over at most `most` windows spread evenly over the held-out text."""
    count = min(most, (len(text) - 1) // context)
    starts = torch.linspace(0, len(text) - context - 1, count).long()
    model.eval()
    losses = [
        float(token_loss(model, windows(text, part, context))) * len(part)
        for part in starts.split(32)
    ]
    model.train()
    return sum(losses) / count


def learning_rate(progress: float, step: int, peak: float) -> float:
    """Linear warm-up over 100 steps times a cosine from `peak` to 1 % of it, progress 0 to 1."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return peak * min(1.0, (step + 1) / 100) * (0.01 + 0.99 * cosine)


def parameter_groups(model: LlamaForCausalLM, decay: float) -> list[dict[str, object]]:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def progress_of_steps(options: argparse.Namespace, began: float) -> Iterator[tuple[int, float]]:
    """(step, progress in 0...1): by step, or by the clock when that runs out first."""
    for step in range(options.steps):
        progress = step / options.steps
        if options.minutes is not None:
            progress = max(progress, (time.monotonic() - began) / (60 * options.minutes))
        if progress >= 1:
            return
        yield step, progress


def train(
    model: LlamaForCausalLM, corpus: Corpus, options: argparse.Namespace
) -> tuple[int, float]:
    """AdamW on random windows; returns the steps and the mean training loss of the last tenth."""
    optimizer = torch.optim.AdamW(parameter_groups(model, options.weight_decay), betas=(0.9, 0.98))
    generator = torch.Generator().manual_seed(options.seed)
    last_start = len(corpus.training) - options.context
    began, losses = time.monotonic(), []
    model.train()
    for step, progress in progress_of_steps(options, began):
        starts = torch.randint(last_start, (options.batch_size,), generator=generator)
        loss = token_loss(model, windows(corpus.training, starts, options.context))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, step, options.learning_rate)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise CommandError(
                EXIT_DATA, f"the loss became {losses[-1]} at step {step}: lower --learning-rate"
            )
        if (step + 1) % options.report_every == 0:
            held_out = validation_loss(model, corpus.validation, options.context, 32)
            recent = losses[-options.report_every :]
            print(
                f"step {step + 1:6d}  train {sum(recent) / len(recent):.4f}  validation "
                f"{held_out:.4f}  {time.monotonic() - began:6.0f} s",
                flush=True,
            )
    tail = losses[-max(1, len(losses) // 10) :]
    return len(losses), sum(tail) / len(tail)


# Files --------------------------------------------------------------------------------------------


def write_atomically(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)


def run(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    corpus = make_corpus(options)
    print(
        f"text: {corpus.documents} documents, {len(corpus.training)} bytes to train on, "
        f"{len(corpus.validation)} held out"
    )
    if options.validation_out:
        write_atomically(options.validation_out, corpus.validation.numpy().tobytes())
    model = make_model(options)
    print(
        f"model: {sum(p.numel() for p in model.parameters())} parameters, {options.layers} blocks, "
        f"hidden {options.hidden}, intermediate {options.intermediate}"
    )
    began = time.monotonic()
    steps, training = train(model, corpus, options)
    seconds = time.monotonic() - began
    saved = model.to(getattr(torch, options.dtype))
    held_out = validation_loss(saved, corpus.validation, options.context, 512)
    options.output.mkdir(parents=True, exist_ok=True)
    saved.save_pretrained(options.output)
    print(
        json.dumps(
            {
                "steps": steps,
                "seconds": round(seconds, 1),
                "parameters": saved.num_parameters(),
                "training_loss": round(training, 4),
                "training_perplexity": round(math.exp(training), 3),
                "validation_loss": round(held_out, 4),
                "validation_perplexity": round(math.exp(held_out), 3),
            }
        )
    )


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse_arguments(arguments))
    except CommandError as error:
        print(f"train_example: error: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"train_example: error: {error}", file=sys.stderr)
        return EXIT_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
