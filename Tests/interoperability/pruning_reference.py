"""Magnitude, Wanda and SparseGPT in float64 numpy, as their authors write them, with exact counts.

W is [outputs, inputs]. Every choice is of the first entries in one order: weights that are 0
already, then ascending measure, ties row by row. Nothing is shared with the Swift code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

Array = np.ndarray
BLOCK = 128


@dataclasses.dataclass(frozen=True)
class Pattern:
    """`removed` of every `group` consecutive inputs of a row are 0."""

    removed: int
    group: int

    @staticmethod
    def parsed(text: str) -> Pattern:
        return Pattern(*map(int, text.split(":")))

    def zeros(self, shape: Sequence[int]) -> int:
        outputs, inputs = shape
        return self.removed * (inputs // self.group) * outputs


def first(measure: Array, weight: Array, count: int) -> Array:
    """Mask of the `count` entries to remove from one flat pool."""
    order = np.lexsort((np.arange(weight.size), measure.ravel(), weight.ravel() != 0))
    mask = np.zeros(weight.size, bool)
    mask[order[:count]] = True
    return mask.reshape(weight.shape)


def first_of_groups(measure: Array, weight: Array, pattern: Pattern) -> Array:
    """Mask of `pattern.removed` entries of every whole group of every row."""
    mask = np.zeros(weight.shape, bool)
    for row in range(weight.shape[0]):
        for begin in range(0, weight.shape[1] // pattern.group * pattern.group, pattern.group):
            group = slice(begin, begin + pattern.group)
            mask[row, group] = first(measure[row, group], weight[row, group], pattern.removed)
    return mask


def row_counts(total: int, rows: int) -> list[int]:
    return [total // rows + (row < total % rows) for row in range(rows)]


def square(covariance: Array, inputs: int) -> Array:
    """A [in, in]: a diagonal one written out, an appended bias left off."""
    full = np.diag(covariance) if covariance.ndim == 1 else covariance
    return full[:inputs, :inputs].astype(float)


def wanda_measure(weight: Array, covariance: Array) -> Array:
    """Where no input was ever other than 0, nothing tells weights apart and |W| decides."""
    squares = np.diag(covariance)
    return np.abs(weight) * (np.sqrt(squares) if squares.any() else 1)


def magnitude(weight: Array, how: int | Pattern) -> Array:
    if isinstance(how, Pattern):
        return np.where(first_of_groups(np.abs(weight), weight, how), 0, weight)
    return np.where(first(np.abs(weight), weight, how), 0, weight)


def wanda(weight: Array, covariance: Array, how: int | Pattern) -> Array:
    measure = wanda_measure(weight, covariance)
    if isinstance(how, Pattern):
        return np.where(first_of_groups(measure, weight, how), 0, weight)
    counts = row_counts(how, len(weight))
    rows = [first(m, w, n) for m, w, n in zip(measure, weight, counts, strict=True)]
    return np.where(np.stack(rows), 0, weight)


def inverse_factor(covariance: Array) -> Array:
    """U, upper, UᵀU = H⁻¹, of the damped A; a dead input stands alone."""
    dead = np.diag(covariance) == 0
    damped = covariance + 0.01 * np.diag(covariance).mean() * np.eye(len(covariance))
    damped[dead, dead] = 1
    return np.linalg.cholesky(np.linalg.inv(damped)).T


def sparsegpt_measure(weight: Array, factor: Array, dead: Array) -> Array:
    """A weight of a dead input costs nothing; where all are dead, |W| decides as in Wanda."""
    return np.where(dead & ~dead.all(), 0, (weight / np.diag(factor)) ** 2)


def block_ends(inputs: int) -> list[tuple[int, int]]:
    return [(begin, min(begin + BLOCK, inputs)) for begin in range(0, inputs, BLOCK)]


def share_until(total: int, columns: int, inputs: int) -> int:
    """total · columns / inputs, halves rounded down."""
    return -((inputs - 2 * total * columns) // (2 * inputs))


def sparsegpt(weight: Array, covariance: Array, how: int | Pattern) -> Array:
    """Column by column; each column's error is carried to the columns after it."""
    current = weight.astype(float).copy()
    inputs = current.shape[1]
    factor = inverse_factor(covariance)
    dead = np.diag(covariance) == 0
    mask = np.zeros(current.shape, bool)
    for begin, end in block_ends(inputs):
        if isinstance(how, int):
            count = share_until(how, end, inputs) - share_until(how, begin, inputs)
            measure = sparsegpt_measure(current, factor, dead)[:, begin:end]
            mask[:, begin:end] = first(measure, current[:, begin:end], count)
        errors = np.zeros((len(current), end - begin))
        for column in range(begin, end):
            if isinstance(how, Pattern) and column % how.group == 0:
                group = slice(column, column + how.group)
                measure = sparsegpt_measure(current, factor, dead)[:, group]
                mask[:, group] = first_of_groups(measure, current[:, group], how)
            kept = np.where(mask[:, column], 0, current[:, column])
            error = (current[:, column] - kept) / factor[column, column]
            current[:, column:end] -= np.outer(error, factor[column, column:end])
            current[:, column] = kept
            errors[:, column - begin] = error
        current[:, end:] -= errors @ factor[begin:end, end:]
    return current


def pruned(
    method: str, weight: Array, how: int | Pattern, covariance: Array | None = None
) -> Array:
    """The weights a method leaves, in float64."""
    weight = weight.astype(float)
    if method == "magnitude":
        return magnitude(weight, how)
    assert covariance is not None
    a = square(covariance, weight.shape[1])
    return wanda(weight, a, how) if method == "wanda" else sparsegpt(weight, a, how)


def measure_of(method: str, weight: Array, covariance: Array | None = None) -> Array:
    """What a method ranks the weights of a module by, before any is removed."""
    weight = weight.astype(float)
    if method == "magnitude":
        return np.abs(weight)
    assert covariance is not None
    a = square(covariance, weight.shape[1])
    if method == "wanda":
        return wanda_measure(weight, a)
    return sparsegpt_measure(weight, inverse_factor(a), np.diag(a) == 0)


def spread_uniform(total: int, sizes: Sequence[int]) -> list[int]:
    """By size; what rounding down leaves goes to the largest remainders, ties in module order."""
    exact = [Fraction(total * size, sum(sizes)) for size in sizes]
    counts = [int(share) for share in exact]
    order = sorted(range(len(sizes)), key=lambda i: (counts[i] - exact[i], i))
    for i in order[: total - sum(counts)]:
        counts[i] += 1
    return counts


def spread_global(total: int, weights: Sequence[Array], measures: Sequence[Array]) -> list[int]:
    """How many of the unit's first `total` entries lie in each module, ties in module order."""
    mask = first(
        np.concatenate([measure.ravel() for measure in measures]),
        np.concatenate([weight.ravel() for weight in weights]),
        total,
    )
    ends = np.cumsum([weight.size for weight in weights])
    return [int(part.sum()) for part in np.split(mask, ends[:-1])]


def nearest_pattern(share: Fraction, allowed: Pattern) -> Pattern:
    """The pattern of at most the allowed zeros whose share is nearest; of two, the sparser."""
    nearest = (share * allowed.group + Fraction(1, 2)) // 1
    return Pattern(min(int(nearest), allowed.removed), allowed.group)
