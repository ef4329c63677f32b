"""Ranks of adapted modules under a budget of parameters; a rank costs in + out of them."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, EXIT_USAGE, CommandError
from torch import nn
from transformers.pytorch_utils import Conv1D

Ranks = tuple[int, ...]
NUMBER = re.compile(r"\.\d+\.")


@dataclasses.dataclass(frozen=True)
class Target:
    """A matrix that may get an adapter."""

    name: str
    inputs: int
    outputs: int

    @property
    def cost(self) -> int:
        """Parameters of one rank: a row of A and a column of B."""
        return self.inputs + self.outputs

    @property
    def largest_rank(self) -> int:
        """More would add parameters and no freedom."""
        return min(self.inputs, self.outputs)

    @property
    def kind(self) -> str:
        """The name without the number of its block."""
        return NUMBER.sub(".*.", self.name)


def targets_of(model: nn.Module, names: Iterable[str]) -> list[Target]:
    """The matrices the statistics know, in the model's order."""
    wanted = set(names)
    found = []
    for name, module in model.named_modules():
        if name in wanted and isinstance(module, nn.Linear):
            found.append(Target(name, module.in_features, module.out_features))
        elif name in wanted and isinstance(module, Conv1D):
            found.append(Target(name, *map(int, module.weight.shape)))
    if lost := sorted(wanted - {target.name for target in found}):
        raise CommandError(
            EXIT_DATA, f"the statistics know {lost[0]}, no linear layer of the model"
        )
    return found


def parameters(targets: Sequence[Target], ranks: Ranks) -> int:
    return sum(target.cost * rank for target, rank in zip(targets, ranks, strict=True))


def budget_of(targets: Sequence[Target], rank: float) -> int:
    """What a uniform rank costs; one between whole numbers gives a budget between theirs."""
    return math.floor(rank * sum(target.cost for target in targets))


def uniform_ranks(targets: Sequence[Target], budget: int) -> Ranks:
    """The largest rank that all modules can have; it may leave some of the budget."""
    rank = budget // sum(target.cost for target in targets)
    smallest = min(target.largest_rank for target in targets)
    if not 1 <= rank <= smallest:
        raise CommandError(
            EXIT_USAGE, f"--ranks: a uniform rank of {rank} is not within 1 ... {smallest}"
        )
    return (rank,) * len(targets)


def random_ranks(targets: Sequence[Target], budget: int, generator: torch.Generator) -> Ranks:
    """Shares drawn uniformly from all ways to share the budget, rounded down, then filled up."""
    weights = -torch.rand(len(targets), generator=generator, dtype=torch.float64).log()
    shares = (weights / weights.sum() * budget).tolist()
    ranks = [
        min(target.largest_rank, int(share / target.cost))
        for target, share in zip(targets, shares, strict=True)
    ]
    order = torch.randperm(len(targets), generator=generator).tolist()
    return filled(targets, ranks, budget, order)


def filled(
    targets: Sequence[Target], ranks: Sequence[int], budget: int, order: Sequence[int]
) -> Ranks:
    """One more rank in turn for every module that can have it, until the budget has no room."""
    found = list(ranks)
    left = budget - parameters(targets, tuple(found))
    grown = True
    while grown:
        grown = False
        for place in order:
            target = targets[place]
            if target.cost <= left and found[place] < target.largest_rank:
                found[place] += 1
                left -= target.cost
                grown = True
    return tuple(found)


def shuffled_ranks(targets: Sequence[Target], ranks: Ranks, generator: torch.Generator) -> Ranks:
    """The same ranks dealt anew among the blocks, within matrices of one kind: the same cost."""
    found = list(ranks)
    for kind in dict.fromkeys(target.kind for target in targets):
        places = [place for place, target in enumerate(targets) if target.kind == kind]
        order = torch.randperm(len(places), generator=generator).tolist()
        for place, other in zip(places, order, strict=True):
            found[place] = ranks[places[other]]
    return tuple(found)
