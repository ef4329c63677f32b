"""Experts that are linear modules of their own, each called for its own tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from collector_models import COMMON, EXPERTS
from collector_reference import (
    F64,
    Tensors,
    causal_loss,
    check_factors,
    check_gradients,
    collected,
    each_gradient,
    hooked_rows,
    read,
    save,
    windows,
    write_bytes,
)
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 4)


class UnfusedConfig(LlamaConfig):
    model_type = "layerbudget_unfused"


class Expert(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.w1 = nn.Linear(width, inner, bias=False)
        self.w3 = nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(inner, width, bias=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.w2(nn.functional.silu(self.w1(x)) * self.w3(x))


class Mixture(nn.Module):
    """One linear module per expert, called for its own tokens in an order of its own."""

    def __init__(self, width: int, inner: int, call_empty: bool) -> None:
        super().__init__()
        self.gate = nn.Linear(width, EXPERTS, bias=False)
        self.experts = nn.ModuleList(Expert(width, inner) for _ in range(EXPERTS))
        self.call_empty = call_empty

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        flat = hidden.reshape(-1, hidden.shape[-1])
        share, chosen = self.gate(flat).softmax(-1).max(-1)
        out = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):
            tokens = (chosen == number).nonzero().flatten().flip(0)
            if len(tokens) or self.call_empty:
                out.index_add_(0, tokens, expert(flat[tokens]) * share[tokens, None])
        return out.reshape(hidden.shape)


class UnfusedForCausalLM(LlamaForCausalLM):
    config_class = UnfusedConfig

    def __init__(self, config: UnfusedConfig) -> None:
        super().__init__(config)
        for layer in self.model.layers:
            layer.mlp = Mixture(config.hidden_size, config.intermediate_size, config.call_empty)


@pytest.fixture(scope="module")
def unfused() -> Iterator[type]:
    AutoConfig.register("layerbudget_unfused", UnfusedConfig)
    AutoModelForCausalLM.register(UnfusedConfig, UnfusedForCausalLM)
    yield UnfusedForCausalLM


@pytest.mark.parametrize("call_empty", [False, True])
def test_unfused_experts_keep_counts_of_their_own(
    tmp_path: Path, unfused: type, call_empty: bool
) -> None:
    torch.manual_seed(3)
    model = unfused(UnfusedConfig(call_empty=call_empty, **COMMON))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    folder, text = save(model, tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64)
    tensors, _ = read(output)
    model = unfused.from_pretrained(folder).eval()

    def gradients(model: nn.Module) -> Tensors:
        found: Tensors = {}
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and name != "lm_head":
                own = [module.weight] + ([] if module.bias is None else [module.bias[:, None]])
                grads = [module.weight.grad, None if module.bias is None else module.bias.grad]
                columns = [
                    torch.zeros_like(p) if g is None else g.reshape(p.shape)
                    for p, g in zip(own, grads, strict=False)
                ]
                found[name] = torch.cat(columns, 1)
        return found

    sequences = windows(text, LENGTH, SEQUENCES)
    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    check_gradients(tensors, each_gradient(model, losses, gradients), FOLDS)
    counts = []
    for expert in range(EXPERTS):
        for part in ("w1", "w2", "w3"):
            name = f"model.layers.1.mlp.experts.{expert}.{part}"
            rows, stop = hooked_rows(model, name)
            for loss in losses:
                loss().backward()
            stop()
            count = sum(map(len, rows.x))
            assert int(tensors[f"{name}.num_tokens"]) == count
            counts += [count] * (part == "w1")
            if count:
                rows.y = [y for y in rows.y if y.grad is not None]
                check_factors(tensors, name, *rows.taken(has_bias=part == "w2"))
    assert sum(counts) == SEQUENCES * LENGTH and len(set(counts)) > 2


def test_inputs_that_experts_share_are_stored_once(tmp_path: Path, unfused: type) -> None:
    torch.manual_seed(3)
    model = unfused(UnfusedConfig(call_empty=False, **COMMON))
    folder, text = save(model, tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    collected("--model", folder, "--text", text, "-o", output, *SIZES, "--modules", "experts")
    tensors, _ = read(output)
    for layer in range(2):
        for expert in range(EXPERTS):
            name = f"model.layers.{layer}.mlp.experts.{expert}"
            first = tensors[f"{name}.w1.activation_covariance"]
            assert first is tensors[f"{name}.w3.activation_covariance"]
