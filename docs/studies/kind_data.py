"""Statistics of the same sequences for every kind of curvature, kronfluence's factors included."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import sys
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.task import Task
from study_tools import BATCH, COLLECTOR, FOLDS, LENGTH, THREADS, Scores, collect, score
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

# Every kind, and which of the sources has what it needs.
SOURCES = {
    "identity": "factors",
    "diagonal": "factors",
    "kfac": "factors",
    "kronecker": "factors",
    "ekfac": "kronfluence",
    "fisher": "captures",
}


@dataclasses.dataclass(frozen=True)
class Data:
    """Where the statistics of one set of sequences lie."""

    sequences: int
    factors: Path
    kronfluence: Path
    captures: Path


class NextByte(Task):
    """The collector's loss: cross entropy with the text's own labels, summed over tokens."""

    def __init__(self, modules: list[str]) -> None:
        super().__init__()
        self.modules = modules

    def compute_train_loss(
        self, batch: torch.Tensor, model: nn.Module, sample: bool = False
    ) -> torch.Tensor:
        if sample:
            raise ValueError("the empirical Fisher takes the labels of the text")
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        labels = batch[:, 1:].flatten()
        return functional.cross_entropy(logits.float().flatten(0, 1), labels, reduction="sum")

    def compute_measurement(self, batch: torch.Tensor, model: nn.Module) -> torch.Tensor:
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self) -> list[str]:
        return self.modules


def parse_arguments(description: str, output: Path) -> argparse.Namespace:
    """The options of both studies of the kinds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--statistics", type=Path, required=True, help="the example's, as stored")
    parser.add_argument("--text", type=Path, required=True, help="the example's held-out text")
    parser.add_argument("--tool", type=Path, required=True, help="the layerbudget command")
    parser.add_argument("--work", type=Path, required=True, help="folder for statistics")
    parser.add_argument("--sequences", type=int, default=64, help="for all kinds at once")
    parser.add_argument("-o", "--output", type=Path, default=output, help="all numbers, .json")
    return parser.parse_args()


def chosen_sequences(model: Path, text: Path, sequences: int, seed: int = 0) -> torch.Tensor:
    """What the collector chooses, by its own code: int64 [sequences, 1 + length]."""
    sys.path.insert(0, str(COLLECTOR.parent))
    from layerbudget_statistics.text_windows import Encoder, choose_sequences, read_sequences

    options = argparse.Namespace(
        text=text,
        length=LENGTH,
        split="windows",
        sequences=sequences,
        folds=FOLDS,
        fold_order="shuffled",
        seed=seed,
    )
    return torch.stack(choose_sequences(read_sequences(options, Encoder(model, 256), 1), options))


def fit_kronfluence(model: Path, dataset: torch.Tensor, folder: Path) -> Path:
    """EK-FAC factors of the blocks' linear modules, by kronfluence itself."""
    network = LlamaForCausalLM.from_pretrained(model, local_files_only=True).eval()
    blocks = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and ".layers." in name
    ]
    task = NextByte(blocks)
    analyzer = Analyzer(
        "analysis",
        prepare_model(network, task),
        task,
        cpu=True,
        disable_tqdm=True,
        output_dir=str(folder),
        log_level=logging.ERROR,
    )
    arguments = FactorArguments(strategy="ekfac", use_empirical_fisher=True)
    analyzer.fit_all_factors("ekfac", dataset, per_device_batch_size=BATCH, factor_args=arguments)
    return Path(analyzer.factors_output_dir("ekfac"))


def make_data(options: argparse.Namespace, sequences: int, captures: bool) -> Data:
    """Collects what is not there yet."""
    torch.set_num_threads(THREADS)
    folder = options.work / f"kinds_{sequences}"
    factors, raw = folder / "factors.safetensors", folder / "captures.safetensors"
    kronfluence = folder / "analysis" / "factors_ekfac"
    folder.mkdir(parents=True, exist_ok=True)
    model, text = options.model, options.text
    if not factors.is_file():
        collect(model, text, ("-o", factors), sequences, "gradient,kfac,diagonal")
    if captures and not raw.is_file():
        collect(model, text, ("-o", raw), sequences, "gradient,tokens")
    if not (kronfluence / "gradient_folds.safetensors").is_file():
        fit_kronfluence(model, chosen_sequences(model, text, sequences), folder)
        collect(model, text, ("--from-kronfluence", kronfluence), sequences, None)
    return Data(sequences, factors, kronfluence, raw)


def score_kind(
    options: argparse.Namespace, statistics: Path, kind: str, rule: str, *more: str
) -> Scores:
    """Scores of one kind, `rule` being plain or cross-fitted."""
    name = f"{statistics.stem}_{kind}_{rule}{''.join(more)}.json"
    output = options.work / "scores" / name
    output.parent.mkdir(parents=True, exist_ok=True)
    return score(options.tool, statistics, output, "--curvature", kind, "--gain", rule, *more)
