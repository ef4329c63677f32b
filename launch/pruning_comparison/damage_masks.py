"""Weights chosen by their second-order damage, the cost that measured plans are made of.

Done here, since `layerbudget apply` has no such method: weight ij of a unit costs
½ W_ij² diag(H)_ij, and the cheapest go first, W's own zeros before all others.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .shares import exact_counts
from .stored_statistics import StoredStatistics

CURVATURE_OF = {"damage-kfac": "kfac", "damage-diagonal": "diagonal"}


def damages(
    weight: torch.Tensor, statistics: StoredStatistics, module: str, curvature: str
) -> torch.Tensor:
    """½ W² ∘ diag H [outputs, inputs], undamped; zeros of W cost 0."""
    inputs = weight.shape[1]
    if curvature == "diagonal":
        diagonal = statistics.tensor(f"{module}.fisher_diagonal")[:, :inputs]
    else:
        outputs = statistics.diagonal(f"{module}.gradient_covariance")
        diagonal = torch.outer(outputs, statistics.input_moments(module, inputs))
    return weight.double().square() * diagonal / 2


def cheapest(costs: torch.Tensor, count: int) -> torch.Tensor:
    """True at the `count` smallest of all, ties in order."""
    mask = torch.zeros(costs.numel(), dtype=torch.bool)
    mask[costs.flatten().argsort(stable=True)[:count]] = True
    return mask.view(costs.shape)


def unit_masks(costs: Sequence[torch.Tensor], count: int, within: str) -> list[torch.Tensor]:
    """Of a unit's modules: one threshold for all (global), or shares by size (uniform)."""
    sizes = [cost.numel() for cost in costs]
    if within == "uniform":
        counts = exact_counts(sizes, [count / sum(sizes)] * len(sizes), count)
        return [cheapest(cost, own) for cost, own in zip(costs, counts, strict=True)]
    together = cheapest(torch.cat([cost.flatten() for cost in costs]), count)
    parts = together.split(sizes)
    return [part.view(cost.shape) for part, cost in zip(parts, costs, strict=True)]
