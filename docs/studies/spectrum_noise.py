"""What ranks chosen by spectra of noisy gradients are worth on sequences that did not choose them.

    python docs/studies/spectrum_noise.py --statistics docs/example/statistics.safetensors

Two of the four folds choose ranks and directions of every module; the mean gradient of the other
two says what the update takes away. All six ways to divide the folds, averaged. Written without
the tool's code, by the tests' numpy.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Tests" / "interoperability"))

from numpy_gains import RELATIVE, Tensors, factors, modules, read  # noqa: E402

Values = dict[str, np.ndarray]
Ranks = dict[str, int]


def whitened_folds(tensors: Tensors, module: str) -> np.ndarray:
    """L_G^-1 g_s L_A^-T of every fold s."""
    roots = [
        np.linalg.cholesky(
            factor + np.sqrt(RELATIVE) * np.trace(factor) / len(factor) * np.eye(len(factor))
        )
        for factor in factors(tensors, module)
    ]
    folds = tensors[f"{module}.gradient_folds"]
    return np.stack([np.linalg.solve(roots[1], np.linalg.solve(roots[0], x.T).T) for x in folds])


def best_first(values: Values, costs: dict[str, int], budget: float) -> Ranks:
    """Ranks by worth per cost, as long as they fit."""
    steps = [(x / costs[name], name) for name in values for x in values[name] if x > 0]
    ranks = dict.fromkeys(values, 0)
    for _, name in sorted(steps, reverse=True):
        if costs[name] <= budget:
            ranks[name] += 1
            budget -= costs[name]
    return ranks


def log_values(gain: float, count: int) -> np.ndarray:
    """q log((1 + j + 1) / (1 + j)): the log utility's step values up to a factor of all units."""
    steps = np.arange(1, count + 1)
    return gain * np.log((steps + 1) / steps)


def one_division(
    folds: Values, chosen: tuple[int, ...], costs: dict[str, int], budgets: list[float]
) -> dict[float, dict[str, float]]:
    others = [fold for fold in range(4) if fold not in chosen]
    sigma, signal, spectrum, log, uniform = {}, {}, {}, {}, {}
    for name, whitened in folds.items():
        left, values, right = np.linalg.svd(whitened[list(chosen)].mean(0), full_matrices=False)
        sigma[name] = values
        signal[name] = np.einsum("ik,ij,kj->k", left, whitened[others].mean(0), right)
        spectrum[name] = values**2 / 2
        gain = float((whitened[chosen[0]] * whitened[chosen[1]]).sum())
        log[name] = log_values(max(gain, 0), len(values))
        # Equal for all, falling from rank to rank: everyone's first rank, then the second.
        uniform[name] = costs[name] / np.arange(1, len(values) + 1)

    results: dict[float, dict[str, float]] = {}
    for budget in budgets:
        results[budget] = {}
        for name, values in (("spectrum", spectrum), ("log", log), ("uniform", uniform)):
            ranks = best_first(values, costs, budget)
            kept = [(sigma[m][: ranks[m]], signal[m][: ranks[m]]) for m in folds]
            along = sum(float((s * t).sum()) for s, t in kept)
            length = sum(float((s**2).sum()) for s, _ in kept)
            # The change at the full step and at the best common one.
            results[budget][f"{name}, full step"] = along - length / 2
            results[budget][f"{name}, best step"] = max(along, 0) ** 2 / (2 * length)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--statistics", type=Path, required=True)
    parser.add_argument("--budgets", type=float, nargs="+", default=[5e3, 2e4, 6e4, 1.2e5])
    parser.add_argument("-o", "--output", type=Path, help="the same numbers as JSON")
    options = parser.parse_args()
    tensors, _ = read(options.statistics)
    folds = {name: whitened_folds(tensors, name) for name in modules(tensors)}
    costs = {name: sum(stack.shape[1:]) for name, stack in folds.items()}
    divisions = [
        one_division(folds, chosen, costs, options.budgets)
        for chosen in itertools.combinations(range(4), 2)
    ]
    means = {
        f"{budget:.0f}": {
            key: round(float(np.mean([division[budget][key] for division in divisions])), 1)
            for key in divisions[0][budget]
        }
        for budget in options.budgets
    }
    keys = list(next(iter(means.values())))
    print("| budget | " + " | ".join(keys) + " |\n|---:" + "|---:" * len(keys) + "|")
    for budget, values in means.items():
        print(f"| {budget} | " + " | ".join(f"{values[key]:.0f}" for key in keys) + " |")
    if options.output:
        options.output.write_text(json.dumps(means, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
