"""One model in memory that takes the weights of one pruned folder after the other."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from safetensors.torch import load_file
from torch import nn

from .plans import matrix_of


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = {}
    for file in sorted(folder.glob("*.safetensors")):
        found |= load_file(file)
    return found


def take_weights(model: nn.Module, folder: Path) -> None:
    """Every parameter of the model comes from the folder, and every tensor there has a place."""
    found = model.load_state_dict(read_weights(folder), strict=False)
    stored = {id(value) for name, value in named(model) if name not in found.missing_keys}
    lost = [name for name, value in named(model) if id(value) not in stored]  # not merely tied
    if wrong := [*lost, *found.unexpected_keys]:
        raise CommandError(EXIT_DATA, f"{folder} and the model disagree on {wrong[0]}")


def named(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return list(model.named_parameters(remove_duplicate=False))


def zeros_in(model: nn.Module, modules: Iterable[str]) -> int:
    return sum(int((matrix_of(model, name) == 0).sum()) for name in modules)
