"""Masked language models: unequal lines in padded batches against one unpadded line at a time."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from collector_models import save_bert, save_gpt2
from collector_reference import (
    F64,
    Tensors,
    check_factors,
    check_gradients,
    collect,
    collected,
    each_gradient,
    hooked_rows,
    read,
    write_lines,
)
from torch import nn
from torch.nn import functional
from transformers import BertForMaskedLM

LINES = [20, 7, 12, 1, 16, 9, 3, 18]


def bert_batches(folder: Path, text: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(inputs, labels) of every line, unpadded, by the collector's own seeded masking."""
    from layerbudget_statistics.masked_tokens import masked_samples
    from layerbudget_statistics.text_windows import Encoder

    encoder = Encoder(folder, 99)
    lines = [encoder.encode(line, whole=True) for line in text.read_bytes().splitlines()]
    assert [len(line) for line in lines] == [n + 2 for n in LINES]
    samples = masked_samples(lines, encoder, 0.3, 7)
    for line, sample in zip(lines, samples, strict=True):
        hidden = sample.labels != -100
        assert int(hidden.sum()) == max(1, round(0.3 * (len(line) - 2)))
        assert not hidden[0] and not hidden[-1]
        assert torch.equal(sample.labels[hidden], line[hidden])
        assert (sample.inputs[hidden] == 4).all()
        assert torch.equal(sample.inputs[~hidden], line[~hidden])
    return [(sample.inputs, sample.labels) for sample in samples]


def linear_gradients(model: nn.Module) -> Tensors:
    return {
        name: torch.cat([module.weight.grad, module.bias.grad[:, None]], 1)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.endswith("decoder")
    }


def test_masked_model_equals_unpadded_autograd(tmp_path: Path) -> None:
    """Lines of unequal lengths in padded batches against one unpadded line at a time."""
    folder, text = save_bert(tmp_path / "bert"), write_lines(tmp_path / "lines", LINES)
    output = tmp_path / "s.safetensors"
    options = ("--split", "lines", "--mask-share", 0.3, "--seed", 7, "--length", 30, "--folds", 2)
    sizes = ("--sequences", len(LINES), "--batch-size", 3)
    collected("--model", folder, "--text", text, "-o", output, *options, *sizes, *F64)
    tensors, metadata = read(output)
    assert metadata["num_tokens"] == str(sum(LINES) + 2 * len(LINES))
    assert "masked" in metadata["loss"] and metadata["mask_share"] == "0.3"
    model = BertForMaskedLM.from_pretrained(folder).eval()
    batches = bert_batches(folder, text)

    def loss(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=inputs[None]).logits[0]
        return functional.cross_entropy(logits, labels, reduction="sum")

    losses = [lambda batch=batch: loss(*batch) for batch in batches]
    tolerance = {"rtol": 1e-4, "atol": 2e-6}
    check_gradients(tensors, each_gradient(model, losses, linear_gradients), 2, **tolerance)
    for name in (
        "bert.encoder.layer.0.attention.self.query",
        "bert.encoder.layer.1.output.dense",
        "cls.predictions.transform.dense",
    ):
        rows, stop = hooked_rows(model, name)
        for one in losses:
            one().backward()
        stop()
        x, d = rows.taken(has_bias=True)
        assert len(x) == sum(LINES) + 2 * len(LINES)
        check_factors(tensors, name, x, d, **tolerance)


def test_untied_masked_head_is_covered_and_parameters_count_once(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert", tied=False)
    text, output = write_lines(tmp_path / "lines", LINES), tmp_path / "s.safetensors"
    common = ("--model", folder, "--text", text, "--split", "lines", "--folds", 0)
    printed = collected(*common, "-o", output, "--include-head")
    total = sum(p.numel() for p in BertForMaskedLM.from_pretrained(folder).parameters())
    assert f"of {total} parameters" in printed
    assert read(output)[0]["cls.predictions.decoder.gradient"].shape == (99, 17)


def test_masking_does_not_depend_on_batches_and_needs_a_mask_token(tmp_path: Path) -> None:
    folder, text = save_bert(tmp_path / "bert"), write_lines(tmp_path / "lines", LINES)
    common = ("--model", folder, "--text", text, "--split", "lines", "--folds", 0)
    one, four = tmp_path / "one.safetensors", tmp_path / "four.safetensors"
    collected(*common, "-o", one, "--batch-size", 1)
    collected(*common, "-o", four, "--batch-size", 4)
    for key, tensor in read(one)[0].items():
        torch.testing.assert_close(read(four)[0][key], tensor, rtol=1e-4, atol=1e-5)
    gpt2 = save_gpt2(tmp_path / "gpt2")
    done = collect("--model", gpt2, "--text", text, "-o", tmp_path / "s", "--task", "masked")
    assert done.returncode == 65 and "masked" in done.stderr
    bare = save_bert(tmp_path / "bare")
    for file in bare.glob("tokenizer*"):
        file.unlink()
    done = collect("--model", bare, "--text", text, "-o", tmp_path / "s")
    assert done.returncode == 65 and "tokenizer" in done.stderr


def test_the_task_follows_the_config(tmp_path: Path) -> None:
    """BERT's classes for both tasks have one model type: the architecture tells, else the type."""
    from layerbudget_statistics.language_model import choose_task

    folder = save_bert(tmp_path / "bert")
    config = json.loads((folder / "config.json").read_text())
    for architectures, is_decoder, task in (
        (["BertForMaskedLM"], False, "masked"),
        (["BertLMHeadModel"], True, "causal"),
        (["BertForPreTraining"], False, "masked"),
        (None, False, "masked"),
        (None, True, "causal"),
    ):
        changed = {**config, "architectures": architectures, "is_decoder": is_decoder}
        (folder / "config.json").write_text(json.dumps(changed))
        assert choose_task(argparse.Namespace(task="auto", model=folder)) == task
    gpt2 = save_gpt2(tmp_path / "gpt2")
    assert choose_task(argparse.Namespace(task="auto", model=gpt2)) == "causal"
    assert choose_task(argparse.Namespace(task="masked", model=gpt2)) == "masked"
