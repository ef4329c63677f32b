"""Sums become means under their keys: the tensors, aliases and metadata of a statistics file.

Gradients and the diagonal are divided by the N sequences, the two covariances by the T tokens.
"""

from __future__ import annotations

import argparse
import json

import torch

from .plain_errors import EXIT_DATA, CommandError
from .running_sums import Sums, Totals
from .statistics_file import STORED_TYPES
from .text_windows import Encoder

FORMAT = "layerbudget.statistics/1"
LOSS = (
    "next-token cross entropy in nats, summed over the tokens of a sequence, labels from the text"
)


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
