"""What a script would do: the price of a capacity program by scipy and by cvxpy.

min Σ a x − γ q log(1 + x)  subject to  Σ c x ≤ B,  0 ≤ x ≤ u, with a = c/2 and γ = 1.

Run:  python docs/studies/price_search.py [--units 100 1000 10000] [--cvxpy-most 10000]
Prints one JSON line per number of units. Qualities spread over four decades, a third of the units
has an upper bound: programs like those of `layerbudget-bench price`, with other random numbers.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Program:
    """Qualities, costs, upper bounds and the budget."""

    quality: Numbers
    cost: Numbers
    upper: Numbers
    budget: float

    @classmethod
    def random(cls, units: int, seed: int) -> Program:
        draws = np.random.default_rng(seed)
        bell = draws.uniform(-0.5, 0.5, (units, 6)).sum(axis=1)
        upper = np.where(draws.random(units) < 0.3, draws.uniform(0, 8, units), np.inf)
        return cls(4 * np.exp(3 * bell), draws.uniform(0.5, 2, units), upper, 2.0 * units)

    def capacities(self, price: float) -> Numbers:
        return np.clip(self.quality / ((0.5 + price) * self.cost) - 1, 0, self.upper)

    def excess(self, price: float) -> float:
        return float(self.cost @ self.capacities(price)) - self.budget

    def highest_price(self) -> float:
        return float((self.quality / self.cost).max())


def solved_by_brentq(program: Program) -> tuple[float, int]:
    """The price as near as brentq goes, and how many demands it evaluated."""
    price, facts = brentq(
        program.excess, 0.0, program.highest_price(), xtol=1e-300, rtol=8.9e-16, full_output=True
    )
    return price, facts.function_calls


def solved_by_cvxpy(program: Program) -> float | None:
    """The dual value of the budget; nothing where the solver gives up."""
    import cvxpy

    capacity = cvxpy.Variable(program.cost.size)
    budget = program.cost @ capacity <= program.budget
    bounded = np.flatnonzero(np.isfinite(program.upper))
    problem = cvxpy.Problem(
        cvxpy.Minimize(0.5 * program.cost @ capacity - program.quality @ cvxpy.log(1 + capacity)),
        [budget, capacity >= 0, capacity[bounded] <= program.upper[bounded]],
    )
    try:
        problem.solve()
    except cvxpy.error.SolverError:
        return None
    return float(budget.dual_value)


def exact_neighbours(program: Program, price: float) -> int:
    """How many doubles brentq's price is away from the first at which numpy's sum fits.

    numpy's sums are rounded, so this double depends on the order of the units.
    """
    steps = 0
    while program.excess(price) > 0 and steps < 1000:
        price = float(np.nextafter(price, np.inf))
        steps += 1
    while program.excess(float(np.nextafter(price, 0))) <= 0 and steps < 1000:
        price = float(np.nextafter(price, 0))
        steps += 1
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, nargs="+", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--cvxpy-most", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for units in options.units:
        program = Program.random(units, options.seed)
        walls: list[float] = []
        processors: list[float] = []
        readings: list[float] = []
        for _ in range(options.repeats):
            began, used = time.perf_counter(), time.process_time()
            price, calls = solved_by_brentq(program)
            walls.append(time.perf_counter() - began)
            processors.append(time.process_time() - used)
            used = time.process_time()
            for numbers in (program.quality, program.cost, program.upper):
                numbers.max()
            readings.append(time.process_time() - used)
        line: dict[str, float | None] = {
            "units": units,
            "brentq_price": price,
            "brentq_demands": calls,
            "brentq_seconds": float(np.median(walls)),
            "brentq_processor_seconds": float(np.median(processors)),
            "numpy_reading_processor_seconds": float(np.median(readings)),
            "brentq_doubles_off": exact_neighbours(program, price),
        }
        if units <= options.cvxpy_most:
            began, used = time.perf_counter(), time.process_time()
            other = solved_by_cvxpy(program)
            line["cvxpy_seconds"] = time.perf_counter() - began
            line["cvxpy_processor_seconds"] = time.process_time() - used
            line["cvxpy_relative_error"] = None if other is None else abs(other - price) / price
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
