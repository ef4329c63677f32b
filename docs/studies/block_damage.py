"""What pruning one block alone really costs, and what the curvature says it costs.

    python docs/studies/block_damage.py MODEL_DIR --statistics statistics.safetensors \\
      --text held-out.txt --share 0.5 --seed 0

The smallest |W_ij| √A_jj of every row go, the same share of each. With D the removed weights, the
curvature says ½ Σ D² ∘ diag(A ⊗ G), which is what measured plans add up, or with the correlations
between weights ½ tr(G D A Dᵀ).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from study_tools import COLLECTOR, markdown
from torch import nn

sys.path.insert(0, str(COLLECTOR.parent))

from layerbudget_statistics.option_values import share  # noqa: E402
from pruning_comparison.held_out_loss import add_text_options, prepare  # noqa: E402
from pruning_comparison.stored_statistics import StoredStatistics  # noqa: E402


def removed_weights(weight: torch.Tensor, moments: torch.Tensor, part: float) -> torch.Tensor:
    """W where it goes, else 0: Wanda's choice, in float64."""
    weight = weight.detach().double()
    order = (weight.abs() * moments.sqrt()).argsort(1)[:, : int(part * weight.shape[1])]
    return torch.zeros_like(weight).scatter(1, order, weight.gather(1, order))


def said_by_curvature(
    removed: torch.Tensor, a: torch.Tensor, g: torch.Tensor
) -> tuple[float, float]:
    diagonal = float((removed.square() * torch.outer(g.diagonal(), a.diagonal())).sum()) / 2
    return diagonal, float(((g @ removed @ a) * removed).sum()) / 2


def blocks(model: nn.Module) -> Iterator[tuple[str, dict[str, nn.Linear]]]:
    for name, holder in model.named_modules():
        if isinstance(holder, nn.ModuleList) and name.endswith("layers"):
            for number, block in enumerate(holder):
                inside = block.named_modules(prefix=f"{name}.{number}")
                yield str(number), {key: one for key, one in inside if isinstance(one, nn.Linear)}


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument("--statistics", type=Path, required=True)
    parser.add_argument("--share", type=share, default=0.5, help="removed of each matrix")
    add_text_options(parser, windows=64)
    options = parser.parse_args()
    held_out, statistics = prepare(options), StoredStatistics(options.statistics)
    dense, rows = float(held_out.losses().mean()), []
    for number, modules in blocks(held_out.model):
        said = [0.0, 0.0]
        first = {name: one.weight.clone() for name, one in modules.items()}
        for name, one in modules.items():
            a, g = (
                statistics.tensor(f"{name}.{kind}_covariance")
                for kind in ("activation", "gradient")
            )
            removed = removed_weights(one.weight, a.diagonal(), options.share)
            said = [sum(pair) for pair in zip(said, said_by_curvature(removed, a, g), strict=True)]
            one.weight -= removed.to(one.weight.dtype)
        rise = float(held_out.losses().mean()) - dense
        for name, one in modules.items():
            one.weight.copy_(first[name])
        rows.append([number, *(f"{value:.4f}" for value in (rise, *said))])
    print(markdown(["block", "measured", "by diag(A ⊗ G)", "by A ⊗ G"], rows))


if __name__ == "__main__":
    main()
