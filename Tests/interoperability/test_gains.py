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
from safetensors import safe_open

REPOSITORY = Path(__file__).resolve().parents[2]
STATISTICS = REPOSITORY / "docs" / "example" / "statistics.safetensors"
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))

Tensors = dict[str, np.ndarray]


def read(path: Path) -> tuple[Tensors, dict[str, str]]:
    """All tensors in float64, aliases resolved, and the metadata."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        names = file.keys()
        tensors = {name: file.get_tensor(name).astype(np.float64) for name in names}
    for alias, stored in json.loads(metadata.get("alias", "{}")).items():
        tensors[alias] = tensors[stored]
    return tensors, metadata


def modules(tensors: Tensors) -> list[str]:
    return sorted(key.removesuffix(".gradient") for key in tensors if key.endswith(".gradient"))


def score(path: Path, output: Path, *options: str) -> dict[str, float]:
    """Gain per module as the command computes it."""
    subprocess.run(
        [TOOL, "score", "--statistics", str(path), "--group-by", "module", "--quiet"]
        + ["-o", str(output), *options],
        check=True,
    )
    return {unit["name"]: unit["gain"] for unit in json.loads(output.read_text())["units"]}


def kfac(tensors: Tensors, module: str, relative: float) -> float:
    """tr(W^T (G + s_G I)^-1 W (A + s_A I)^-1) by two dense solves."""
    w = tensors[f"{module}.gradient"]
    a = tensors[f"{module}.activation_covariance"]
    g = tensors[f"{module}.gradient_covariance"]
    root = np.sqrt(relative)
    left = np.linalg.solve(g + root * np.trace(g) / len(g) * np.eye(len(g)), w)
    right = np.linalg.solve(a + root * np.trace(a) / len(a) * np.eye(len(a)), w.T).T
    return float(np.sum(left * right))


def kfac_cross_fitted(tensors: Tensors, module: str, relative: float) -> float:
    """Mean over pairs s != t of <g_s, (G + s_G I)^-1 g_t (A + s_A I)^-1>, by dense solves."""
    folds = tensors[f"{module}.gradient_folds"]
    a = tensors[f"{module}.activation_covariance"]
    g = tensors[f"{module}.gradient_covariance"]
    root = np.sqrt(relative)
    damped_g = g + root * np.trace(g) / len(g) * np.eye(len(g))
    damped_a = a + root * np.trace(a) / len(a) * np.eye(len(a))
    solved = [np.linalg.solve(damped_a, np.linalg.solve(damped_g, fold).T).T for fold in folds]
    pairs = [
        np.sum(folds[s] * solved[t])
        for s in range(len(folds))
        for t in range(len(folds))
        if s != t
    ]
    return float(np.mean(pairs))


def diagonal(tensors: Tensors, module: str, relative: float) -> float:
    w = tensors[f"{module}.gradient"]
    fisher = tensors[f"{module}.fisher_diagonal"]
    return float(np.sum(w * w / (fisher + relative * fisher.mean())))


@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-11), ("single", 1e-4)])
def test_kfac_gains_of_the_example(tmp_path: Path, precision: str, tolerance: float) -> None:
    tensors, _ = read(STATISTICS)
    gains = score(STATISTICS, tmp_path / "scores.json", "--precision", precision, "--gain", "plain")
    assert len(gains) == 84
    for module in modules(tensors):
        assert gains[module] == pytest.approx(kfac(tensors, module, 0.1), rel=tolerance)


def test_cross_fitted_gains_of_the_example(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    gains = score(STATISTICS, tmp_path / "scores.json", "--precision", "double")
    for module in modules(tensors):
        expected = max(kfac_cross_fitted(tensors, module, 0.1), 0)
        assert gains[module] == pytest.approx(expected, rel=1e-10)


def test_diagonal_gains_of_the_example(tmp_path: Path) -> None:
    tensors, _ = read(STATISTICS)
    options = ("--curvature", "diagonal", "--gain", "plain")
    gains = score(STATISTICS, tmp_path / "scores.json", *options)
    for module in modules(tensors):
        assert gains[module] == pytest.approx(diagonal(tensors, module, 0.1), rel=1e-11)


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
