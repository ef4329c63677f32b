"""Which modules are covered, which are skipped and why, and the table that says so."""

from __future__ import annotations

import argparse
import dataclasses
import re

from torch import nn


@dataclasses.dataclass(frozen=True)
class Coverage:
    """Covered modules in natural order, and rows (name, parameters, why) of the rest."""

    modules: dict[str, nn.Linear]
    skipped: list[tuple[str, int, str]]


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
    name: str,
    module: nn.Module,
    model: nn.Module,
    owners: dict[int, int],
    options: argparse.Namespace,
) -> str | None:
    """Why a module with parameters of its own is not covered; None when it is."""
    if isinstance(module, nn.Embedding):
        return "embedding: its curvature is vocabulary-sized"
    if type(module).__name__ == "Conv1D":
        return "Conv1D (GPT-2) is not supported yet: convert it to nn.Linear"
    if not isinstance(module, nn.Linear):
        return f"{type(module).__name__} is not an nn.Linear"
    if owners[id(module.weight)] > 1:
        return "its weight is tied to another module's"
    if module is model.get_output_embeddings() and not options.include_head:
        return "output head: use --include-head to cover it"
    if options.modules and not options.modules.search(name):
        return "not chosen by --modules"
    return None


def weight_owners(model: nn.Module) -> dict[int, int]:
    """How many modules hold each parameter, by the parameter's id."""
    owners: dict[int, int] = {}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            owners[id(parameter)] = owners.get(id(parameter), 0) + 1
    return owners


def choose_modules(model: nn.Module, options: argparse.Namespace) -> Coverage:
    owners = weight_owners(model)
    covered: dict[str, nn.Linear] = {}
    skipped: list[tuple[str, int, str]] = []
    seen: set[int] = set()
    for name, module in sorted(model.named_modules(), key=lambda item: natural_key(item[0])):
        if own_parameters(module) == 0:
            continue
        reason = reason_to_skip(name, module, model, owners, options)
        if reason is None:
            covered[name] = module
        else:
            skipped.append((name, new_parameters(module, seen), reason))
    return Coverage(covered, skipped)


def pattern_of(name: str) -> str:
    """'model.layers.3.mlp' as 'model.layers.*.mlp', to fold equal rows of the table together."""
    return re.sub(r"(?<=\.)\d+(?=\.|$)", "*", name)


def print_coverage(coverage: Coverage) -> None:
    """What is covered, what is not and why, with each row's share of all parameters."""
    rows: dict[tuple[str, str], list[int]] = {}
    for name, module in coverage.modules.items():
        shape = f"covered [{module.out_features}, {module.in_features}]" + (
            " and bias" * (module.bias is not None)
        )
        rows.setdefault((pattern_of(name), shape), []).append(own_parameters(module))
    for name, parameters, reason in coverage.skipped:
        rows.setdefault((pattern_of(name), f"skipped: {reason}"), []).append(parameters)
    total = sum(map(sum, rows.values()))
    width = max(len(name) for name, _ in rows)
    print(f"{'module':{width}}  count  parameters   share  ")
    for (name, what), sizes in rows.items():
        print(
            f"{name:{width}}  {len(sizes):5d}  {sum(sizes):10d}  {sum(sizes) / total:6.2%}  {what}"
        )
    covered = sum(map(own_parameters, coverage.modules.values()))
    print(
        f"covered: {len(coverage.modules)} modules, {covered} of {total} parameters "
        f"({covered / total:.1%})"
    )
