"""Sums become means under their keys: the tensors, aliases and metadata of a statistics file.

Gradients and the diagonal are divided by all N sequences; the two covariances by the tokens that
reached the module, which are all T tokens unless it is an expert.
"""

from __future__ import annotations

import argparse
import json

import torch

from .checkpoints import Progress
from .collection_pass import Collected
from .equal_tensors import share_equal
from .plain_errors import EXIT_DATA, CommandError
from .running_sums import Sums
from .statistics_file import STORED_TYPES
from .text_windows import Encoder
from .token_records import TokenRecord

FORMAT = "layerbudget.statistics/1"
LOSS = {
    "causal": "next-token cross entropy in nats, summed over the tokens of a sequence, "
    "labels from the text",
    "masked": "masked-token cross entropy in nats, summed over the masked tokens of a sequence, "
    "labels from the text",
}

Tensors = dict[str, torch.Tensor]
Aliases = dict[str, str]


def finish(
    collected: Collected, totals: Progress, options: argparse.Namespace
) -> tuple[Tensors, Aliases]:
    """Means in their stored types by key, and the aliases {key: key of the same matrix}."""
    tensors: Tensors = {}
    aliases: Aliases = {}
    for name, sums in collected.sums.items():
        leader = collected.leaders[name]
        found = gradients(sums, totals, options) | curvature(sums, totals, options)
        if name in collected.records:
            found |= captures(collected.records[name], totals)
        if int(sums.tokens) != totals.tokens:
            found["num_tokens"] = sums.tokens
        tensors |= {f"{name}.{quantity}": tensor for quantity, tensor in found.items()}
        if leader != name and sums.outputs is not None:
            aliases[f"{name}.activation_covariance"] = f"{leader}.activation_covariance"
        if leader != name and name in collected.records:
            aliases[f"{name}.token_inputs"] = f"{leader}.token_inputs"
    share_equal(tensors, aliases, "sample_offsets")
    if any(
        own.kind == "expert" or int(collected.sums[name].tokens) != totals.tokens
        for name, own in collected.maps.items()
    ):
        # The first batch did not show every expert at work, so what they share is found here.
        share_equal(tensors, aliases, "activation_covariance")
        share_equal(tensors, aliases, "token_inputs")
    require_finite(tensors)
    return tensors, aliases


def gradients(sums: Sums, totals: Progress, options: argparse.Namespace) -> Tensors:
    stored = STORED_TYPES[options.gradient_dtype]
    found = {"gradient": (sums.folds.sum(0) / totals.samples).to(stored)}
    if options.folds:
        folds = sums.folds * (options.folds / totals.samples)
        found["gradient_folds"] = folds.to(stored)
    return found


def curvature(sums: Sums, totals: Progress, options: argparse.Namespace) -> Tensors:
    factor_type = STORED_TYPES[options.factor_dtype]
    found: Tensors = {}
    if sums.squares is not None:
        fisher = sums.squares / totals.samples
        found["fisher_diagonal"] = fisher.to(STORED_TYPES[options.fisher_dtype])
    if sums.inputs is not None:
        mean = covariance(sums.inputs, int(sums.tokens))
        found["activation_covariance"] = mean.to(factor_type)
    if sums.outputs is not None:
        mean = covariance(sums.outputs, int(sums.tokens))
        found["gradient_covariance"] = mean.to(factor_type)
    return found


def captures(record: TokenRecord, totals: Progress) -> Tensors:
    return record.joined(totals.samples)


def covariance(total: torch.Tensor, count: int) -> torch.Tensor:
    """Exactly symmetric mean, or a mean diagonal; zero for a module that saw no token."""
    if total.dim() == 1:
        return total / max(1, count)
    return (total + total.T) / (2 * max(1, count))


def require_finite(tensors: Tensors) -> None:
    for key, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise CommandError(
                EXIT_DATA, f"{key} has values that are not finite: try --model-dtype float32"
            )


def make_metadata(
    options: argparse.Namespace, totals: Progress, encoder: Encoder, bias: bool
) -> dict[str, str]:
    """Of a statistics file, but for its aliases."""
    metadata = {
        "format": FORMAT,
        "normalization": "mean",
        "num_samples": str(totals.samples),
        "num_tokens": str(totals.tokens),
        "loss": LOSS[options.task],
        "mean_loss": repr(totals.loss / max(1, totals.predicted)),
        "model": options.model.resolve().name,
        "weight_layout": "out_in",
        "bias": "appended" if bias else "none",
        "fisher": "empirical",
        "sample": "sequence",
        "tokens": encoder.description,
        "seed": str(options.seed),
    }
    if options.folds:
        metadata["folds"] = str(options.folds)
        metadata["fold_order"] = options.fold_order
    if options.task == "masked":
        metadata["mask_share"] = repr(options.mask_share)
    return metadata


def with_aliases(metadata: dict[str, str], aliases: Aliases) -> dict[str, str]:
    return metadata | {"alias": json.dumps(aliases, sort_keys=True)}
