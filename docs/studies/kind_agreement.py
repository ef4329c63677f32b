"""Every kind of curvature against formulas of its own in float64 numpy, module by module.

    python docs/studies/kind_agreement.py --model docs/example/model --tool layerbudget \\
      --statistics docs/example/statistics.safetensors --text training.txt --work SCRATCH

K-FAC solves with the damped factors instead of whitening by their Cholesky factors, and the Fisher
is built from explicit per-sequence gradients instead of token products; for the other kinds the
formula is the definition. Statistics found in SCRATCH are used again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from kind_data import SOURCES, make_data, parse_arguments, score_kind
from safetensors import safe_open
from study_tools import Scores, gains_of, markdown, modules_of, write_json

DAMPING = 0.1  # relative, the tool's default

Array = np.ndarray
Solve = Callable[[Array], Array]  # gradients [S, out, in] to the damped curvature's inverse of them


class Source:
    """Tensors of one file, or of a kronfluence folder, in float64."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        self.file = None if path.is_dir() else safe_open(path, framework="np")
        metadata = self.file.metadata() if self.file else {}
        self.aliases: dict[str, str] = json.loads(metadata.get("alias", "{}"))

    def __call__(self, module: str, quantity: str) -> Array:
        if self.folder:
            with safe_open(self.folder / f"{quantity}.safetensors", framework="np") as opened:
                return opened.get_tensor(module).astype(np.float64)
        key = f"{module}.{quantity}"
        return self.file.get_tensor(self.aliases.get(key, key)).astype(np.float64)


def identity_solve(source: Source, module: str) -> Solve:
    return lambda gradients: gradients


def elementwise_solve(moments: Array) -> Solve:
    damped = moments + DAMPING * moments.mean()
    return lambda gradients: gradients / damped


def diagonal_solve(source: Source, module: str) -> Solve:
    return elementwise_solve(source(module, "fisher_diagonal"))


def factors(source: Source, module: str) -> tuple[Array, Array]:
    """A and G, symmetrised."""
    pair = [source(module, f"{side}_covariance") for side in ("activation", "gradient")]
    return (pair[0] + pair[0].T) / 2, (pair[1] + pair[1].T) / 2


def kfac_solve(source: Source, module: str) -> Solve:
    a, g = factors(source, module)
    mean_a, mean_g = np.trace(a) / len(a), np.trace(g) / len(g)
    damping, pi = DAMPING * mean_a * mean_g, np.sqrt(mean_a / mean_g)
    a = a + pi * np.sqrt(damping) * np.eye(len(a))
    g = g + np.sqrt(damping) / pi * np.eye(len(g))

    def solve(gradients: Array) -> Array:
        left = np.linalg.solve(g, gradients)
        return np.linalg.solve(a, left.swapaxes(-1, -2)).swapaxes(-1, -2)

    return solve


def rotated(solve: Solve, q_a: Array, q_g: Array) -> Solve:
    return lambda gradients: q_g @ solve(q_g.T @ gradients @ q_a) @ q_a.T


def kronecker_solve(source: Source, module: str) -> Solve:
    """lambda from the traces, negative eigenvalues set to 0: the tool's definition."""
    a, g = factors(source, module)
    (values_a, q_a), (values_g, q_g) = np.linalg.eigh(a), np.linalg.eigh(g)
    damping = DAMPING * np.trace(a) / len(a) * np.trace(g) / len(g)
    damped = np.outer(values_g.clip(0), values_a.clip(0)) + damping
    return rotated(lambda gradients: gradients / damped, q_a, q_g)


def ekfac_solve(source: Source, module: str) -> Solve:
    moments = source(module, "lambda_matrix") / source(module, "num_lambda_processed")
    q_a, q_g = (source(module, f"{side}_eigenvectors") for side in ("activation", "gradient"))
    return rotated(elementwise_solve(moments), q_a, q_g)


def sequence_gradients(source: Source, module: str) -> Array:
    """[N, out, in], formed one by one from the captured tokens."""
    x, d = source(module, "token_inputs"), source(module, "token_output_gradients")
    ends = source(module, "sample_offsets").astype(int)
    return np.stack([d[i:j].T @ x[i:j] for i, j in zip(ends, ends[1:], strict=False)])


def fisher_products(source: Source, module: str, folds: int) -> Array:
    """K_st by the singular values of J: damping lives in the space the sequences span."""
    each = sequence_gradients(source, module)
    count = len(each)
    j = each.reshape(count, -1)
    _, values, basis = np.linalg.svd(j, full_matrices=False)
    damping = DAMPING * (values**2).sum() / count / count  # relative to tr(J J^T / N) / N
    means = j.reshape(folds, count // folds, -1).mean(1) @ basis.T
    return means / (values**2 / count + damping) @ means.T


SOLVES = {
    "identity": identity_solve,
    "diagonal": diagonal_solve,
    "kfac": kfac_solve,
    "kronecker": kronecker_solve,
    "ekfac": ekfac_solve,
}


def cross_fitted(products: Array) -> float:
    folds = len(products)
    return float((products.sum() - np.trace(products)) / (folds * (folds - 1)))


def inner(gradients: Array, solved: Array) -> Array:
    return np.einsum("sij,tij->st", gradients, solved)


def reference(source: Source, kind: str, module: str, folds: int) -> tuple[float, float]:
    """Plain and cross-fitted gain."""
    if kind == "fisher":
        products = fisher_products(source, module, folds)
        return float(products.mean()), cross_fitted(products)
    solve = SOLVES[kind](source, module)
    mean_key = "mean_gradient" if kind == "ekfac" else "gradient"
    mean, parts = source(module, mean_key)[None], source(module, "gradient_folds")
    return inner(mean, solve(mean)).item(), cross_fitted(inner(parts, solve(parts)))


def relative_differences(
    source: Source, kind: str, plain: Scores, cross: Scores
) -> dict[str, list[float]]:
    """Of every module; cross-fitted ones relative to the plain gain, as they may be near 0."""
    tool_plain = gains_of(modules_of(plain), "gain")
    tool_cross = gains_of(modules_of(cross), "gain_cross_fitted")
    differences: dict[str, list[float]] = {"plain": [], "cross-fitted": []}
    for module in tool_plain:
        wanted, wanted_cross = reference(source, kind, module, folds=4)
        differences["plain"].append(abs(tool_plain[module] / wanted - 1))
        differences["cross-fitted"].append(abs(tool_cross[module] - wanted_cross) / wanted)
    return differences


def agree(options: argparse.Namespace, kind: str, path: Path) -> dict[str, object]:
    scored = [
        score_kind(options, path, kind, rule, "--precision", "double")
        for rule in ("plain", "cross-fitted")
    ]
    differences = relative_differences(Source(path), kind, *scored)
    worst = {rule: max(values) for rule, values in differences.items()}
    return {"modules": len(differences["plain"]), "worst": worst}


def main() -> None:
    options = parse_arguments(__doc__.splitlines()[0], Path(__file__).with_suffix(".json"))
    data = make_data(options, options.sequences, captures=True)
    paths = {
        kind: options.statistics if source == "factors" else getattr(data, source)
        for kind, source in SOURCES.items()
    }
    found = {kind: agree(options, kind, path) for kind, path in paths.items()}
    rows = [
        [kind, SOURCES[kind], str(one["modules"]), *(f"{x:.1e}" for x in one["worst"].values())]
        for kind, one in found.items()
    ]
    print(markdown(["kind", "read from", "modules", "plain", "cross-fitted"], rows))
    write_json(options.output, found)


if __name__ == "__main__":
    main()
