"""Raw captures and low-precision models against the hooks of a test."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from collector_models import save_llama
from collector_reference import (
    F64,
    causal_loss,
    check_factors,
    collect,
    collected,
    hooked_rows,
    read,
    windows,
    write_bytes,
    write_lines,
)
from safetensors import safe_open
from torch import nn
from transformers import LlamaForCausalLM

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 2)


def lines_of(text: Path) -> list[torch.Tensor]:
    return [torch.tensor(list(line)) for line in text.read_bytes().splitlines()]


def test_raw_captures_are_the_rows_in_fold_order(tmp_path: Path) -> None:
    """Of padded lines: without the padding, and without the bias column."""
    folder = save_llama(tmp_path / "m")
    lengths = [13, 4, 9, 13, 2, 7, 11, 5]
    text, output = write_lines(tmp_path / "lines", lengths), tmp_path / "s.safetensors"
    options = ("--split", "lines", "--collect", "tokens", *SIZES, *F64, "--token-dtype", "F64")
    printed = collected("--model", folder, "--text", text, "-o", output, *options)
    tensors, metadata = read(output)
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    offsets = [0]
    for length in lengths:
        offsets.append(offsets[-1] + length - 1)
    modules = [name for name, own in model.named_modules() if isinstance(own, nn.Linear)]
    modules.remove("lm_head")
    for name in modules:
        rows, stop = hooked_rows(model, name)
        for line in lines_of(text):
            causal_loss(model, line).backward()
        stop()
        x, d = rows.taken(has_bias=False)
        assert tensors[f"{name}.sample_offsets"].tolist() == offsets
        for quantity, value in (("token_inputs", x), ("token_output_gradients", d)):
            found = tensors[f"{name}.{quantity}"]
            torch.testing.assert_close(found, value, rtol=1e-4, atol=1e-5)
        gradient = d.T @ x / len(lengths)
        stored = tensors[f"{name}.gradient"][:, : x.shape[1]]
        torch.testing.assert_close(stored, gradient, rtol=1e-4, atol=1e-5)
    q = "model.layers.1.self_attn.q_proj"
    assert tensors[f"{q}.gradient"].shape == (16, 17)
    assert tensors[f"{q}.token_inputs"].shape == (offsets[-1], 16)
    assert f"{q}.activation_covariance" not in tensors and f"{q}.fisher_diagonal" not in tensors
    assert metadata["num_tokens"] == str(offsets[-1])
    check_stored_once(output, offsets[-1], printed)


def check_stored_once(output: Path, tokens: int, printed: str) -> None:
    """Shared inputs and offsets are aliases, and the size was foretold to the byte."""
    with safe_open(output, framework="pt") as opened:
        stored = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        aliases = json.loads(opened.metadata()["alias"])
    kinds = {key.rsplit(".", 1)[1] for key in aliases}
    assert kinds == {"token_inputs", "sample_offsets"}
    inputs = [key for key in stored if key.endswith("token_inputs")]
    assert len(inputs) == 2 * 4  # of k, o, gate and down
    assert sum(key.endswith("sample_offsets") for key in stored) == 1
    size = sum(
        tensor.nbytes
        for key, tensor in stored.items()
        if key.endswith(("token_inputs", "token_output_gradients"))
    )
    of_inputs, of_outputs = 16 + 16 + 16 + 24, 16 + 8 + 8 + 16 + 24 + 24 + 16
    assert size == 2 * (of_inputs + of_outputs) * tokens * 8
    assert f"raw captures: about {size} bytes" in printed


def test_tokens_can_be_stored_in_two_bytes(tmp_path: Path) -> None:
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--collect", "tokens,kfac", "--token-dtype", "BF16", "--include-embeddings")
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *options)
    tensors, _ = read(output)
    name = "model.layers.0.mlp.gate_proj"
    x = tensors[f"{name}.token_inputs"]
    assert x.dtype == torch.bfloat16
    a = tensors[f"{name}.activation_covariance"]
    torch.testing.assert_close(x.float().T @ x.float() / len(x), a, rtol=3e-2, atol=1e-2)
    assert "model.embed_tokens.gradient" in tensors
    assert "model.embed_tokens.token_inputs" not in tensors  # one-hot rows say nothing new


def test_a_bfloat16_model_is_summed_in_double(tmp_path: Path) -> None:
    """Against a hand loop on the same model, one sequence at a time, in double precision.

    The rows are what the model computes in bfloat16; their products must not be rounded to it.
    """
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--model-dtype", "bfloat16", "--fold-order", "text", "--batch-size", 1)
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64, *options)
    tensors, _ = read(output)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    # As in the collector, gradients flow to activations only.
    for name in ("model.layers.0.self_attn.v_proj", "model.layers.1.mlp.down_proj"):
        rows, stop = hooked_rows(model, name)
        for sequence in windows(text, LENGTH, SEQUENCES):
            causal_loss(model, sequence).backward()
        stop()
        assert rows.x[0].dtype == torch.bfloat16
        has_bias = model.get_submodule(name).bias is not None
        x, d = rows.taken(has_bias)
        check_factors(tensors, name, x, d, rtol=2e-6, atol=1e-7)
        each = torch.einsum("nto,nti->noi", d.unflatten(0, (8, -1)), x.unflatten(0, (8, -1)))
        for quantity, value in (
            ("gradient", each.mean(0)),
            ("fisher_diagonal", each.square().mean(0)),
            ("gradient_folds", each.unflatten(0, (FOLDS, -1)).mean(1)),
        ):
            torch.testing.assert_close(tensors[f"{name}.{quantity}"], value, rtol=1e-5, atol=1e-5)


def test_unknown_kinds_name_the_known_ones(tmp_path: Path) -> None:
    folder, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    done = collect("--model", folder, "--text", text, "-o", tmp_path / "s", "--collect", "gram")
    assert done.returncode == 64
    assert "gradient, kfac, diagonal, tokens" in done.stderr
