"""The reference that `apply` is held against, itself held against formulas and hand-made cases."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from pruning_reference import (
    Pattern,
    inverse_factor,
    magnitude,
    nearest_pattern,
    pruned,
    row_counts,
    share_until,
    sparsegpt,
    spread_global,
    spread_uniform,
    wanda,
)


def covariance(generator: np.random.Generator, inputs: int) -> np.ndarray:
    x = generator.normal(size=(3 * inputs, inputs)) @ generator.normal(size=(inputs, inputs))
    return x.T @ x / len(x)


def damped(a: np.ndarray) -> np.ndarray:
    return a + 0.01 * np.trace(a) / len(a) * np.eye(len(a))


def best_others(row: np.ndarray, a: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """The row of least squared error whose entries `gone` are 0: a linear system, no recursion."""
    kept, found = ~gone, np.zeros_like(row)
    found[kept] = np.linalg.solve(a[np.ix_(kept, kept)], a[kept] @ row)
    return found


def test_magnitude_takes_zeros_then_the_smallest_then_row_order() -> None:
    weight = np.array([[3.0, -1, 0, 2], [1, -0.0, -3, 1]])
    assert magnitude(weight, 0).tolist() == weight.tolist()
    assert (magnitude(weight, 1) == 0).tolist() == [[0, 0, 1, 0], [0, 1, 0, 0]]
    assert (magnitude(weight, 3) == 0).tolist() == [[0, 1, 1, 0], [0, 1, 0, 0]]
    assert (magnitude(weight, 4) == 0).tolist() == [[0, 1, 1, 0], [1, 1, 0, 0]]
    assert (magnitude(weight, 7) == 0).tolist() == [[1, 1, 1, 1], [1, 1, 0, 1]]
    assert not magnitude(weight, 8).any()


def test_wanda_gives_rows_equal_counts_and_the_first_rows_one_more() -> None:
    assert row_counts(8, 3) == [3, 3, 2] and row_counts(2, 3) == [1, 1, 0]
    weight = np.array([[1.0, 2, 3], [3, -2, 1], [1, 1, 1]])
    a = np.diag([9.0, 1, 0])
    assert (wanda(weight, a, 4) == 0).tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 1]]


def test_wanda_prefers_a_zero_over_a_dead_input() -> None:
    weight, a = np.array([[5.0, 0, 1]]), np.diag([0.0, 1, 1])
    assert (wanda(weight, a, 1) == 0).tolist() == [[0, 1, 0]]
    assert (wanda(weight, a, 2) == 0).tolist() == [[1, 1, 0]]


def test_groups_are_of_consecutive_inputs_and_the_rest_stays_dense() -> None:
    weight = np.array([[4.0, 1, 3, 2, 0.1], [1, 1, 0, 1, 0.1]])
    a = np.diag([1.0, 16, 1, 1, 1])
    assert (magnitude(weight, Pattern(2, 4)) == 0).tolist() == [[0, 1, 0, 1, 0], [1, 0, 1, 0, 0]]
    assert (wanda(weight, a, Pattern(2, 4)) == 0).tolist() == [[0, 0, 1, 1, 0], [1, 0, 1, 0, 0]]
    assert Pattern(2, 4).zeros((2, 5)) == 4
    assert not pruned("magnitude", weight, Pattern(4, 4))[:, :4].any()


@pytest.mark.parametrize("method", ["magnitude", "wanda"])
def test_masks_of_distinct_weights_equal_sorting_by_torch(method: str) -> None:
    generator = np.random.default_rng(1)
    weight, a = generator.normal(size=(12, 40)), covariance(generator, 40)
    measure = torch.tensor(np.abs(weight) * (np.sqrt(np.diag(a)) if method == "wanda" else 1))
    if method == "wanda":
        wanted = torch.zeros_like(measure).scatter(1, measure.topk(24, largest=False)[1], 1)
    else:
        wanted = (measure <= measure.flatten().kthvalue(12 * 24)[0]).double()
    found = pruned(method, weight, 12 * 24, a)
    assert np.array_equal(found == 0, wanted.numpy() == 1)
    assert np.array_equal(found[found != 0], weight[found != 0])
    groups = measure.reshape(12, 20, 2).topk(1, largest=False)[1][..., 0].numpy()
    found = pruned(method, weight, Pattern(1, 2), a).reshape(12, 20, 2)
    assert np.array_equal(found[..., 0] == 0, groups == 0)


def test_the_inverse_factor_is_upper_and_leaves_dead_inputs_alone() -> None:
    a = covariance(np.random.default_rng(2), 6)
    a[2] = a[:, 2] = 0
    factor = inverse_factor(a)
    assert np.array_equal(factor, np.triu(factor))
    inverse = factor.T @ factor
    live = [0, 1, 3, 4, 5]
    wanted = np.linalg.inv(damped(a)[np.ix_(live, live)])
    assert inverse[np.ix_(live, live)] == pytest.approx(wanted, rel=1e-9)
    assert inverse[2].tolist() == [0, 0, 1, 0, 0, 0]


def test_block_shares_round_halves_down_and_add_up() -> None:
    assert [share_until(5, columns, 4) for columns in range(5)] == [0, 1, 2, 4, 5]
    for inputs in (1, 127, 128, 200, 257, 300):
        for total in range(3 * inputs + 1):
            cumulative = [share_until(total, c, inputs) for c in (0, inputs // 2, inputs)]
            exact = Fraction(total * (inputs // 2), inputs)
            assert cumulative[0] == 0 and cumulative[2] == total
            assert cumulative[1] == -((1 - 2 * exact) // 2)  # ⌈exact - ½⌉
            assert -Fraction(1, 2) <= cumulative[1] - exact < Fraction(1, 2)


@pytest.mark.parametrize("pattern", [None, Pattern(2, 4), Pattern(1, 3)])
def test_sparsegpt_equals_removing_one_weight_after_the_other(pattern: Pattern | None) -> None:
    """Each update is the paper's: the optimal one of the weights not yet passed, from H itself."""
    generator = np.random.default_rng(3)
    weight, a = generator.normal(size=(3, 8)), covariance(generator, 8)
    found = sparsegpt(weight, a, pattern or 12)
    mask = found == 0
    assert mask.sum() == (pattern.zeros((3, 8)) if pattern else 12)
    h = damped(a)
    for row, removed in enumerate(mask):
        current = weight[row].copy()
        for column in range(8):
            if removed[column]:
                rest = np.linalg.inv(h[column:, column:])
                current[column:] -= current[column] / rest[0, 0] * rest[0]
                current[column] = 0
        assert found[row] == pytest.approx(current, rel=1e-9, abs=1e-12)


def test_sparsegpt_of_one_column_is_the_least_squares_answer() -> None:
    """Only the first input is removed: everything after it may answer, so nothing is lost."""
    generator = np.random.default_rng(4)
    weight, a = generator.normal(size=(3, 8)), covariance(generator, 8)
    weight[:, 0] *= 1e-3
    found = sparsegpt(weight, a, 3)
    assert np.array_equal(found == 0, np.arange(8)[None].repeat(3, 0) == 0)
    for row in range(3):
        wanted = best_others(weight[row], damped(a), found[row] == 0)
        assert found[row] == pytest.approx(wanted, rel=1e-9)


def test_sparsegpt_chooses_the_smallest_errors_of_the_conditional_inverse() -> None:
    """diag(U)² is [H⁻¹] of the inputs from the column on: what removing it costs at its turn."""
    generator = np.random.default_rng(5)
    weight, a = generator.normal(size=(4, 9)), covariance(generator, 9)
    h = damped(a)
    costs = [weight[:, j] ** 2 / np.linalg.inv(h[j:, j:])[0, 0] for j in range(9)]
    wanted = np.argsort(np.stack(costs, 1).ravel())[:17]
    assert set(np.flatnonzero(sparsegpt(weight, a, 17).ravel() == 0)) == set(wanted)


def authors(weight: torch.Tensor, h: torch.Tensor, sparsity: float) -> torch.Tensor:
    """fasterprune of the authors' repository (IST-DASLab/sparsegpt), its lazy blocks included."""
    w = weight.clone()
    dead = h.diag() == 0
    h = h.clone()
    h[dead, dead] = 1
    w[:, dead] = 0
    h.diagonal().add_(0.01 * h.diag().mean())
    inverse = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    for i1 in range(0, w.shape[1], 128):
        i2 = min(i1 + 128, w.shape[1])
        w1, errors = w[:, i1:i2].clone(), torch.zeros_like(w[:, i1:i2])
        own = inverse[i1:i2, i1:i2]
        measure = w1**2 / own.diag().reshape(1, -1) ** 2
        threshold = measure.flatten().sort()[0][int(measure.numel() * sparsity)]
        mask = measure < threshold
        for i in range(i2 - i1):
            column = w1[:, i].clone()
            kept = column.clone()
            kept[mask[:, i]] = 0
            error = (column - kept) / own[i, i]
            w1[:, i:] -= error[:, None] @ own[i, i:][None]
            w1[:, i] = kept
            errors[:, i] = error
        w[:, i1:i2] = w1
        w[:, i2:] -= errors @ inverse[i1:i2, i2:]
    return w


def test_sparsegpt_equals_the_authors_over_blocks() -> None:
    """Half of every block is a whole number here, so that their truncation takes as many."""
    generator = np.random.default_rng(6)
    weight, a = generator.normal(size=(10, 300)), covariance(generator, 300)
    wanted = authors(torch.tensor(weight), torch.tensor(a), 0.5).numpy()
    found = sparsegpt(weight, a, 1500)
    assert np.array_equal(found == 0, wanted == 0)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-9)


def test_sparsegpt_of_a_diagonal_covariance_changes_no_other_weight() -> None:
    generator = np.random.default_rng(7)
    weight, a = generator.normal(size=(5, 6)), np.diag(generator.uniform(1, 2, 6))
    found = sparsegpt(weight, a, 15)
    assert np.array_equal(found[found != 0], weight[found != 0])
    dead = np.diag([1.0, 0, 1, 1, 0, 1])
    assert (sparsegpt(weight, dead, 10) == 0).sum(0).tolist() == [0, 5, 0, 0, 5, 0]


@pytest.mark.parametrize("method", ["wanda", "sparsegpt"])
def test_without_any_input_the_size_of_a_weight_decides(method: str) -> None:
    weight = np.random.default_rng(8).normal(size=(1, 9))
    found = pruned(method, weight, 4, np.zeros((9, 9)))
    assert np.array_equal(found, magnitude(weight, 4))


def test_a_unit_is_spread_by_size_or_by_one_threshold() -> None:
    assert spread_uniform(5, [4, 4, 4]) == [2, 2, 1]
    assert spread_uniform(7, [1, 2, 9]) == [1, 1, 5]
    assert spread_uniform(3, [3, 10]) == [1, 2]
    assert spread_uniform(0, [3, 10]) == [0, 0] and spread_uniform(13, [3, 10]) == [3, 10]
    weights = [np.array([[1.0, 5]]), np.array([[0.0, 1, 7]])]
    assert [spread_global(n, weights, weights) for n in range(6)] == [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 2],
        [2, 2],
        [2, 3],
    ]


def test_the_nearest_pattern_never_exceeds_the_allowed_one() -> None:
    shares = [Fraction(n, 1000) for n in (0, 124, 125, 374, 375, 900)]
    found = [nearest_pattern(share, Pattern(2, 4)).removed for share in shares]
    assert found == [0, 0, 1, 1, 2, 2]
