"""GPT-2's Conv1D, BERT's masked tokens, embeddings and heads, against autograd and hand loops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from collector_models import save_bert, save_gpt2, save_untied_llama
from collector_reference import (
    F64,
    Tensors,
    causal_loss,
    check_factors,
    check_gradients,
    collect,
    collected,
    each_gradient,
    hooked_rows,
    read,
    windows,
    write_bytes,
    write_lines,
)
from torch import nn
from torch.nn import functional
from transformers import (
    BertForMaskedLM,
    GPT2LMHeadModel,
    LlamaForCausalLM,
)

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 3)


def conv1d_gradients(model: nn.Module) -> Tensors:
    """[out, in + 1] from a weight that is stored [in, out]."""
    return {
        name: torch.cat([module.weight.grad.T, module.bias.grad[:, None]], 1)
        for name, module in model.named_modules()
        if type(module).__name__ == "Conv1D"
    }


def test_conv1d_is_written_out_in_with_its_bias_last(tmp_path: Path) -> None:
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64)
    tensors, metadata = read(output)
    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    losses = [
        lambda sequence=sequence: causal_loss(model, sequence)
        for sequence in windows(text, LENGTH, SEQUENCES)
    ]
    check_gradients(tensors, each_gradient(model, losses, conv1d_gradients), FOLDS)
    assert metadata["weight_layout"] == "out_in" and metadata["bias"] == "appended"
    assert tensors["transformer.h.0.attn.c_attn.gradient"].shape == (48, 17)
    for name in ("transformer.h.0.attn.c_attn", "transformer.h.1.mlp.c_proj"):
        rows, stop = hooked_rows(model, name)
        for loss in losses:
            loss().backward()
        stop()
        check_factors(tensors, name, *rows.taken(has_bias=True))
    assert "covered [48, 16] and bias, Conv1D" in printed


def test_tied_embeddings_are_counted_once_and_skipped(tmp_path: Path) -> None:
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--include-head", "--include-embeddings")
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *options)
    tied = [line.split() for line in printed.splitlines() if "its weight is tied to" in line]
    assert {row[0]: int(row[2]) for row in tied} == {"lm_head": 256 * 16, "transformer.wte": 0}
    total = sum(p.numel() for p in GPT2LMHeadModel.from_pretrained(folder).parameters())
    assert f"of {total} parameters" in printed
    tensors, _ = read(output)
    assert not any(key.startswith(("lm_head", "transformer.wte")) for key in tensors)


def test_untied_embedding_and_head_equal_autograd(tmp_path: Path) -> None:
    folder, text = save_untied_llama(tmp_path / "llama"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--include-head", "--include-embeddings", "--modules", "lm_head|embed")
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64, *options)
    tensors, _ = read(output)
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    sequences = windows(text, LENGTH, SEQUENCES)

    def gradients(model: nn.Module) -> Tensors:
        return {
            "lm_head": model.lm_head.weight.grad,
            "model.embed_tokens": model.model.embed_tokens.weight.grad.T,
        }

    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    check_gradients(tensors, each_gradient(model, losses, gradients), FOLDS)
    rows, stop = hooked_rows(model, "model.embed_tokens")
    head, stop_head = hooked_rows(model, "lm_head")
    for loss in losses:
        loss().backward()
    stop()
    stop_head()
    check_factors(tensors, "lm_head", *head.taken(has_bias=False))
    tokens = torch.cat([sequence[:-1] for sequence in sequences])
    one_hot = functional.one_hot(tokens, 256).double()
    gradient = torch.cat([y.grad[0] for y in rows.y]).double()
    check_factors(tensors, "model.embed_tokens", one_hot, gradient)
    assert tensors["model.embed_tokens.activation_covariance"].shape == (256,)
    assert "model.embed_tokens.num_tokens" not in tensors


@pytest.mark.parametrize("split", ["windows", "lines"])
def test_large_factors_are_skipped_made_diagonal_or_refused(tmp_path: Path, split: str) -> None:
    folder, text = save_untied_llama(tmp_path / "llama"), tmp_path / "text"
    write_lines(text, [13, 5, 9, 13, 3, 11, 13, 13, 13, 13])
    common = ("--model", folder, "--text", text, "--include-head", *SIZES, *F64, "--split", split)
    dense, diagonal = tmp_path / "dense.safetensors", tmp_path / "diagonal.safetensors"
    collected(*common, "-o", dense)
    limit = ("--large-limit", 11)
    collected(*common, "-o", diagonal, "--large-modules", "diagonal", *limit)
    wanted, _ = read(dense)
    found, _ = read(diagonal)
    assert set(found) == set(wanted)
    for key, tensor in wanted.items():
        if key.endswith("covariance") and len(tensor) > 11:
            tensor = tensor.diagonal()
        torch.testing.assert_close(found[key], tensor, rtol=1e-6, atol=1e-12)
    assert found["lm_head.gradient_covariance"].shape == (256,)
    assert found["lm_head.activation_covariance"].shape == (8, 8)
    skipped = tmp_path / "skipped.safetensors"
    printed = collected(*common, "-o", skipped, *limit)
    assert "its G would be 256 x 256, above --large-limit 11" in printed
    assert not any(key.startswith(("lm_head", "model.layers.0.mlp")) for key in read(skipped)[0])
    done = collect(*common, "-o", tmp_path / "no", "--large-modules", "error", *limit)
    assert done.returncode == 65 and "lm_head: its G would be" in done.stderr
    gradients_only = tmp_path / "gradients.safetensors"
    collected(*common, "-o", gradients_only, *limit, "--collect", "gradient")
    assert "lm_head.gradient" in read(gradients_only)[0]


def test_a_folder_without_the_head_is_refused(tmp_path: Path) -> None:
    """A head that transformers would start at random gives statistics of nothing."""
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    bert = save_bert(tmp_path / "bert")
    BertForMaskedLM.from_pretrained(bert).bert.save_pretrained(bert)
    common = ("--text", text, "-o", tmp_path / "s.safetensors", *SIZES)
    done = collect("--model", bert, "--task", "masked", *common)
    assert done.returncode == 65 and "has no weights for" in done.stderr
    collected("--model", folder, *common)
