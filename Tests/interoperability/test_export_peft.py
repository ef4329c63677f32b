"""`export --to peft` held against peft itself: every module's rank is the planned one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from apply_models import rewrite_fused, save_qwen3_moe, small_llama
from apply_runs import Finished, read_checkpoint, tool, write_checkpoint
from collector_models import save_gpt2
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoModelForCausalLM, Qwen3MoeForCausalLM

DATA, TARGET = 65, 73
LAYERS = 13


def write_ranks(path: Path, ranks: Mapping[str, int]) -> Path:
    """No more than an export needs."""
    units = [{"name": name, "integer": rank} for name, rank in ranks.items()]
    plan = {"format": "layerbudget.plan/1", "program": "capacity", "units": units}
    path.write_text(json.dumps(plan))
    return path


def export(plan: Path, output: Path, *options: object, ranks: int | None = None) -> Finished:
    return tool("export", plan, "--to", "peft", "-o", output, *options, ranks=ranks)


def exported(plan: Path, output: Path, *options: object) -> Path:
    done = export(plan, output, *options)
    assert done.returncode == 0, done.stderr
    return output


def told(code: int, *arguments: object) -> str:
    done = export(*arguments)
    assert done.returncode == code, done.stderr
    return done.stderr


def linear_names(model: nn.Module) -> list[str]:
    return [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]


def adapted(model: nn.Module, folder: Path) -> PeftModel:
    """The model with the exported adapter; what peft warns of is an error."""
    with warnings.catch_warnings():
        for category in (RuntimeWarning, UserWarning):
            warnings.simplefilter("error", category)
        return get_peft_model(model, PeftConfig.from_pretrained(folder))


def found_ranks(model: PeftModel) -> dict[str, int]:
    """The rank of each adapted module by its own matrices, alpha over rank checked on the way."""
    found = {}
    for name, module in model.base_model.model.named_modules():
        if not hasattr(module, "lora_A"):
            continue
        down, up = module.lora_A["default"], module.lora_B["default"]
        rank = down.weight.shape[0]
        assert up.weight.shape[1] == rank
        assert module.r["default"] == rank
        assert module.lora_alpha["default"] / rank == module.scaling["default"]
        found[name] = rank
    return found


def scales(model: PeftModel) -> set[float]:
    return {module.scaling["default"] for module in model.modules() if hasattr(module, "lora_A")}


def distinct_ranks(names: list[str]) -> dict[str, int]:
    """0 to 6, so that neighbours and layers 1, 10, 11 and 12 differ."""
    return {name: (3 * number + number // 7) % 7 for number, name in enumerate(names)}


def test_every_module_gets_its_own_rank(tmp_path: Path) -> None:
    model = small_llama(layers=LAYERS)
    model.save_pretrained(tmp_path / "model")
    names = [name for name in linear_names(model) if name != "lm_head"]
    ranks = distinct_ranks(names)
    one = {n: r for n, r in ranks.items() if ".layers.1." in n}
    for other in (10, 11, 12):
        assert list(one.values()) != [r for n, r in ranks.items() if f".layers.{other}." in n]
    plan = write_ranks(tmp_path / "plan.json", ranks)
    for options in ((), ("--checkpoint", tmp_path / "model")):
        folder = exported(plan, tmp_path / "adapter", "--alpha-per-rank", 1.5, *options)
        peft = adapted(small_llama(layers=LAYERS), folder)
        assert found_ranks(peft) == {name: rank for name, rank in ranks.items() if rank > 0}
        assert scales(peft) == {1.5}


def test_the_configuration_is_a_lora_config_and_survives_saving(tmp_path: Path) -> None:
    """`LoraConfig(**json)`, and what peft writes and reads again is the same adapter."""
    model = small_llama()
    ranks = distinct_ranks([name for name in linear_names(model) if name != "lm_head"])
    plan = write_ranks(tmp_path / "plan.json", ranks)
    file = exported(plan, tmp_path / "own.json")
    content = json.loads(file.read_text())
    assert content["r"] == max(ranks.values())
    assert content["lora_alpha"] == 2 * content["r"]
    peft = get_peft_model(model, LoraConfig(**content))
    expected = {name: rank for name, rank in ranks.items() if rank > 0}
    assert found_ranks(peft) == expected
    peft.save_pretrained(tmp_path / "saved")
    again = PeftModel.from_pretrained(small_llama(), tmp_path / "saved")
    assert found_ranks(again) == expected


@pytest.mark.parametrize("grouping", ["module", "block"])
def test_from_statistics_to_the_adapter(tmp_path: Path, grouping: str) -> None:
    """By the commands alone, on one rank and on three."""
    model = small_llama(layers=LAYERS)
    model.save_pretrained(tmp_path / "model")
    names = [name for name in linear_names(model) if name != "lm_head"]
    torch.manual_seed(5)
    gradients = {
        f"{name}.gradient": torch.randn_like(model.get_submodule(name).weight) * (1 + number % 5)
        for number, name in enumerate(names)
    }
    statistics = tmp_path / "statistics.safetensors"
    save_file(gradients, statistics, {"format": "layerbudget.statistics/1"})
    plan = tmp_path / "plan.json"
    done = tool(
        *("allocate", "--statistics", statistics, "--curvature", "identity"),
        *("--group-by", grouping, "--budget", 40, "--integer", "--max", 12, "-o", plan),
    )
    assert done.returncode == 0, done.stderr
    units = json.loads(plan.read_text())["units"]
    ranks = {module: unit["integer"] for unit in units for module in unit["modules"]}
    assert sorted(ranks) == sorted(names)
    assert len(set(ranks.values())) > 1
    assert grouping == "block" or 0 in ranks.values()
    checkpoint = ("--checkpoint", tmp_path / "model")
    folder = exported(plan, tmp_path / "adapter", *checkpoint)
    peft = adapted(model, folder)
    assert found_ranks(peft) == {name: rank for name, rank in ranks.items() if rank > 0}
    assert scales(peft) == {2.0}
    other = tmp_path / "ranked.json"
    assert export(plan, other, *checkpoint, ranks=3).returncode == 0
    assert other.read_bytes() == (folder / "adapter_config.json").read_bytes()


@pytest.mark.parametrize("published", [False, True])
def test_names_that_the_checkpoint_leads_otherwise(tmp_path: Path, published: bool) -> None:
    """GPT-2 is published without `transformer.`; plans and checkpoints may have it or not."""
    folder = save_gpt2(tmp_path / "model")
    if published:
        tensors = read_checkpoint(folder)
        config = json.loads((folder / "config.json").read_text())
        bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
        write_checkpoint(folder, bare, **config)
    model = AutoModelForCausalLM.from_pretrained(folder)
    names = [
        f"transformer.h.{layer}.{part}"
        for layer in range(2)
        for part in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    ]
    ranks = {name: 1 + number for number, name in enumerate(names)}
    for prefix in ("transformer.", ""):
        plan = {prefix + name.removeprefix("transformer."): rank for name, rank in ranks.items()}
        path = write_ranks(tmp_path / "plan.json", plan)
        output = exported(path, tmp_path / "adapter", "--checkpoint", folder)
        content = json.loads((output / "adapter_config.json").read_text())
        led = {name.startswith("transformer.") for name in content["target_modules"]}
        assert led == {not published}
        with warnings.catch_warnings():
            # peft says that it turns fan_in_fan_out on for Conv1D.
            warnings.filterwarnings("ignore", message="fan_in_fan_out")
            peft = get_peft_model(
                AutoModelForCausalLM.from_pretrained(folder), PeftConfig.from_pretrained(output)
            )
        assert found_ranks(peft) == ranks
        assert model is not peft


@pytest.mark.parametrize("stored", ["apart", "fused"])
def test_fused_experts_get_their_rank_through_their_tensor(tmp_path: Path, stored: str) -> None:
    folder = save_qwen3_moe(tmp_path / "model")
    if stored == "fused":
        rewrite_fused(folder, Qwen3MoeForCausalLM)
    ranks: dict[str, int] = {}
    for layer in range(2):
        block = f"model.layers.{layer}"
        ranks |= {f"{block}.self_attn.q_proj": 2 + layer}
        ranks |= {f"{block}.mlp.experts.{e}.gate_up_proj": 3 + layer for e in range(4)}
        ranks |= {f"{block}.mlp.experts.{e}.down_proj": 5 * layer for e in range(4)}
    plan = write_ranks(tmp_path / "plan.json", ranks)
    for options in ((), ("--checkpoint", folder)):
        output = exported(plan, tmp_path / "adapter", *options)
        model = Qwen3MoeForCausalLM.from_pretrained(folder)
        peft = get_peft_model(model, PeftConfig.from_pretrained(output))
        found = {}
        for name, module in peft.base_model.model.named_modules():
            if not hasattr(module, "lora_A"):
                continue
            parameter = getattr(module, "parameter_name", None)
            experts = getattr(module, "num_experts", 1)
            rank = module.lora_A["default"].weight.shape[0] // experts
            plain = name.removesuffix(".base_layer")
            found[plain if parameter in (None, "weight") else f"{plain}.{parameter}"] = rank
        expected = {"model.layers.0.self_attn.q_proj": 2, "model.layers.1.self_attn.q_proj": 3}
        expected |= {f"model.layers.{n}.mlp.experts.gate_up_proj": 3 + n for n in range(2)}
        expected |= {"model.layers.1.mlp.experts.down_proj": 5}
        assert found == expected
    uneven = write_ranks(tmp_path / "plan.json", {**ranks, next(reversed(ranks)): 1})
    assert "one rank" in told(DATA, uneven, tmp_path / "x", "--checkpoint", folder)


def test_names_that_peft_would_match_wrongly_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    small_llama().save_pretrained(folder)
    checkpoint = ("--checkpoint", folder)
    plan = write_ranks(tmp_path / "plan.json", {"model.layers.1.mlp.up_porj": 2})
    message = told(DATA, plan, tmp_path / "x", *checkpoint)
    assert "model.layers.1.mlp.up_porj" in message
    assert "model.layers.1.mlp.up_proj" in message
    # A second trunk with the same names under another prefix: the shorter name matches both.
    tensors = load_file(folder / "model.safetensors")
    tensors |= {
        f"vision.{name}": tensor.clone() for name, tensor in tensors.items() if ".1.mlp." in name
    }
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    plan = write_ranks(tmp_path / "plan.json", {"model.layers.1.mlp.up_proj": 2})
    message = told(DATA, plan, tmp_path / "x", *checkpoint)
    assert "matches 2 modules" in message
    assert "vision.model.layers.1.mlp.up_proj" in message
    assert not (tmp_path / "x").exists()


def test_ranks_above_the_matrix_are_noted(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    small_llama().save_pretrained(folder)
    plan = write_ranks(tmp_path / "plan.json", {"model.layers.1.mlp.up_proj": 13})
    done = export(plan, tmp_path / "x", "--checkpoint", folder)
    assert done.returncode == 0
    assert "rank 13 of [12, 16]" in done.stderr


def test_a_trained_adapter_is_not_written_over(tmp_path: Path) -> None:
    plan = write_ranks(tmp_path / "plan.json", {"model.layers.1.mlp.up_proj": 2})
    folder = exported(plan, tmp_path / "adapter")
    exported(plan, folder)
    (folder / "adapter_model.safetensors").write_bytes(b"")
    before = (folder / "adapter_config.json").read_bytes()
    assert "adapter_model.safetensors" in told(
        TARGET, write_ranks(plan, {"model.layers.1.mlp.up_proj": 3}), folder
    )
    assert (folder / "adapter_config.json").read_bytes() == before
    assert "nowhere" in told(TARGET, plan, tmp_path / "nowhere" / "adapter")
    (tmp_path / "file").write_text("mine")
    assert "is a file" in told(TARGET, plan, tmp_path / "file")
