"""From what a method says of every unit to whole numbers of weights that add up to S exactly.

Units here may have any sizes, and a share always lies between 0 and 1, whatever the method gave.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

HALVINGS = 200  # more than the bits of a float64

Shares = list[float]


def clipped(values: Sequence[float]) -> Shares:
    return [min(1.0, max(0.0, value)) for value in values]


def mean_share(sizes: Sequence[int], shares: Sequence[float]) -> float:
    return math.fsum(size * share for size, share in zip(sizes, shares, strict=True)) / sum(sizes)


def first_reaching(wanted: float, level: Callable[[float], float], high: float) -> float:
    """The smallest of 0 ... `high` whose rising `level` is at least `wanted`, or `high`."""
    low = 0.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if level(middle) >= wanted else (middle, high)
    return high


def shifted(sizes: Sequence[int], shares: Sequence[float], sparsity: float) -> Shares:
    """All shares moved by one constant, then clipped, so that they remove `sparsity` in all."""
    start = -max(shares)

    def moved(step: float) -> Shares:
        return clipped([share + start + step for share in shares])

    most = 1.0 + max(shares) - min(shares)
    return moved(first_reaching(sparsity, lambda step: mean_share(sizes, moved(step)), most))


def scaled(sizes: Sequence[int], weights: Sequence[float], sparsity: float) -> Shares:
    """All weights times one factor, then clipped at 1, so that they remove `sparsity` in all."""
    if min(weights) <= 0:
        raise ValueError("weights to be scaled must be positive")

    def times(factor: float) -> Shares:
        return clipped([weight * factor for weight in weights])

    most = 1.0 / min(weights)
    return times(first_reaching(sparsity, lambda factor: mean_share(sizes, times(factor)), most))


def exact_counts(sizes: Sequence[int], shares: Sequence[float], total: int) -> list[int]:
    """Whole numbers of weights, by largest remainders with ties in order, that add up to `total`.

    Of shares that remove `total` up to rounding, every count is less than 1 from its share.
    """
    if not 0 <= total <= sum(sizes):
        raise ValueError(f"cannot remove {total} of {sum(sizes)} weights")
    exact = [size * share for size, share in zip(sizes, shares, strict=True)]
    counts = [min(size, math.floor(value)) for size, value in zip(sizes, exact, strict=True)]
    rest = total - sum(counts)
    remainders = [value - count for value, count in zip(exact, counts, strict=True)]
    order = sorted(range(len(sizes)), key=lambda unit: -remainders[unit])
    if rest < 0:
        order.reverse()
    while rest:
        for unit in order:
            step = (rest > 0) - (rest < 0)
            if step and 0 <= counts[unit] + step <= sizes[unit]:
                counts[unit] += step
                rest -= step
    return counts
