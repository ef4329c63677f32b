"""g^T H^-1 g of every module, by kronfluence's own loading, preparing and preconditioning."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer
from kronfluence.arguments import ScoreArguments
from kronfluence.module.tracked_module import ModuleMode, TrackedModule
from kronfluence.module.utils import (
    prepare_modules,
    set_factors,
    set_mode,
    update_factor_args,
    update_score_args,
)
from kronfluence.utils.constants import (
    ACCUMULATED_PRECONDITIONED_GRADIENT_NAME,
    AGGREGATED_GRADIENT_NAME,
    HEURISTIC_DAMPING_SCALE,
    LAMBDA_MATRIX_NAME,
)
from safetensors.torch import load_file
from torch import Tensor


@dataclasses.dataclass(frozen=True)
class Value:
    """What kronfluence makes of one module: g^T (H + damping I)^-1 g."""

    value: float
    damping: float


def score_arguments(damping_factor: float | None) -> ScoreArguments:
    return ScoreArguments(
        damping_factor=damping_factor,
        precondition_dtype=torch.float64,
        score_dtype=torch.float64,
        per_sample_gradient_dtype=torch.float64,
    )


def load_into_model(analyzer: Analyzer, factors_name: str, damping_factor: float | None) -> None:
    """The state of the model in which kronfluence computes scores."""
    model = analyzer.model
    update_factor_args(model, analyzer.load_factor_args(factors_name))
    update_score_args(model, score_arguments(damping_factor))
    # First the mode: releasing memory drops factors as well.
    set_mode(model, ModuleMode.PRECONDITION_GRADIENT, release_memory=True)
    for name, factors in analyzer.load_all_factors(factors_name).items():
        set_factors(model, name, factors, clone=True)
    names = [module.name for module in tracked_modules(analyzer)]
    prepare_modules(model, names, device=torch.device("cpu"))


def tracked_modules(analyzer: Analyzer) -> list[TrackedModule]:
    return [module for module in analyzer.model.modules() if isinstance(module, TrackedModule)]


def used_damping(module: TrackedModule, damping_factor: float | None) -> float:
    prepared = module.storage[LAMBDA_MATRIX_NAME]
    if prepared is None:
        return 0.0  # identity: kronfluence ignores the damping
    if damping_factor is not None:
        return damping_factor
    # kronfluence keeps only 1 / (spectrum + s mean), and that sum has the mean (1 + s) mean.
    share = HEURISTIC_DAMPING_SCALE / (1 + HEURISTIC_DAMPING_SCALE)
    return share * float(prepared.reciprocal().mean())


def precondition(module: TrackedModule, gradient: Tensor) -> Tensor:
    module.storage[AGGREGATED_GRADIENT_NAME] = gradient[None].clone()
    module.finalize_all_iterations()
    return module.storage[ACCUMULATED_PRECONDITIONED_GRADIENT_NAME][0]


def module_value(module: TrackedModule, gradient: Tensor, damping_factor: float | None) -> Value:
    damping = used_damping(module, damping_factor)
    return Value(float((gradient * precondition(module, gradient)).sum()), damping)


def kronfluence_values(
    analyzer: Analyzer, factors_name: str, damping_factor: float | None
) -> dict[str, Value]:
    """{module: value} of a folder that kronfluence wrote and that holds its mean gradient."""
    folder = Path(analyzer.factors_output_dir(factors_name))
    gradients = load_file(folder / "mean_gradient.safetensors")
    load_into_model(analyzer, factors_name, damping_factor)
    values = {
        module.name: module_value(module, gradients[module.name].double(), damping_factor)
        for module in tracked_modules(analyzer)
    }
    set_mode(analyzer.model, ModuleMode.DEFAULT, release_memory=True)
    return values
