"""`collect_statistics.py` against plain autograd and hand-written loops, on tiny random models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from collector_models import save_llama
from collector_reference import (
    TOLERANCE,
    causal_loss,
    collect,
    collected,
    windows,
    write_bytes,
)
from safetensors import safe_open
from torch import nn
from transformers import AutoModelForCausalLM

SEQUENCES, LENGTH, FOLDS = 8, 12, 4


def write_text(file: Path) -> Path:
    return write_bytes(file, SEQUENCES * LENGTH + 1)


def read(file: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(file, framework="pt") as opened:
        return {key: opened.get_tensor(key) for key in opened.keys()}, opened.metadata()  # noqa: SIM118


def autograd_gradients(model: nn.Module, sequence: torch.Tensor) -> dict[str, torch.Tensor]:
    """{module: [out, in(+1)]} of one sequence, from .grad alone."""
    model.zero_grad()
    causal_loss(model, sequence).backward()
    found = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name != "lm_head":
            columns = [module.weight.grad]
            if module.bias is not None:
                columns.append(module.bias.grad[:, None])
            found[name] = torch.cat(columns, dim=1).double()
    return found


def hand_factors(
    model: nn.Module, sequences: list[torch.Tensor], name: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """A and G by a loop over tokens, one sequence at a time."""
    module = model.get_submodule(name)
    seen: dict[str, torch.Tensor] = {}

    def keep(_: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        seen["x"] = inputs[0][0].detach()
        output.retain_grad()
        seen["y"] = output

    handle = module.register_forward_hook(keep)
    a, g, tokens = 0, 0, 0
    for sequence in sequences:
        causal_loss(model, sequence).backward()
        for x, d in zip(seen["x"].double(), seen["y"].grad[0].double(), strict=True):
            if module.bias is not None:
                x = torch.cat([x, torch.ones(1, dtype=x.dtype)])
            a, g, tokens = a + torch.outer(x, x), g + torch.outer(d, d), tokens + 1
    handle.remove()
    return a / tokens, g / tokens


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "bias"])
def run(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """Folder of the model, text, statistics of all its windows in the order of the text."""
    folder = tmp_path_factory.mktemp("statistics")
    model = save_llama(folder / "tiny", bias=request.param)
    text = write_text(folder / "text.txt")
    output = folder / "statistics.safetensors"
    collected(
        "--model",
        model,
        "--text",
        text,
        "-o",
        output,
        "--sequences",
        SEQUENCES,
        "--length",
        LENGTH,
        "--folds",
        FOLDS,
        "--fold-order",
        "text",
        "--batch-size",
        3,
        "--gradient-dtype",
        "F64",
        "--factor-dtype",
        "F64",
        "--fisher-dtype",
        "F64",
    )
    return model, text, output


def test_gradient_diagonal_and_folds_equal_autograd(run: tuple[Path, Path, Path]) -> None:
    folder, text, output = run
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tensors, _ = read(output)
    each = [autograd_gradients(model, sequence) for sequence in windows(text, LENGTH, SEQUENCES)]
    assert len(each[0]) == 14
    for name in each[0]:
        stacked = torch.stack([gradients[name] for gradients in each])
        torch.testing.assert_close(tensors[f"{name}.gradient"], stacked.mean(0), **TOLERANCE)
        torch.testing.assert_close(
            tensors[f"{name}.fisher_diagonal"], stacked.square().mean(0), **TOLERANCE
        )
        folds = stacked.unflatten(0, (FOLDS, -1)).mean(1)
        torch.testing.assert_close(tensors[f"{name}.gradient_folds"], folds, **TOLERANCE)


def test_factors_equal_a_loop_over_tokens(run: tuple[Path, Path, Path]) -> None:
    folder, text, output = run
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tensors, metadata = read(output)
    aliases = json.loads(metadata["alias"])
    for name in (
        "self_attn.q_proj",
        "self_attn.v_proj",
        "self_attn.o_proj",
        "mlp.up_proj",
        "mlp.down_proj",
    ):
        module = f"model.layers.1.{name}"
        a, g = hand_factors(model, windows(text, LENGTH, SEQUENCES), module)
        key = f"{module}.activation_covariance"
        torch.testing.assert_close(tensors[aliases.get(key, key)], a, **TOLERANCE)
        torch.testing.assert_close(tensors[f"{module}.gradient_covariance"], g, **TOLERANCE)


def test_shared_inputs_are_found_and_metadata_is_complete(run: tuple[Path, Path, Path]) -> None:
    tensors, metadata = read(run[2])
    expected = {}
    for layer in ("model.layers.0", "model.layers.1"):
        for follower, leader in (
            ("self_attn.q_proj", "self_attn.k_proj"),
            ("self_attn.v_proj", "self_attn.k_proj"),
            ("mlp.up_proj", "mlp.gate_proj"),
        ):
            expected[f"{layer}.{follower}.activation_covariance"] = (
                f"{layer}.{leader}.activation_covariance"
            )
    assert json.loads(metadata["alias"]) == expected
    assert not set(expected) & set(tensors)
    wanted = {
        "format": "layerbudget.statistics/1",
        "normalization": "mean",
        "num_samples": str(SEQUENCES),
        "num_tokens": str(SEQUENCES * LENGTH),
        "model": "tiny",
        "weight_layout": "out_in",
        "fisher": "empirical",
    }
    assert wanted.items() <= metadata.items()
    assert "cross entropy" in metadata["loss"]


def test_padding_does_not_count(tmp_path: Path) -> None:
    """Lines of unequal lengths give the same sums in one padded batch and one at a time."""
    model = save_llama(tmp_path / "tiny", bias=True)
    text = tmp_path / "lines.txt"
    text.write_bytes(b"one line\n\na second, longer line\nx\nthree three three\nfour\n")
    common = ("--model", model, "--text", text, "--split", "lines", "--sequences", 4, "--folds", 0)
    collected(*common, "-o", tmp_path / "batched.safetensors", "--batch-size", 4)
    collected(*common, "-o", tmp_path / "single.safetensors", "--batch-size", 1)
    batched, metadata = read(tmp_path / "batched.safetensors")
    single, _ = read(tmp_path / "single.safetensors")
    assert metadata["num_tokens"] == str(7 + 20 + 16 + 3)
    assert set(batched) == set(single)
    assert not any(key.endswith("gradient_folds") for key in batched)
    for key in batched:
        torch.testing.assert_close(batched[key], single[key], rtol=1e-4, atol=1e-5)


def test_shards_hold_the_same_tensors_and_runs_repeat_to_the_bit(tmp_path: Path) -> None:
    model, text = save_llama(tmp_path / "tiny", bias=False), write_text(tmp_path / "text.txt")
    common = (
        "--model",
        model,
        "--text",
        text,
        "--sequences",
        9,
        "--length",
        LENGTH,
        "--fisher-dtype",
        "BF16",
    )
    noted = collected(*common, "-o", tmp_path / "one.safetensors")
    collected(*common, "-o", tmp_path / "two.safetensors")
    collected(*common, "-o", tmp_path / "shards", "--shard-size", "20k")
    assert "using 8 sequences, not 9" in noted
    assert (tmp_path / "one.safetensors").read_bytes() == (
        tmp_path / "two.safetensors"
    ).read_bytes()
    whole, metadata = read(tmp_path / "one.safetensors")
    index = json.loads((tmp_path / "shards" / "statistics.index.json").read_text())
    assert set(index["weight_map"]) == set(whole)
    assert len(set(index["weight_map"].values())) > 2
    for file in sorted(set(index["weight_map"].values())):
        shard, shard_metadata = read(tmp_path / "shards" / file)
        assert shard_metadata == metadata
        for key, tensor in shard.items():
            assert torch.equal(tensor, whole[key])
    assert whole["model.layers.0.mlp.up_proj.fisher_diagonal"].dtype == torch.bfloat16


def test_chosen_modules_lead_and_the_table_says_what_is_skipped(tmp_path: Path) -> None:
    model, text = save_llama(tmp_path / "tiny", bias=False), write_text(tmp_path / "text.txt")
    printed = collected(
        "--model",
        model,
        "--text",
        text,
        "-o",
        tmp_path / "s.safetensors",
        "--length",
        LENGTH,
        "--collect",
        "kfac",
        "--modules",
        r"layers\.1\..*(q|v)_proj",
    )
    tensors, metadata = read(tmp_path / "s.safetensors")
    prefix = "model.layers.1.self_attn"
    assert set(tensors) == {
        f"{prefix}.{module}.{kind}"
        for module, kinds in {
            "q_proj": (
                "gradient",
                "gradient_folds",
                "gradient_covariance",
                "activation_covariance",
            ),
            "v_proj": ("gradient", "gradient_folds", "gradient_covariance"),
        }.items()
        for kind in kinds
    }
    assert json.loads(metadata["alias"]) == {
        f"{prefix}.v_proj.activation_covariance": f"{prefix}.q_proj.activation_covariance"
    }
    for reason in ("output head", "embedding", "not an nn.Linear", "not chosen by --modules"):
        assert reason in printed


def test_errors_are_one_line_with_the_right_code(tmp_path: Path) -> None:
    model, text = save_llama(tmp_path / "tiny", bias=False), write_text(tmp_path / "text.txt")
    other = save_llama(tmp_path / "other", bias=False, vocabulary=300)
    cut = save_llama(tmp_path / "cut", bias=False)
    weights = cut / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:3000])
    output = ("-o", tmp_path / "s.safetensors")
    cases: list[tuple[int, str, tuple[object, ...]]] = [
        (64, "--folds", ("--model", model, "--text", text, *output, "--folds", 1)),
        (64, "unknown kind", ("--model", model, "--text", text, *output, "--collect", "hessian")),
        (
            64,
            "positions",
            ("--model", model, "--text", text, *output, "--length", 65, "--folds", 0),
        ),
        (65, "too few", ("--model", model, "--text", text, *output, "--length", 60)),
        (65, "no tokenizer", ("--model", other, "--text", text, *output)),
        (65, "cannot load", ("--model", cut, "--text", text, *output)),
        (66, "text.txt", ("--model", model, "--text", text, "-o", text / "s.safetensors")),
        (64, "-o/--output", ("--model", model, "--text", text)),
        (64, "between 0 and 1", ("--model", model, "--text", text, *output, "--mask-share", 1)),
        (66, "not a folder", ("--model", tmp_path / "none", "--text", text, *output)),
        (66, "not a file", ("--model", model, "--text", tmp_path / "none", *output)),
    ]
    for code, words, arguments in cases:
        done = collect(*arguments)
        assert done.returncode == code, done.stderr
        assert words in done.stderr
        assert done.stderr.startswith("collect_statistics: error: ")
        assert done.stderr.count("\n") == 1
        assert not (tmp_path / "s.safetensors").exists()
