"""The layer allocations that are compared, and in which order."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

KAPPAS = (0.125, 0.25, 0.5, 1.0, 2.0)
SHAPES = ("quadratic", "log")
DAMAGES = ("per-unit", "per-weight")
GAINS = ("plain", "cross-fitted")
REACHES = (0.1, 0.2)
GROUPS = ("block", "module")
GENTLE = 0.25


@dataclasses.dataclass(frozen=True)
class Allocation:
    """One way to share the weights to remove among the units; None where it has no meaning.

    `rule`: uniform, owl, alphapruning; or what q is made of: gradient-norm, mean-curvature, gain,
    damage, or the name of scores that were given; or measured, whose cost is the second-order
    damage of every single weight. `reach` is how far a unit's share may be from S; without it only
    the largest share is bounded.
    """

    rule: str
    group: str = "block"
    curvature: str | None = None
    kappa: float | None = None
    psi: str | None = None
    damage: str | None = None
    per_parameter: bool | None = None
    gain: str | None = None
    reach: float | None = None

    @property
    def label(self) -> str:
        """All that is set, in words that serve as a file name too."""
        words = [
            str(value)
            for name, value in dataclasses.asdict(self).items()
            if value is not None and name not in ("kappa", "per_parameter", "reach")
        ]
        if self.kappa is not None:
            words.append(f"kappa-{self.kappa:g}")
        if self.per_parameter:
            words.append("per-parameter")
        if self.reach is not None:
            words.append(f"reach-{self.reach:g}")
        return "_".join(words)


def closed_forms(
    rule: str,
    curvatures: Sequence[str | None],
    *,
    kappas: Sequence[float] = KAPPAS,
    shapes: Sequence[str] = SHAPES,
    damages: Sequence[str] = ("per-unit",),
    per_parameter: Sequence[bool | None] = (False,),
    gains: Sequence[str | None] = (None,),
    group: str = "block",
) -> Iterator[Allocation]:
    for values in itertools.product(curvatures, kappas, shapes, damages, per_parameter, gains):
        yield Allocation(rule, group, *values)


def contenders(more_kinds: Sequence[str] = ()) -> list[Allocation]:
    """What every grid begins with: uniform first, as all differences are to it."""
    kinds = ("kfac", "diagonal", *more_kinds)
    paper = {"kappas": (1.0,), "shapes": ("quadratic",)}
    return [
        Allocation("uniform"),
        Allocation("owl"),
        Allocation("alphapruning"),
        *(Allocation("measured", "block", kind) for kind in kinds),
        *closed_forms(
            "gradient-norm", ("identity",), per_parameter=(True,), gains=("plain",), **paper
        ),
        *closed_forms("gain", ("kfac",), gains=("cross-fitted",), **paper),
        *closed_forms("damage", ("kfac",), **paper),
        *(one for rule in ("damage", "gain", "mean-curvature") for one in gentle(rule)),
        Allocation("uniform", "module"),
        *(Allocation("measured", "module", kind) for kind in kinds),
        *(Allocation("measured", group, "kfac", reach=REACHES[0]) for group in GROUPS),
    ]


def gentle(rule: str) -> Iterator[Allocation]:
    """A closed form that keeps the shares of units close to one another."""
    curvature = None if rule == "mean-curvature" else "kfac"
    per_parameter = None if rule == "mean-curvature" else False
    gain = "cross-fitted" if rule == "gain" else None
    return closed_forms(
        rule, (curvature,), kappas=(GENTLE,), per_parameter=(per_parameter,), gains=(gain,)
    )


def small(more_kinds: Sequence[str] = ()) -> list[Allocation]:
    return [
        *contenders(more_kinds),
        *closed_forms("damage", ("kfac", "diagonal")),
        *closed_forms("gain", ("kfac",), gains=("cross-fitted",)),
        *closed_forms("gain", ("kfac",), gains=("plain",), kappas=(0.5, 1.0)),
        *closed_forms("mean-curvature", (None,), per_parameter=(None,)),
        *closed_forms("gradient-norm", ("identity",), per_parameter=(True,), gains=("plain",)),
        *(Allocation("measured", group, "kfac", reach=REACHES[1]) for group in GROUPS),
    ]


def full(more_kinds: Sequence[str] = ()) -> list[Allocation]:
    """Every combination over blocks; over modules those of K-FAC, where unit sizes differ."""
    kinds = ("kfac", "kronecker", "diagonal", *more_kinds)
    both: dict[str, Sequence] = {"damages": DAMAGES, "per_parameter": (False, True)}
    return [
        *small(more_kinds),
        *closed_forms("gain", kinds, gains=GAINS, **both),
        *closed_forms("damage", kinds, **both),
        *closed_forms("mean-curvature", (None,), damages=DAMAGES, per_parameter=(None,)),
        *closed_forms(
            "gradient-norm", ("identity",), damages=DAMAGES, per_parameter=(True,), gains=GAINS
        ),
        *closed_forms("gain", ("kfac",), gains=("cross-fitted",), group="module", **both),
        *closed_forms("damage", ("kfac",), group="module", **both),
    ]


GRIDS = {"contenders": contenders, "small": small, "full": full}


def allocations_of(
    grid: str, more_kinds: Sequence[str] = (), scores: Sequence[str] = ()
) -> list[Allocation]:
    """Each once, the contenders first; `scores` are rules whose qualities come from a file."""
    kappas = (GENTLE, 2 * GENTLE) if grid == "contenders" else KAPPAS
    given = [
        one
        for name in scores
        for one in closed_forms(name, (None,), kappas=kappas, per_parameter=(None,))
    ]
    return list(dict.fromkeys([*contenders(more_kinds), *given, *GRIDS[grid](more_kinds)]))
