"""Gains and plans of the built command against float64 numpy, on real statistics.

The command's path comes from LAYERBUDGET (default: the debug build). Nothing is shared with the
Swift code: factors are read by the safetensors package and solved by numpy.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy_gains import cross_fitted, modules, plain, read

REPOSITORY = Path(__file__).resolve().parents[2]
STATISTICS = REPOSITORY / "docs" / "example" / "statistics.safetensors"
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))


def score(path: Path, output: Path, *options: str) -> dict[str, float]:
    """Gain per module as the command computes it."""
    subprocess.run(
        [TOOL, "score", "--statistics", str(path), "--group-by", "module", "--quiet"]
        + ["-o", str(output), *options],
        check=True,
    )
    return {unit["name"]: unit["gain"] for unit in json.loads(output.read_text())["units"]}


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-11), ("single", 1e-4)])
def test_kfac_gains_of_the_example(tmp_path: Path, precision: str, tolerance: float) -> None:
    tensors, _ = read(STATISTICS)
    gains = score(STATISTICS, tmp_path / "scores.json", "--precision", precision, "--gain", "plain")
    assert len(gains) == 84
    for module in modules(tensors):
        assert gains[module] == pytest.approx(plain(tensors, module, "kfac"), rel=tolerance)


def test_cross_fitted_gains_of_the_example(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    gains = score(STATISTICS, tmp_path / "scores.json", "--precision", "double")
    for module in modules(tensors):
        expected = max(cross_fitted(tensors, module, "kfac")[0], 0)
        assert gains[module] == pytest.approx(expected, rel=1e-10)


def test_diagonal_gains_of_the_example(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    options = ("--curvature", "diagonal", "--gain", "plain")
    gains = score(STATISTICS, tmp_path / "scores.json", *options)
    for module in modules(tensors):
        assert gains[module] == pytest.approx(plain(tensors, module, "diagonal"), rel=1e-11)


def test_exactly_damped_gains_of_the_example(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    options = ("--curvature", "kronecker", "--gain", "plain", "--precision", "double")
    gains = score(STATISTICS, tmp_path / "scores.json", *options)
    for module in modules(tensors):
        assert gains[module] == pytest.approx(plain(tensors, module, "kronecker"), rel=1e-10)


def test_identity_gains_are_the_squared_gradient_norm(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    options = ("--curvature", "identity", "--gain", "plain")
    gains = score(STATISTICS, tmp_path / "scores.json", *options)
    for module in modules(tensors):
        expected = float(np.sum(tensors[f"{module}.gradient"] ** 2))
        assert gains[module] == pytest.approx(expected, rel=1e-12)


def test_capacity_plan_against_a_root_finder(tmp_path: Path) -> None:
    """The price found by an independent bisection on the real line, to rounding."""
    scores, plan = tmp_path / "scores.json", tmp_path / "plan.json"
    gains = np.array(list(score(STATISTICS, scores).values()))
    subprocess.run(
        [TOOL, "allocate", "--scores", str(scores), "--budget", "500", "--gamma", "20"]
        + ["-o", str(plan), "--quiet"],
        check=True,
    )
    quality = gains / gains.mean()

    def capacity(price: float) -> np.ndarray:
        return np.maximum(20 * quality / (0.5 + price) - 1, 0)

    low, high = 0.0, 1000.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if capacity(middle).sum() > 500 else (low, middle)
    document = json.loads(plan.read_text())
    assert document["price"] == pytest.approx(high, rel=1e-12)
    ours = [unit["continuous"] for unit in document["units"]]
    assert ours == pytest.approx(list(capacity(high)), rel=1e-10, abs=1e-12)
