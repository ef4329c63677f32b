"""Gains of every curvature kind in float64 numpy, from the tensors of a statistics file.

The second road for the built command: dense solves and eigendecompositions, nothing shared with it.
Each function takes the gradients [..., out, in] of one module and returns g_s^T H^-1 g_t for all
pairs of them, damping relative to the mean eigenvalue.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

Tensors = dict[str, np.ndarray]
RELATIVE = 0.1


def read(path: Path) -> tuple[Tensors, dict[str, str]]:
    """All tensors in float64 (counts as integers), aliases resolved, and the metadata."""
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    tensors = {
        name: value if value.dtype.kind == "i" else value.astype(np.float64)
        for name, value in stored.items()
    }
    for alias, target in json.loads(metadata.get("alias", "{}")).items():
        tensors[alias] = tensors[target]
    return tensors, metadata


def modules(tensors: Tensors) -> list[str]:
    return sorted(key.removesuffix(".gradient") for key in tensors if key.endswith(".gradient"))


def pairs(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Inner products of stacked matrices."""
    return left.reshape(len(left), -1) @ right.reshape(len(right), -1).T


def square(factor: np.ndarray) -> np.ndarray:
    return np.diag(factor) if factor.ndim == 1 else factor


def identity(tensors: Tensors, module: str, g: np.ndarray) -> np.ndarray:
    return pairs(g, g)


def diagonal(tensors: Tensors, module: str, g: np.ndarray) -> np.ndarray:
    fisher = tensors[f"{module}.fisher_diagonal"]
    damped = fisher + RELATIVE * fisher.mean()
    return pairs(g, np.divide(g, damped, out=np.zeros_like(g), where=damped > 0))


def factors(tensors: Tensors, module: str) -> tuple[np.ndarray, np.ndarray]:
    return (
        square(tensors[f"{module}.activation_covariance"]),
        square(tensors[f"{module}.gradient_covariance"]),
    )


def kfac(tensors: Tensors, module: str, g: np.ndarray) -> np.ndarray:
    """(A + sqrt(r) mean(A) I) kron (G + sqrt(r) mean(G) I), by solves."""
    a, o = factors(tensors, module)
    if np.trace(a) == 0 or np.trace(o) == 0:
        return np.zeros((len(g), len(g)))
    root = np.sqrt(RELATIVE)
    damped_a = a + root * np.trace(a) / len(a) * np.eye(len(a))
    damped_o = o + root * np.trace(o) / len(o) * np.eye(len(o))
    solved = np.stack([np.linalg.solve(damped_a, np.linalg.solve(damped_o, x).T).T for x in g])
    return pairs(g, solved)


def kronecker(tensors: Tensors, module: str, g: np.ndarray) -> np.ndarray:
    """A kron G + r mean(A) mean(G) I, in the eigenbasis."""
    a, o = factors(tensors, module)
    (sa, qa), (so, qo) = np.linalg.eigh(a), np.linalg.eigh(o)
    damped = np.outer(np.maximum(so, 0), np.maximum(sa, 0))
    damped += RELATIVE * np.trace(a) / len(a) * np.trace(o) / len(o)
    rotated = qo.T @ g @ qa
    return pairs(rotated, np.divide(rotated, damped, out=np.zeros_like(g), where=damped > 0))


def sample_gradients(tensors: Tensors, module: str) -> np.ndarray:
    """J [N, out, in(+1)], one gradient per sample, written out."""
    x, d = tensors[f"{module}.token_inputs"], tensors[f"{module}.token_output_gradients"]
    if tensors[f"{module}.gradient"].shape[1] == x.shape[1] + 1:
        x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    ends = tensors[f"{module}.sample_offsets"]
    return np.stack([d[a:b].T @ x[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)])


def fisher(tensors: Tensors, module: str, g: np.ndarray) -> np.ndarray:
    """J^T J / N + r tr(J J^T)/N^2 I, by Woodbury on the samples."""
    j = sample_gradients(tensors, module)
    count = len(j)
    flat = j.reshape(count, -1)
    gram = flat @ flat.T
    damping = RELATIVE * np.trace(gram) / count**2
    if damping == 0:
        return np.zeros((len(g), len(g)))
    v = flat @ g.reshape(len(g), -1).T
    inner = np.linalg.solve(count * damping * np.eye(count) + gram, v)
    return (pairs(g, g) - v.T @ inner) / damping


KINDS = {
    "identity": identity,
    "diagonal": diagonal,
    "kfac": kfac,
    "kronecker": kronecker,
    "fisher": fisher,
}


def plain(tensors: Tensors, module: str, kind: str) -> float:
    return float(KINDS[kind](tensors, module, tensors[f"{module}.gradient"][None])[0, 0])


def cross_fitted(tensors: Tensors, module: str, kind: str) -> tuple[float, float]:
    """The mean over pairs of different folds, and the mean of the others, its scale."""
    products = KINDS[kind](tensors, module, tensors[f"{module}.gradient_folds"])
    count = len(products)
    off = (products.sum() - np.trace(products)) / (count * (count - 1))
    return float(off), float(np.trace(products) / count)
