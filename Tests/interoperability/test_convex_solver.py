"""The closed forms against a general convex solver that knows the objective and nothing else.

SciPy's SLSQP gets objective, gradient, bounds and the budget of small random problems, written here
from docs/theory/programs.md. The command's answer must be feasible, must not cost more than the
solver's, and must lie where the solver's does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from apply_runs import tool
from scipy.optimize import minimize

Vector = np.ndarray
# SLSQP ends some 1e-9 from the optimum, where the objective is flat to 1e-15.
NEAR, NO_WORSE = 1e-3, 1e-6


@dataclass(frozen=True)
class Problem:
    """min f(x) with lower ≤ x ≤ upper and c·x ≤ budget, or = budget."""

    value: Callable[[Vector], float]
    slope: Callable[[Vector], Vector]
    costs: Vector
    budget: float
    lower: Vector
    upper: Vector
    equality: bool

    def solved(self) -> Vector:
        """By SLSQP, from a point between the bounds that spends what may be spent."""
        floor = self.costs @ self.lower
        room = self.costs @ (self.upper - self.lower)
        share = min((self.budget - floor) / room, 1) * (1 if self.equality else 0.9)
        start = self.lower + share * (self.upper - self.lower)
        scale = max(abs(self.value(start)), 1)
        spent = {
            "type": "eq" if self.equality else "ineq",
            "fun": lambda x: 1 - self.costs @ x / self.budget,
            "jac": lambda x: -self.costs / self.budget,
        }
        found = minimize(
            lambda x: self.value(x) / scale,
            start,
            jac=lambda x: self.slope(x) / scale,
            bounds=list(zip(self.lower, self.upper, strict=True)),
            constraints=[spent],
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 2000},
        )
        answer = np.clip(found.x, self.lower, self.upper)
        # Mode 8: no descent left at this precision.
        assert found.status in (0, 8), found.message
        assert self.costs @ answer <= self.budget * (1 + 1e-7)
        return answer

    def check(self, ours: Vector) -> None:
        assert (ours >= self.lower).all() and (ours <= self.upper).all()
        spent = self.costs @ ours
        assert spent <= self.budget * (1 + 1e-12)
        if self.equality:
            assert spent == pytest.approx(self.budget, rel=1e-9)
        theirs = self.solved()
        best = self.value(theirs)
        assert self.value(ours) <= best + NO_WORSE * max(abs(best), 1e-3)
        assert ours == pytest.approx(theirs, rel=NEAR, abs=NEAR * np.abs(theirs).max())


def write_table(path: Path, header: str, *columns: Vector) -> Path:
    rows = (
        ",".join([f"layers.{k}", *("" if np.isnan(x) else repr(float(x)) for x in row)])
        for k, row in enumerate(zip(*columns, strict=True))
    )
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def some(random: np.random.Generator, values: Vector, share: float) -> Vector:
    """The values with some left empty."""
    return np.where(random.random(len(values)) < share, values, np.nan)


def plan(folder: Path, *arguments: object) -> dict:
    output = folder / "plan.json"
    done = tool(*arguments, "--normalize", "none", "-o", output, "--quiet")
    assert done.returncode == 0, done.stderr
    return json.loads(output.read_text())


def unit_values(document: dict, field: str) -> Vector:
    return np.array([unit[field] for unit in document["units"]])


@pytest.mark.parametrize("seed", range(32))
def test_capacity(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(3, 9))
    quality = np.exp(random.uniform(-1.5, 1.5, count))
    costs = np.exp(random.uniform(-1, 1, count))
    lower = some(random, random.uniform(0, 1.5, count), 0.5)
    upper = some(random, random.uniform(2, 6, count), 0.6)
    alphas, factors = np.full(count, np.nan), np.full(count, np.nan)
    if seed % 2:
        alphas = some(random, random.uniform(0.05, 2, count), 0.6)
        factors = some(random, random.uniform(0.2, 3, count), 0.6)
    alpha, beta, offset = random.uniform(0.1, 1), random.choice([0.5, 1.0, 2.0]), 0.7
    per, spend = random.choice(["cost", "slot"]), random.choice(["as-priced", "as-priced", "all"])
    budget = float(costs @ np.nan_to_num(lower) + count * random.uniform(0.7, 3))
    # log, or a power: every second seed of either kind has units with numbers of their own.
    theta = random.uniform(0.15, 0.85) if seed % 4 > 1 else None
    utility = "log" if theta is None else f"power:{theta}"
    gamma = "auto" if random.random() < 0.6 else random.uniform(0.5, 4)

    document = plan(
        *(tmp_path, "allocate", "--budget", budget),
        *("--scores", write_table(tmp_path / "scores.csv", "name,gain", quality)),
        *("--cost", write_table(tmp_path / "costs.csv", "name,cost", costs)),
        *("--bounds", write_table(tmp_path / "bounds.csv", "name,lower,upper", lower, upper)),
        *("--program", write_table(tmp_path / "own.csv", "name,alpha,gamma", alphas, factors)),
        *("--alpha", alpha, "--alpha-per", per, "--beta", beta, "--offset", offset),
        *("--gamma", gamma, "--spend", spend, "--utility", utility),
    )

    # The same program, from the text.
    lower = np.nan_to_num(lower)
    # No bound is one that the budget cannot reach.
    upper = np.where(np.isnan(upper), 1.1 * (budget - costs @ lower) / costs + lower, upper)
    running = np.where(np.isnan(alphas), alpha, alphas) * (costs if per == "cost" else 1)
    shape = np.where(np.isnan(factors), 1, factors) * quality**beta
    used = document["parameters"]["gamma"]
    weight = used * shape
    if gamma == "auto":
        best = (running / weight) ** (1 / ((theta or 0) - 1)) - offset
        wanted = np.clip(best, lower, unit_uppers(document))
        reachable = costs @ unit_uppers(document)
        assert costs @ wanted == pytest.approx(min(1.25 * budget, reachable), rel=1e-9)
    assert document["parameters"]["utility"] == utility

    def worth(x: Vector) -> Vector:
        return np.log(offset + x) if theta is None else (offset + x) ** theta / theta

    equality = spend == "all" and costs @ upper > budget
    problem = Problem(
        value=lambda x: float(running @ x - weight @ worth(x)),
        slope=lambda x: running - weight * (offset + x) ** ((theta or 0) - 1),
        costs=costs,
        budget=budget,
        lower=lower,
        upper=upper,
        equality=equality,
    )
    ours = unit_values(document, "continuous")
    if spend == "all" and not equality:
        assert (ours == upper).all()
        return
    problem.check(ours)
    assert document["certificate"]["primal"] == pytest.approx(problem.value(ours), rel=1e-9)


def unit_uppers(document: dict) -> Vector:
    return np.array(
        [np.inf if unit["upper"] is None else unit["upper"] for unit in document["units"]]
    )


@pytest.mark.parametrize("psi", ["quadratic", "log"])
@pytest.mark.parametrize("damage", ["per-unit", "per-weight"])
@pytest.mark.parametrize("seed", range(5))
def test_pruning(tmp_path: Path, psi: str, damage: str, seed: int) -> None:
    random = np.random.default_rng(100 + seed)
    count = int(random.integers(3, 9))
    quality = np.exp(random.uniform(-1.5, 1.5, count))
    weights = random.integers(500, 3000, count).astype(float)
    lower = some(random, random.uniform(0, 0.25, count), 0.5)
    upper = some(random, random.uniform(0.6, 0.9, count), 0.8)
    sparsity = random.uniform(0.3, 0.55)
    eta, kappa = random.uniform(0.5, 4), random.choice([0.5, 1.0, 2.0])
    prior = random.choice([0.0, 1.0, -2.0]) / (1 if damage == "per-weight" else 1000)

    document = plan(
        *(tmp_path, "prune", "--sparsity", sparsity, "--quality", "gain", "--psi", psi),
        "--scores",
        write_table(tmp_path / "scores.csv", "name,gain,parameters", quality, weights),
        *("--bounds", write_table(tmp_path / "bounds.csv", "name,lower,upper", lower, upper)),
        *("--max", 0.95, "--damage", damage, "--eta", eta, "--kappa", kappa),
        *("--depth-prior", prior),
    )

    lower = np.nan_to_num(lower)
    upper = np.where(np.isnan(upper), 0.95, upper)
    depth = np.linspace(0.5, -0.5, count)
    resistance = eta * quality**kappa * (weights if damage == "per-weight" else 1)
    reward = prior * depth * weights

    # The constant b S is left out: it would hide the rest.
    def value(share: Vector) -> float:
        damages = share**2 if psi == "quadratic" else -np.log1p(-share)
        return float(resistance @ damages - reward @ share)

    def slope(share: Vector) -> Vector:
        return resistance * (2 * share if psi == "quadratic" else 1 / (1 - share)) - reward

    target = float(round(sparsity * weights.sum()))
    assert document["budget"] == target
    problem = Problem(value, slope, weights, target, lower, upper, equality=True)
    ours = unit_values(document, "continuous")
    problem.check(ours)
    b = document["parameters"]["b"]
    primal = document["certificate"]["primal"]
    assert primal + b * (weights @ ours) == pytest.approx(
        problem.value(ours), rel=1e-9, abs=1e-12 * b * target
    )
