"""What other methods say of a unit: OWL, AlphaPruning, the mean curvature.

Written from their papers and from what their repositories compute; how they differ is said here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .shares import Shares, scaled, shifted

OWL_MULTIPLE, OWL_LAMBDA = 5.0, 0.08
ALPHA_EPSILON = 0.3
SMALLEST_EIGENVALUE = 1e-5  # below it, AlphaPruning counts an eigenvalue of WᵀW as 0


def outlier_share(
    weights: Sequence[torch.Tensor], moments: Sequence[torch.Tensor], multiple: float = OWL_MULTIPLE
) -> float:
    """OWL's D of a unit: the share of all |W_ij| √A_jj above `multiple` times their mean."""
    measures = torch.cat(
        [
            (weight.double().abs() * moment.double().sqrt()).flatten()
            for weight, moment in zip(weights, moments, strict=True)
        ]
    )
    return float((measures > multiple * measures.mean()).double().mean())


def owl_shares(
    sizes: Sequence[int],
    outliers: Sequence[float],
    sparsity: float,
    width: float = OWL_LAMBDA,
) -> Shares:
    """Shares to remove from each unit: the more outliers, the fewer.

    OWL spreads the shares kept over 2λ, recentres their plain mean on 1 − S, and clips nothing.
    Here the mean is weighted by size and shares stay within 0 ... 1, both by one shift of all
    shares, so that S weights are removed: no change for blocks of equal size and moderate S.
    """
    low, high = min(outliers), max(outliers)
    spread = high - low or 1.0
    return shifted(sizes, [-(value - low) / spread * 2 * width for value in outliers], sparsity)


def hill_exponent(weight: torch.Tensor) -> float:
    """Exponent of the tail of the spectrum of WᵀW, by Hill's estimator over its upper half."""
    eigenvalues = torch.linalg.svdvals(weight.double()).square().sort().values
    above = eigenvalues[eigenvalues > SMALLEST_EIGENVALUE]
    logarithms = (above if len(above) else eigenvalues).log()
    tail = logarithms[len(logarithms) // 2 :]
    return 1 + len(tail) / float((tail - tail[0]).sum())


def alpha_shares(
    sizes: Sequence[int],
    exponents: Sequence[float],
    sparsity: float,
    epsilon: float = ALPHA_EPSILON,
) -> Shares:
    """Shares to remove from each unit: the lighter its tail, the more.

    AlphaPruning maps exponents to 1 − ε ... 1 + ε and rescales so that S weights are removed; above
    1 a share is cut here, and the factor is that much larger.
    """
    low, high = min(exponents), max(exponents)
    spread = high - low or 1.0
    mapped = [1 - epsilon + 2 * epsilon * (value - low) / spread for value in exponents]
    return scaled(sizes, mapped, sparsity)


def mean_curvature(sizes: Sequence[int], module_means: Sequence[float]) -> float:
    """tr H / n of a unit, from its modules' sizes and mean curvatures."""
    return sum(size * mean for size, mean in zip(sizes, module_means, strict=True)) / sum(sizes)
