"""g^T H^-1 g from the files of a folder alone, by dense float64 numpy, without kronfluence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

Tensors = dict[str, np.ndarray]


def read(path: Path) -> Tensors:
    """Through torch, because numpy has no bfloat16."""
    return {name: tensor.double().numpy() for name, tensor in load_file(path).items()}


def factor(folder: Path, name: str) -> Tensors:
    """The aggregated file if there is one, else the sum of the partitions; never both."""
    aggregated = folder / f"{name}.safetensors"
    if aggregated.exists():
        return read(aggregated)
    total: Tensors = {}
    for path in sorted(folder.glob(f"{name}_data_partition*_module_partition*.safetensors")):
        for module, part in read(path).items():
            total[module] = total[module] + part if module in total else part
    return total


def mean_covariance(folder: Path, side: str, module: str) -> np.ndarray:
    count = factor(folder, f"num_{side}_covariance_processed")[module]
    return factor(folder, f"{side}_covariance")[module] / count


def mean_lambda(folder: Path, module: str) -> np.ndarray:
    return factor(folder, "lambda_matrix")[module] / factor(folder, "num_lambda_processed")[module]


def damped(spectrum_mean: float, damping_factor: float | None) -> float:
    return 0.1 * spectrum_mean if damping_factor is None else damping_factor


def kronecker(folder: Path, module: str, g: np.ndarray, damping_factor: float | None) -> float:
    """One dense solve with the whole curvature, from the covariances."""
    a = mean_covariance(folder, "activation", module)
    h = np.kron(mean_covariance(folder, "gradient", module), a)
    damping = damped(np.trace(h) / len(h), damping_factor)
    return float(g.ravel() @ np.linalg.solve(h + damping * np.eye(len(h)), g.ravel()))


def ekfac(folder: Path, module: str, g: np.ndarray, damping_factor: float | None) -> float:
    """With the stored eigenvectors: lambda belongs to these and to no others."""
    qa = factor(folder, "activation_eigenvectors")[module]
    qg = factor(folder, "gradient_eigenvectors")[module]
    spectrum = mean_lambda(folder, module)
    damping = damped(spectrum.mean(), damping_factor)
    return float(np.sum((qg.T @ g @ qa) ** 2 / (spectrum + damping)))


def diagonal(folder: Path, module: str, g: np.ndarray, damping_factor: float | None) -> float:
    spectrum = mean_lambda(folder, module)
    return float(np.sum(g**2 / (spectrum + damped(spectrum.mean(), damping_factor))))


def identity(folder: Path, module: str, g: np.ndarray, damping_factor: float | None) -> float:
    del folder, module, damping_factor
    return float(np.sum(g**2))


KINDS: dict[str, Callable[[Path, str, np.ndarray, float | None], float]] = {
    "kronecker": kronecker,
    "ekfac": ekfac,
    "diagonal": diagonal,
    "identity": identity,
}


def dense_values(folder: Path, kind: str, damping_factor: float | None) -> dict[str, float]:
    gradients = read(folder / "mean_gradient.safetensors")
    return {m: KINDS[kind](folder, m, g, damping_factor) for m, g in gradients.items()}
