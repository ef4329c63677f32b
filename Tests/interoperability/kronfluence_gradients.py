"""The mean gradient, which kronfluence does not store, by plain autograd in float64."""

from __future__ import annotations

from pathlib import Path

import torch
from kronfluence_model import TokenModel, TokenSamples, make_model, summed_loss
from safetensors.torch import save_file
from torch import Tensor, nn

FOLDS = 4

Gradients = dict[str, Tensor]


def linear_modules(model: nn.Module) -> dict[str, nn.Linear]:
    return {name: part for name, part in model.named_modules() if isinstance(part, nn.Linear)}


def with_bias_column(module: nn.Linear) -> Tensor:
    """[out, in(+1)], the bias as the last column, as kronfluence lays it out."""
    if module.bias is None:
        return module.weight.grad.clone()
    return torch.cat([module.weight.grad, module.bias.grad[:, None]], dim=1)


def fold_gradients(model: TokenModel, samples: TokenSamples, indices: range) -> Gradients:
    """Mean over the samples of a fold of the gradient of each sample's summed loss."""
    model.zero_grad()
    chosen = list(indices)
    mask = samples.mask[chosen]
    logits = model(samples.tokens[chosen], mask)
    (summed_loss(logits, samples.labels[chosen], mask) / len(chosen)).backward()
    return {name: with_bias_column(part) for name, part in linear_modules(model).items()}


def gradient_folds(samples: TokenSamples) -> Gradients:
    """{module: [folds, out, in(+1)]} over disjoint, equally large folds."""
    model = make_model().double()
    folds = [fold_gradients(model, samples, range(k, len(samples), FOLDS)) for k in range(FOLDS)]
    return {name: torch.stack([fold[name] for fold in folds]) for name in folds[0]}


def mean_gradients(folds: Gradients) -> Gradients:
    return {name: fold.mean(dim=0) for name, fold in folds.items()}


def save_gradients(folder: Path, folds: Gradients) -> None:
    """Both files, in float32 as a user's exporter would write them."""
    for name, tensors in (
        ("mean_gradient", mean_gradients(folds)),
        ("gradient_folds", folds),
    ):
        stored = {module: tensor.float().contiguous() for module, tensor in tensors.items()}
        save_file(stored, folder / f"{name}.safetensors")
