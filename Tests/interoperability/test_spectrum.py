"""`allocate --utility spectrum` against whitened singular values in float64 numpy.

Nothing is shared with the Swift code: factors are read by the safetensors package, whitened by
numpy's Cholesky factors and decomposed by numpy's svd.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy_gains import RELATIVE, Tensors, factors, modules, plain, read

REPOSITORY = Path(__file__).resolve().parents[2]
STATISTICS = REPOSITORY / "docs" / "example" / "statistics.safetensors"
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))


def allocate(output: Path, budget: float, *options: str) -> dict[str, Any]:
    subprocess.run(
        [TOOL, "allocate", "--statistics", str(STATISTICS), "--quiet"]
        + ["--unit", "rank", "--budget", f"{budget:.0f} parameters", "--utility", "spectrum"]
        + ["-o", str(output), *options],
        check=True,
    )
    return json.loads(output.read_text())


def damped_roots(tensors: Tensors, module: str) -> tuple[np.ndarray, np.ndarray]:
    """L_A and L_G of the damped factors."""
    roots = [
        np.linalg.cholesky(
            factor + np.sqrt(RELATIVE) * np.trace(factor) / len(factor) * np.eye(len(factor))
        )
        for factor in factors(tensors, module)
    ]
    return roots[0], roots[1]


def whitened(tensors: Tensors, module: str) -> np.ndarray:
    """L_G^-1 W L_A^-T."""
    root_a, root_g = damped_roots(tensors, module)
    gradient = tensors[f"{module}.gradient"]
    return np.linalg.solve(root_g, np.linalg.solve(root_a, gradient.T).T)


def decreases(tensors: Tensors, module: str) -> np.ndarray:
    """Half the squared singular values, descending."""
    return np.linalg.svd(whitened(tensors, module), compute_uv=False) ** 2 / 2


def test_the_best_update_of_every_rank_lowers_the_model_by_as_much() -> None:
    """<W, D> + 1/2 tr(G D A D^T) at the update made of the first r directions, and at others."""
    tensors, _ = read(STATISTICS)
    module = "model.layers.4.self_attn.v_proj"
    root_a, root_g = damped_roots(tensors, module)
    gradient = tensors[f"{module}.gradient"]
    left, values, right = np.linalg.svd(whitened(tensors, module), full_matrices=False)

    def change(update: np.ndarray) -> float:
        image = root_g.T @ update @ root_a
        return float((gradient * update).sum() + (image**2).sum() / 2)

    def unwhitened(update: np.ndarray) -> np.ndarray:
        return np.linalg.solve(root_g.T, np.linalg.solve(root_a.T, update.T).T)

    generator = np.random.default_rng(5)
    for rank in (1, 3, 10, len(values)):
        best = unwhitened(-(left[:, :rank] * values[:rank]) @ right[:rank])
        least = -float((values[:rank] ** 2).sum()) / 2
        assert change(best) == pytest.approx(least, rel=1e-10)
        for _ in range(20):
            b = generator.normal(size=(gradient.shape[0], rank))
            a = generator.normal(size=(rank, gradient.shape[1]))
            direction = b @ a
            # The best step along a direction of the same rank is no better.
            image = root_g.T @ direction @ root_a
            step = -(gradient * direction).sum() / (image**2).sum()
            assert change(step * direction) >= least * (1 + 1e-12)


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-10), ("single", 1e-5)])
@pytest.mark.parametrize("options", [(), ("--multiple-of", "4"), ("--min", "1", "--max", "12")])
def test_ranks_follow_one_threshold(
    tmp_path: Path, precision: str, tolerance: float, options: tuple[str, ...]
) -> None:
    tensors, _ = read(STATISTICS)
    budget = 20_000
    plan = allocate(
        tmp_path / "plan.json",
        budget,
        "--group-by",
        "module",
        "--precision",
        precision,
        *options,
    )
    step = plan["parameters"]["multiple_of"]
    names = modules(tensors)
    units = {unit["name"]: unit for unit in plan["units"]}
    assert set(units) == set(names)

    spent, taken, kept, total, stepped = 0.0, [], [], 0.0, []
    for name in names:
        unit, values = units[name], decreases(tensors, name)
        rank = unit["integer"]
        cost = sum(tensors[f"{name}.gradient"].shape)
        assert unit["cost"] == cost
        assert unit["lower"] <= rank <= unit["upper"] <= len(values)
        assert rank % step == 0
        spent += cost * rank
        total += values[:rank].sum()
        steps = values[: len(values) // step * step].reshape(-1, step).sum(axis=1) / (step * cost)
        lower, upper, held = (int(x) // step for x in (unit["lower"], unit["upper"], rank))
        taken += [float(x) for x in steps[lower:held]]
        kept += [(float(x), step * cost) for x in steps[held:upper]]
        stepped += [(float(x), step * cost) for x in steps[lower:upper]]

    # The sums are right, the budget is kept, and what is left out is worth less or does not fit.
    assert spent == plan["spent_integer"] <= budget
    assert plan["predicted_loss_decrease"] == pytest.approx(total, rel=tolerance)
    assert min(cost for _, cost in kept) > budget - spent
    price = plan["price"]
    assert sum(worth > price * (1 + tolerance) for worth, _ in kept) <= 1
    assert sum(worth < price * (1 - tolerance) for worth in taken) <= 5

    # The relaxed optimum by sorting is the plan's continuous answer and its dual bound.
    floors = [int(unit["lower"]) for unit in units.values()]
    left = budget - sum(
        unit["cost"] * floor for unit, floor in zip(units.values(), floors, strict=True)
    )
    relaxed = sum(
        float(decreases(tensors, name)[:floor].sum())
        for name, floor in zip(units, floors, strict=True)
    )
    for worth, cost in sorted(stepped, reverse=True):
        relaxed += worth * min(cost, left)
        left -= min(cost, left)
    certificate = plan["certificate"]
    assert -certificate["primal"] == pytest.approx(relaxed, rel=tolerance)
    assert -certificate["dual"] == pytest.approx(relaxed, rel=tolerance)
    assert relaxed - total <= certificate["integrality_gap"] + tolerance * relaxed
    assert plan["predicted_loss_decreases"]["log"] <= relaxed * (1 + tolerance)


def test_blocks_add_up_their_modules_and_full_rank_is_half_the_gain(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    plan = allocate(tmp_path / "plan.json", 1e9, "--precision", "double", "--gain", "plain")
    for unit in plan["units"]:
        assert unit["integer"] == 48
        assert unit["cost"] == sum(sum(tensors[f"{m}.gradient"].shape) for m in unit["modules"])
    gains = sum(plain(tensors, module, "kfac") for module in modules(tensors))
    assert plan["predicted_loss_decrease"] == pytest.approx(gains / 2, rel=1e-10)
    uniform = allocate(tmp_path / "uniform.json", 5 * 840 * 12, "--precision", "double")
    expected = sum(decreases(tensors, module)[:5].sum() for module in modules(tensors))
    assert uniform["predicted_loss_decreases"]["uniform"] == pytest.approx(expected, rel=1e-10)
