"""The rank allocations that are compared, and in which order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

PLANNED_RULES = ("gain", "gradient-norm", "spectrum")  # by the tool


@dataclasses.dataclass(frozen=True)
class Allocation:
    """One way to share the budget among the modules; None where it has no meaning.

    `rule`: uniform; gain and gradient-norm by `layerbudget allocate` with the log utility; spectrum
    by its `--utility spectrum`; eva and adalora, the ranks those methods end with; random;
    shuffled, the first gain plan dealt anew among the blocks. `least` is the plan's smallest rank.
    `training`: ordinary LoRA; eva, LoRA begun with EVA's directions; adalora, by its own rule; or
    again, ordinary with other first weights: what differs by chance alone.
    """

    rule: str
    curvature: str | None = None
    gain: str | None = None
    beta: float | None = None
    least: int | None = None
    training: str = "ordinary"

    @property
    def label(self) -> str:
        words = [self.rule, self.curvature, self.gain]
        found = [word for word in words if word]
        found += [f"beta-{self.beta:g}"] if self.beta is not None else []
        found += [f"least-{self.least}"] if self.least else []
        found += [self.training] if self.training != "ordinary" else []
        return "_".join(found)


UNIFORM = Allocation("uniform")
FIRST_GAIN = Allocation("gain", "kfac", "cross-fitted", 1.0)


def contenders() -> list[Allocation]:
    """Uniform first, as all differences are to it."""
    return [
        UNIFORM,
        FIRST_GAIN,
        Allocation("eva", training="eva"),
        Allocation("eva"),
        dataclasses.replace(FIRST_GAIN, beta=0.5),
        Allocation("adalora", training="adalora"),
        Allocation("random"),
        Allocation("gradient-norm", "identity", "plain", 1.0),
        Allocation("gain", "kfac", "plain", 1.0),
    ]


def full() -> list[Allocation]:
    return [
        *contenders(),
        dataclasses.replace(UNIFORM, training="again"),
        dataclasses.replace(UNIFORM, training="eva"),
        Allocation("adalora"),
        Allocation("shuffled"),
        Allocation("gain", "kfac", "plain", 0.5),
        Allocation("gradient-norm", "identity", "plain", 0.5),
        dataclasses.replace(FIRST_GAIN, least=1),
    ]


def spectrum() -> list[Allocation]:
    return [UNIFORM, *spectra()]


def spectra() -> Iterator[Allocation]:
    """Singular values of the mean gradient itself: no rule of gains has a part in them."""
    for curvature in ("kfac", "identity"):
        yield Allocation("spectrum", curvature)


def only_uniform() -> list[Allocation]:
    """To choose a learning rate by."""
    return [UNIFORM]


def first() -> list[Allocation]:
    """The least that says something."""
    return [UNIFORM, FIRST_GAIN]


def controls() -> list[Allocation]:
    """What differs by chance, and what the blocks alone are worth."""
    return [UNIFORM, dataclasses.replace(UNIFORM, training="again"), Allocation("shuffled")]


def only_adalora() -> list[Allocation]:
    """Its singular values begin at 0, so it may want a larger learning rate than the others."""
    return [UNIFORM, Allocation("adalora", training="adalora")]


GRIDS = {
    "uniform": only_uniform,
    "adalora": only_adalora,
    "first": first,
    "controls": controls,
    "contenders": contenders,
    "full": full,
    "spectrum": spectrum,
}


def allocations_of(grids: Sequence[str]) -> list[Allocation]:
    return list(dict.fromkeys(one for grid in grids for one in GRIDS[grid]()))
