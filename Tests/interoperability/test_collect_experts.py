"""Mixtures of experts, fused and not, against autograd and a forward pass written by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers
from collector_models import COMMON, EXPERTS, save_mixtral
from collector_reference import (
    F64,
    Rows,
    Tensors,
    causal_loss,
    check_factors,
    check_gradients,
    collect,
    collected,
    each_gradient,
    read,
    save,
    windows,
    write_bytes,
    write_lines,
)
from torch import nn
from transformers import (
    GptOssConfig,
    GptOssForCausalLM,
    MixtralForCausalLM,
)

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 4)


def expert_gradients(model: nn.Module) -> Tensors:
    """Routers and single experts from the gradients of the fused parameters; the rest as ever."""
    found: Tensors = {}
    for name, module in model.named_modules():
        own = dict(module.named_parameters(recurse=False))
        for parameter, stack in own.items():
            if stack.dim() != 3:
                continue
            gradient = torch.zeros_like(stack) if stack.grad is None else stack.grad
            if getattr(module, "is_transposed", False):
                gradient = gradient.transpose(1, 2)
            if f"{parameter}_bias" in own:
                gradient = torch.cat([gradient, own[f"{parameter}_bias"].grad[..., None]], 2)
            found |= {f"{name}.{e}.{parameter}": part for e, part in enumerate(gradient)}
        if "weight" in own and own["weight"].dim() == 2 and not name.endswith("embed_tokens"):
            columns = [own["weight"].grad]
            if "bias" in own:
                columns.append(own["bias"].grad[:, None])
            found[name] = torch.cat(columns, 1)
    found.pop("lm_head")
    return found


def watched_experts(model: nn.Module, layer: int) -> dict[str, Rows]:
    """Replaces the experts of a layer by an equal forward that notes rows, token by token."""
    name = f"model.layers.{layer}.mlp.experts"
    experts = model.get_submodule(name)
    rows: dict[str, Rows] = {
        f"{name}.{e}.{parameter}": Rows()
        for e in range(EXPERTS)
        for parameter in ("gate_up_proj", "down_proj")
    }

    def forward(hidden: torch.Tensor, index: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        out = []
        for token in range(len(hidden)):
            total = torch.zeros_like(hidden[token])
            for place, e in enumerate(index[token].tolist()):
                up = rows[f"{name}.{e}.gate_up_proj"]
                down = rows[f"{name}.{e}.down_proj"]
                x = hidden[token][None]
                gate, value = up.see(x, x @ experts.gate_up_proj[e].T)[0].chunk(2)
                x = (nn.functional.silu(gate) * value)[None]
                total = total + weights[token, place] * down.see(x, x @ experts.down_proj[e].T)[0]
            out.append(total)
        return torch.stack(out)

    experts.forward = forward
    return rows


def load(folder: Path, kind: type) -> nn.Module:
    return kind.from_pretrained(folder, experts_implementation="eager").eval()


def test_fused_experts_are_modules_of_their_own(tmp_path: Path) -> None:
    folder, text = save_mixtral(tmp_path / "m", starved=2), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--collect", "kfac,diagonal,tokens", "--token-dtype", "F64")
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64, *options)
    tensors, metadata = read(output)
    model = load(folder, MixtralForCausalLM)
    sequences = windows(text, LENGTH, SEQUENCES)
    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    each = each_gradient(model, losses, expert_gradients)
    assert len(each) == 2 * (4 + 1 + 2 * EXPERTS)
    check_gradients(tensors, each, FOLDS)

    rows = watched_experts(model, 0)
    rows |= watched_experts(model, 1)
    offsets = {name: [0] for name in rows}
    for loss in losses:
        loss().backward()
        for name, own in rows.items():
            offsets[name].append(len(own.x))
    counts = set()
    for name, own in rows.items():
        stored = tensors[f"{name}.num_tokens"]
        assert stored.dtype == torch.int64 and stored.tolist() == [len(own.x)]
        counts.add(len(own.x))
        assert tensors[f"{name}.sample_offsets"].tolist() == offsets[name]
        if not own.x:
            assert name.split(".")[-2] == "2"
            for quantity in ("activation_covariance", "gradient_covariance", "gradient"):
                assert not tensors[f"{name}.{quantity}"].any()
            assert tensors[f"{name}.token_inputs"].shape[0] == 0
            continue
        x, d = own.taken(has_bias=False)
        check_factors(tensors, name, x, d)
        for quantity, value in (("token_inputs", x), ("token_output_gradients", d)):
            # Within a sequence the rows may come in another order: compare the products.
            for begin, end in zip(offsets[name], offsets[name][1:], strict=False):
                found = tensors[f"{name}.{quantity}"][begin:end]
                part = value[begin:end]
                torch.testing.assert_close(found.T @ found, part.T @ part, rtol=1e-4, atol=1e-6)
    assert 0 in counts and len(counts) > 3
    assert all(not bool(tensor.isnan().any()) for tensor in tensors.values())
    total = sum(counts_of(tensors, 0, "down_proj"))
    assert total == 2 * SEQUENCES * LENGTH == 2 * int(metadata["num_tokens"])
    assert "model.layers.0.mlp.gate.num_tokens" not in tensors
    assert "no token reached 4 modules" in printed and "one sequence per pass" in printed
    assert "raw captures: about" in printed
    assert "model.layers.*.mlp.experts.*.gate_up_proj" in printed


def counts_of(tensors: Tensors, layer: int, parameter: str) -> list[int]:
    name = f"model.layers.{layer}.mlp.experts"
    return [int(tensors[f"{name}.{e}.{parameter}.num_tokens"]) for e in range(EXPERTS)]


def test_router_factors_and_chosen_experts(tmp_path: Path) -> None:
    folder, text = save_mixtral(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--modules", r"layers\.1\.mlp\.(gate$|experts\.[13]\.down)")
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64, *options)
    tensors, _ = read(output)
    name = "model.layers.1.mlp"
    covered = {key.removesuffix(".gradient") for key in tensors if key.endswith(".gradient")}
    assert covered == {f"{name}.gate", f"{name}.experts.1.down_proj", f"{name}.experts.3.down_proj"}
    model = load(folder, MixtralForCausalLM)
    rows = Rows()

    def note(_: nn.Module, inputs: tuple[torch.Tensor], output: tuple[torch.Tensor, ...]) -> None:
        rows.see(inputs[0], output[0])

    model.get_submodule(f"{name}.gate").register_forward_hook(note)
    for sequence in windows(text, LENGTH, SEQUENCES):
        causal_loss(model, sequence).backward()
    check_factors(tensors, f"{name}.gate", *rows.taken(has_bias=False))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_lines_of_unequal_lengths_need_no_padding(tmp_path: Path, dtype: str) -> None:
    folder = save_mixtral(tmp_path / "m")
    text = write_lines(tmp_path / "lines", [13, 4, 9, 13])
    common = ("--model", folder, "--text", text, "--split", "lines", "--folds", 0, *F64)
    common += ("--sequences", 4, "--model-dtype", dtype)
    one, four = tmp_path / "one.safetensors", tmp_path / "four.safetensors"
    collected(*common, "-o", one, "--batch-size", 1)
    collected(*common, "-o", four, "--batch-size", 4)
    assert one.read_bytes() == four.read_bytes()
    assert sum(counts_of(read(one)[0], 1, "gate_up_proj")) == 2 * (12 + 3 + 8 + 12)


def test_transposed_experts_with_biases(tmp_path: Path) -> None:
    """GPT-OSS stores [experts, in, out] and a bias per expert; its router has a bias too."""
    torch.manual_seed(3)
    config = GptOssConfig(num_local_experts=EXPERTS, num_experts_per_tok=2, head_dim=4, **COMMON)
    model = GptOssForCausalLM(config)
    for name, parameter in model.named_parameters():
        if "experts" in name or "router" in name or "sinks" in name:
            nn.init.normal_(parameter, std=0.3)
    folder, text = save(model, tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64)
    tensors, _ = read(output)
    model = load(folder, GptOssForCausalLM)
    sequences = windows(text, LENGTH, SEQUENCES)
    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    check_gradients(tensors, each_gradient(model, losses, expert_gradients), FOLDS)
    name = "model.layers.0.mlp.experts.1"
    assert tensors[f"{name}.gate_up_proj.gradient"].shape == (24, 17)
    a = tensors[f"{name}.down_proj.activation_covariance"]
    assert abs(float(a[-1, -1]) - 1) < 1e-12 and a.shape == (13, 13)
    assert "covered [24, 16] and bias, expert" in printed
    assert "model.layers.*.mlp.router" in printed and "sinks" not in printed


OTHERS = {
    "Qwen3Moe": {"num_experts": 4, "moe_intermediate_size": 12},
    "DeepseekV3": {
        "n_routed_experts": 4,
        "moe_intermediate_size": 12,
        "n_group": 1,
        "topk_group": 1,
        "first_k_dense_replace": 1,
        "num_key_value_heads": 4,
        "q_lora_rank": 8,
        "kv_lora_rank": 8,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 4,
        "v_head_dim": 4,
    },
    "Phimoe": {"num_local_experts": 4},
    "JetMoe": {"num_local_experts": 4, "kv_channels": 4},
}


@pytest.mark.parametrize("family", OTHERS)
def test_other_families(tmp_path: Path, family: str) -> None:
    """Routers cast to float32, routers that are an nn.Linear but return more, experts in attention.

    Phimoe's is the case of an nn.Linear whose own forward returns a tuple.
    """
    torch.manual_seed(3)
    config = getattr(transformers, f"{family}Config")
    kind = getattr(transformers, f"{family}ForCausalLM")
    model = kind(config(**{**COMMON, "num_experts_per_tok": 2, **OTHERS[family]}))
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.3)
    folder, text = save(model, tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64)
    model = load(folder, kind)
    sequences = windows(text, LENGTH, SEQUENCES)
    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    each = each_gradient(model, losses, expert_gradients)
    tensors, _ = read(output)
    check_gradients(tensors, each, FOLDS)
    assert any(".experts." in name or "_linear." in name for name in each)


def test_a_model_without_any_covered_module_says_why(tmp_path: Path) -> None:
    folder, text = save_mixtral(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    options = ("--modules", "nothing", *SIZES)
    done = collect("--model", folder, "--text", text, "-o", tmp_path / "s", *options)
    assert done.returncode == 65 and "no linear module is covered" in done.stderr
