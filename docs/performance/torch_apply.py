"""What a script of a user would do in place of `layerbudget apply`, in torch, timed.

    python torch_apply.py model/ --statistics s.safetensors --method wanda -o pruned/ --threads 1

Every two-dimensional `*.weight` loses the same share of its weights: by magnitude over the matrix
(kthvalue), by wanda within its rows (a sort, as in the authors' code), or by sparsegpt in blocks of
128 columns (as in the authors' code). Files are read and written by the safetensors library;
nothing is hashed, read again or synced.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def by_magnitude(weight: torch.Tensor, share: float) -> torch.Tensor:
    count = int(weight.numel() * share)
    if count == 0:
        return weight
    size = weight.abs()
    threshold = size.flatten().float().kthvalue(count).values
    return weight.masked_fill(size <= threshold, 0)


def by_wanda(weight: torch.Tensor, activations: torch.Tensor, share: float) -> torch.Tensor:
    metric = weight.float().abs() * activations.diagonal().sqrt()
    columns = metric.sort(dim=-1, stable=True).indices[:, : int(weight.shape[1] * share)]
    return weight.scatter(1, columns, 0)


def inverse_factor(activations: torch.Tensor) -> torch.Tensor:
    """U with Uᵀ U = H⁻¹ after 1 % damping."""
    hessian = activations.clone()
    hessian.diagonal().add_(0.01 * hessian.diagonal().mean())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(hessian))
    return torch.linalg.cholesky(inverse, upper=True)


def by_sparsegpt(weight: torch.Tensor, factor: torch.Tensor, share: float) -> torch.Tensor:
    matrix = weight.float()
    columns = matrix.shape[1]
    for first in range(0, columns, 128):
        last = min(first + 128, columns)
        block = matrix[:, first:last].clone()
        errors = torch.zeros_like(block)
        corner = factor[first:last, first:last]
        size = block.square() / corner.diagonal().square()
        threshold = size.flatten().kthvalue(max(int(size.numel() * share), 1)).values
        mask = size <= threshold
        for column in range(last - first):
            values = block[:, column]
            kept = torch.where(mask[:, column], 0, values)
            error = (values - kept) / corner[column, column]
            block[:, column:] -= error.unsqueeze(1) * corner[column, column:].unsqueeze(0)
            block[:, column] = kept
            errors[:, column] = error
        matrix[:, first:last] = block
        matrix[:, last:] -= errors @ factor[first:last, last:]
    return matrix.to(weight.dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--statistics", type=Path)
    parser.add_argument(
        "--method", choices=("magnitude", "wanda", "sparsegpt"), default="magnitude"
    )
    parser.add_argument("--share", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.method != "magnitude" and arguments.statistics is None:
        parser.error(f"--method {arguments.method} needs --statistics")

    start, processor = time.perf_counter(), time.process_time()
    # One covariance for all modules, as in the benchmark's files.
    activations = torch.empty(0)
    if arguments.statistics is not None:
        stored = load_file(arguments.statistics)
        activations = next(
            value for key, value in stored.items() if key.endswith(".activation_covariance")
        ).float()
    factor = inverse_factor(activations) if arguments.method == "sparsegpt" else torch.empty(0)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in sorted(arguments.checkpoint.glob("*.safetensors")):
        tensors = load_file(path)
        for name, weight in tensors.items():
            if weight.ndim != 2 or not name.endswith(".weight"):
                continue
            if arguments.method == "magnitude":
                tensors[name] = by_magnitude(weight, arguments.share)
            elif arguments.method == "wanda":
                tensors[name] = by_wanda(weight, activations, arguments.share)
            else:
                tensors[name] = by_sparsegpt(weight, factor, arguments.share)
        save_file(tensors, arguments.output / path.name)
    report = {
        "method": arguments.method,
        "threads": torch.get_num_threads(),
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
