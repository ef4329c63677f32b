"""The gradient that a kronfluence factors folder lacks, for exactly the modules it lists.

kronfluence stores curvature, never the mean gradient. `mean_gradient.safetensors` (key = module
name, [out, in] or with the bias as the last column) completes its folder.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from .linear_maps import LinearMap, linear_map
from .module_coverage import Coverage, natural_key, own_parameters
from .plain_errors import EXIT_DATA, EXIT_INPUT, CommandError
from .statistics_file import write_safetensors

FACTORS = ("activation_covariance", "lambda_matrix")
MEAN, FOLDS = "mean_gradient.safetensors", "gradient_folds.safetensors"


def factor_files(folder: Path) -> list[Path]:
    """The first factor that is there, whole or in parts; none for the `identity` strategy."""
    for factor in FACTORS:
        whole = folder / f"{factor}.safetensors"
        if whole.is_file():
            return [whole]
        part = re.compile(rf"{factor}_data_partition\d+_module_partition\d+\.safetensors")
        if parts := sorted(file for file in folder.iterdir() if part.fullmatch(file.name)):
            return parts
    if not (folder / "factor_arguments.json").is_file():
        raise CommandError(
            EXIT_INPUT,
            f"{folder} holds no kronfluence factors: "
            f"neither {' nor '.join(FACTORS)} nor factor_arguments.json",
        )
    return []


def listed_columns(folder: Path) -> dict[str, int] | None:
    """{module: columns of its gradient}; None where all linear modules are meant."""
    found: dict[str, int] = {}
    for file in factor_files(folder):
        try:
            with safe_open(file, framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118
                    found[name] = opened.get_slice(name).get_shape()[-1]
        except SafetensorError as error:
            raise CommandError(EXIT_DATA, f"{file} cannot be read: {error}") from None
    return found or None


def choose_listed(model: nn.Module, folder: Path) -> Coverage:
    """The linear modules that the factors list, tied and head included, as kronfluence does."""
    listed = listed_columns(folder)
    modules = dict(model.named_modules())
    if listed is None:
        wanted = [name for name, module in modules.items() if isinstance(module, nn.Linear)]
    else:
        wanted = list(listed)
    maps: dict[str, LinearMap] = {}
    for name in sorted(wanted, key=natural_key):
        module = modules.get(name)
        if not isinstance(module, nn.Linear):
            what = "the model has none of that name" if module is None else type(module).__name__
            raise CommandError(
                EXIT_DATA, f"{folder} lists {name}, which is not an nn.Linear of --model: {what}"
            )
        maps[name] = linear_map(module, own_parameters(module))
        if listed and listed[name] != maps[name].columns:
            raise CommandError(
                EXIT_DATA,
                f"{folder}: {name} has {listed[name]} columns, the model's has "
                f"{maps[name].columns} with its bias: factors of another model?",
            )
    skipped = [
        (name, own_parameters(module), "not among kronfluence's modules")
        for name, module in modules.items()
        if own_parameters(module) and name not in maps
    ]
    return Coverage(maps, skipped)


def require_all(coverage: Coverage, listed: Coverage, folder: Path) -> None:
    """A module that the factors list must be usable here too."""
    reasons = {name: reason for name, _, reason in coverage.skipped}
    for name in listed.maps:
        if name not in coverage.maps and factor_files(folder):
            raise CommandError(EXIT_DATA, f"{folder} lists {name}, but it is {reasons[name]}")


def write_gradients(
    options: argparse.Namespace, tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> list[Path]:
    """Both files; their keys are module names, without a quantity."""
    folder = options.from_kronfluence
    (folder / FOLDS).unlink(missing_ok=True)  # of an earlier run: never beside a newer mean
    written = []
    for file, quantity in ((MEAN, ".gradient"), (FOLDS, ".gradient_folds")):
        own = {
            key.removesuffix(quantity): tensor
            for key, tensor in tensors.items()
            if key.endswith(quantity)
        }
        if own:
            write_safetensors(folder / file, own, metadata)
            written.append(folder / file)
    return written
