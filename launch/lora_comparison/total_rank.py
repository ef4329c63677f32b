"""The budget of EVA and AdaLoRA is a number of ranks: the largest whose parameters fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError

from .ranks import Ranks

Result = TypeVar("Result")
ATTEMPTS = 6
WELL_USED = 0.97  # of the budget; with less used, one larger number is tried


def spread(total: int, count: int) -> Ranks:
    """Whole ranks that add up to `total`, as equal as can be, the larger ones spread evenly."""
    return tuple((place + 1) * total // count - place * total // count for place in range(count))


def fitted(
    budget: int, start: int, attempt: Callable[[int], tuple[int, Result]]
) -> tuple[int, Result]:
    """The parameters and the result of the best attempt; never above the budget.

    Which modules get the ranks, and so what they cost, is known only afterwards.
    """
    within: tuple[int, int] | None = None  # the largest number that fitted, and its cost
    above: tuple[int, int] | None = None
    best: Result | None = None
    total = start
    for _ in range(ATTEMPTS):
        cost, result = attempt(total)
        if cost > budget:
            above = (total, cost)
        elif within is None or cost > within[1]:
            within, best = (total, cost), result
        if within and within[1] >= WELL_USED * budget:
            break
        total = next_total(budget, within, above)
        if within and (total <= within[0] or (above and total >= above[0])):
            break
    if within is None or best is None:
        raise CommandError(EXIT_DATA, f"{ATTEMPTS} numbers of ranks were all above {budget}")
    return within[1], best


def next_total(budget: int, within: tuple[int, int] | None, above: tuple[int, int] | None) -> int:
    """In proportion from one attempt, on the line between two."""
    if within and above:
        (low, low_cost), (high, high_cost) = within, above
        return low + (high - low) * (budget - low_cost) // max(1, high_cost - low_cost)
    total, cost = within or above or (1, 1)
    grown = total * budget // max(1, cost)
    return grown if within else min(total - 1, grown)
