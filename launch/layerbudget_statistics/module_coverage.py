"""Which linear maps are covered, which modules are skipped and why, and the table that says so."""

from __future__ import annotations

import argparse
import dataclasses
import re

from torch import nn

from .linear_maps import (
    LinearMap,
    conv1d_map,
    embedding_map,
    expert_maps,
    linear_map,
    product_map,
    stacked_matrices,
)
from .plain_errors import EXIT_DATA, CommandError


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Covered maps in natural order, and rows (name, parameters, why) of the rest."""

    maps: dict[str, LinearMap]
    skipped: list[tuple[str, int, str]]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the options let be covered."""

    pattern: re.Pattern[str] | None = None
    head: bool = False
    embeddings: bool = False
    dense_factors: bool = True
    large: str = "skip"
    limit: int = 32766

    @staticmethod
    def by_options(options: argparse.Namespace) -> Wanted:
        return Wanted(
            options.modules,
            options.include_head,
            options.include_embeddings,
            "kfac" in options.collect,
            options.large_modules,
            options.large_limit,
        )

    def chosen(self, name: str) -> bool:
        return self.pattern is None or self.pattern.search(name) is not None

    def sized(self, name: str, own: LinearMap) -> LinearMap | str:
        """The map with the factors it can have, or why it is left out."""
        sides = {"A": 0 if own.diagonal_inputs else own.columns, "G": own.outputs}
        letter, side = max(sides.items(), key=lambda item: item[1])
        if not self.dense_factors or side <= self.limit:
            return own
        told = f"its {letter} would be {side} x {side}, above --large-limit {self.limit}"
        if self.large == "error":
            raise CommandError(
                EXIT_DATA, f"{name}: {told}; use --large-modules diagonal or skip, or --modules"
            )
        if self.large == "skip":
            return f"{told}: use --large-modules diagonal"
        return dataclasses.replace(
            own,
            diagonal_inputs=own.diagonal_inputs or sides["A"] > self.limit,
            diagonal_outputs=sides["G"] > self.limit,
        )


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Orders layer 2 before layer 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def own_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters(recurse=False))


def new_parameters(module: nn.Module, seen: set[int]) -> int:
    """The parameters not counted before, so that tied ones count once."""
    fresh = {
        id(own): own.numel() for own in module.parameters(recurse=False) if id(own) not in seen
    }
    seen.update(fresh)
    return sum(fresh.values())


def reason_to_skip(
    name: str, module: nn.Module, model: nn.Module, owners: dict[int, list[str]], wanted: Wanted
) -> str | None:
    """Why a module with parameters of its own is not covered; None when it is."""
    weight = getattr(module, "weight", None)
    others = [other for other in owners.get(id(weight), []) if other != name]
    if others:
        return f"its weight is tied to that of {others[0]}"
    if isinstance(module, nn.Embedding):
        if module is not model.get_input_embeddings():
            return "embedding, not that of the input tokens"
        if type(module) is not nn.Embedding:
            return f"embedding that does more than look up rows ({type(module).__name__})"
        if not wanted.embeddings:
            return "embedding: use --include-embeddings to cover it"
    elif stacked_matrices(module):
        return None  # its experts are chosen one by one
    elif not (isinstance(module, nn.Linear) or is_conv1d(module) or is_product(module)):
        return f"{type(module).__name__} is not an nn.Linear"
    elif module is model.get_output_embeddings() and not wanted.head:
        return "output head: use --include-head to cover it"
    if not wanted.chosen(name):
        return "not chosen by --modules"
    return None


def is_conv1d(module: nn.Module) -> bool:
    return type(module).__name__ == "Conv1D" and hasattr(module, "nf")


def is_product(module: nn.Module) -> bool:
    """A router, say: not a linear module, but a matrix of its own and at most a bias beside it."""
    own = dict(module.named_parameters(recurse=False))
    return "weight" in own and own["weight"].dim() == 2 and set(own) <= {"weight", "bias"}


def weight_owners(model: nn.Module) -> dict[int, list[str]]:
    """The names of the modules that hold each parameter, by the parameter's id."""
    owners: dict[int, list[str]] = {}
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            owners.setdefault(id(parameter), []).append(name)
    return owners


def maps_of(name: str, module: nn.Module, fresh: int) -> dict[str, LinearMap]:
    if stacked_matrices(module):
        return dict(expert_maps(name, module))
    if isinstance(module, nn.Linear):
        return {name: linear_map(module, fresh)}
    if isinstance(module, nn.Embedding):
        return {name: embedding_map(module, fresh)}
    return {name: conv1d_map(module, fresh) if is_conv1d(module) else product_map(module, fresh)}


def choose_modules(model: nn.Module, wanted: Wanted) -> Coverage:
    owners = weight_owners(model)
    covered: dict[str, LinearMap] = {}
    skipped: list[tuple[str, int, str]] = []
    seen: set[int] = set()
    for name, module in sorted(model.named_modules(), key=lambda item: natural_key(item[0])):
        if own_parameters(module) == 0:
            continue
        fresh = new_parameters(module, seen)
        if reason := reason_to_skip(name, module, model, owners, wanted):
            skipped.append((name, fresh, reason))
            continue
        maps = maps_of(name, module, fresh)
        if rest := fresh - sum(own.parameters for own in maps.values()):
            skipped.append((name, rest, f"other parameters of {type(module).__name__}"))
        for map_name, own in maps.items():
            if not wanted.chosen(map_name):
                skipped.append((map_name, own.parameters, "not chosen by --modules"))
            elif isinstance(sized := wanted.sized(map_name, own), str):
                skipped.append((map_name, own.parameters, sized))
            else:
                covered[map_name] = sized
    ordered = sorted(covered.items(), key=lambda item: natural_key(item[0]))
    return Coverage(dict(ordered), skipped)
