"""Exports read as their consumers read them: by the same calls, with the same assumptions.

llm-compressor itself is not among the tests' packages, as it needs another transformers; its
recipe parser and its matching (release 0.14.0.1) are followed here by hand. With that release,
recipes of both modifiers and of patterns N:M were run once on a small Llama: docs/formats.md has
the outcome.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import math
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import yaml
from apply_models import block_units, matrices, save_qwen3_moe, small_llama
from apply_runs import Finished, tool, unit, write_plan
from safetensors.torch import load_file, save_file
from torch import nn

DATA, USAGE = 65, 64
LAYERS = 12
# The order in which a Llama makes the linear modules of a block.
PARTS = (
    *("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
    *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
)


def export(plan: Path, to: str, *options: object, ranks: int | None = None) -> Finished:
    return tool("export", plan, "--to", to, *options, ranks=ranks)


def exported(plan: Path, to: str, *options: object) -> str:
    """Standard output gets the very bytes that a file gets, on any number of ranks."""
    output = plan.parent / "exported"
    done = export(plan, to, *options, "-o", output, ranks=2)
    assert done.returncode == 0, done.stderr
    assert str(output) in done.stdout
    assert len(done.stdout.splitlines()) == 1
    printed = export(plan, to, *options, "-o", "-")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == output.read_text()
    return printed.stdout


def counts_plan(path: Path, counts: Sequence[int], shuffled: bool = True) -> Path:
    units = [{"name": f"model.layers.{n}", "integer": count} for n, count in enumerate(counts)]
    order = sorted(units, key=lambda own: own["name"]) if shuffled else units
    path.write_text(
        json.dumps({"format": "layerbudget.plan/1", "program": "capacity", "units": order})
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small_llama(layers=LAYERS).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def planned_by_prune(tmp_path: Path, folder: Path, grouping: str, *options: object) -> Path:
    """A plan of the tool's own, from gradients and curvature that differ from layer to layer."""
    torch.manual_seed(8)
    statistics = {}
    for name, weight in load_file(folder / "model.safetensors").items():
        module = name.removesuffix(".weight")
        if not module.endswith(PARTS):
            continue
        scale = 0.5 + torch.rand(()).item()
        statistics[f"{module}.gradient"] = scale * torch.randn_like(weight)
        statistics[f"{module}.fisher_diagonal"] = scale * torch.rand_like(weight)
    path = tmp_path / "statistics.safetensors"
    save_file(statistics, path, {"format": "layerbudget.statistics/1"})
    plan = tmp_path / "plan.json"
    done = tool(
        *("prune", "--statistics", path, "--curvature", "diagonal", "--checkpoint", folder),
        *("--group-by", grouping, *options, "-o", plan, "--quiet"),
    )
    assert done.returncode == 0, done.stderr
    return plan


def test_mola_reads_its_lists_from_a_shell_script(tmp_path: Path) -> None:
    counts = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    plan = counts_plan(tmp_path / "plan.json", counts)
    text = exported(plan, "mola", "--top-k", 4)
    script = text + 'printf "%s\\n" "$number_experts" "$top_k"'
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    experts, chosen = ([int(n) for n in line.split(",")] for line in said.stdout.splitlines())
    assert experts == counts
    assert chosen == [min(4, count) for count in counts]


def megatron_arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--num-experts", type=int, nargs="+", default=[1])
    parser.add_argument("--expert-interval", type=int, default=2)
    return parser


@pytest.mark.parametrize("interval", [1, 2, 3])
def test_megatron_deepspeed_gives_each_layer_its_experts(tmp_path: Path, interval: int) -> None:
    """Its transformer takes `num_experts[(layer - 1) // interval]` where a layer is a multiple."""
    planned = {n: 2 + n for n in range(LAYERS) if (n + 1) % interval == 0}
    units = [{"name": f"model.layers.{n}", "integer": count} for n, count in planned.items()]
    plan = tmp_path / "plan.json"
    plan.write_text(
        json.dumps({"format": "layerbudget.plan/1", "program": "capacity", "units": units})
    )
    arguments = megatron_arguments().parse_args(exported(plan, "deepspeed").split())
    assert len(arguments.num_experts) == LAYERS // arguments.expert_interval
    built = {
        number - 1: arguments.num_experts[(number - 1) // arguments.expert_interval]
        for number in range(1, LAYERS + 1)
        if number % arguments.expert_interval == 0
    }
    assert built == planned


def test_deepspeed_inference_takes_a_configuration(tmp_path: Path) -> None:
    plan = counts_plan(tmp_path / "plan.json", [2, 4, 8])
    done = export(plan, "deepspeed", "-o", tmp_path / "config.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "config.json").read_text()) == {"moe": {"num_experts": [2, 4, 8]}}


def test_the_paper_authors_take_a_share_per_block(tmp_path: Path, folder: Path) -> None:
    path = planned_by_prune(tmp_path, folder, "block", "--sparsity", 0.5, "--max", 0.8)
    plan = json.loads(path.read_text())
    read = json.loads(exported(path, "rho", "--checkpoint", folder))
    by_name = {own["name"]: own for own in plan["units"]}
    blocks = [by_name[f"model.layers.{n}"] for n in range(LAYERS)]
    assert read["rho_l"] == [own["continuous"] for own in blocks]
    assert len(set(read["rho_l"])) > 3
    assert read["minmax"] == [0.8] * LAYERS
    assert read["lambda"] == plan["price"]
    total = sum(own["weights"] for own in blocks)
    assert read["total_params"] == total
    assert read["target_sparsity"] == plan["budget"]
    assert math.isclose(read["computed_sparsity"], 0.5 * total, rel_tol=1e-9)
    # main.py: seven linear modules per block.
    ratios = [ratio for ratio in read["rho_l"] for _ in range(7)]
    assert ratios == ast.literal_eval(exported(path, "owl", "--checkpoint", folder))


def test_owl_ratios_meet_their_modules(tmp_path: Path, folder: Path) -> None:
    """The readers walk over `named_modules` of each block and take the next ratio."""
    path = planned_by_prune(tmp_path, folder, "module", "--sparsity", 0.5)
    plan = json.loads(path.read_text())
    shares = {own["name"]: own["continuous"] for own in plan["units"]}
    assert len(set(shares.values())) > 40
    ratios = iter(ast.literal_eval(exported(path, "owl")))
    for number, block in enumerate(small_llama(layers=LAYERS).model.layers):
        for name, module in block.named_modules():
            if isinstance(module, nn.Linear):
                assert next(ratios) == shares[f"model.layers.{number}.{name}"]
    assert next(ratios, None) is None


def targeted(recipe: str, model: nn.Module) -> dict[str, tuple[str, float, str]]:
    """What each linear module gets: type, sparsity and mask structure, each module once at most.

    As `Recipe.from_dict` goes over stages, groups and types, and `match_name` over targets.
    """
    found: dict[str, tuple[str, float, str]] = {}
    for stage, groups in yaml.safe_load(recipe).items():
        assert stage.endswith("_stage")
        for group, modifiers in groups.items():
            assert group.endswith("_modifiers")
            for kind, own in modifiers.items():
                assert set(own) == {"sparsity", "mask_structure", "targets"}
                assert isinstance(own["sparsity"], float)
                assert isinstance(own["mask_structure"], str)
                for target in own["targets"]:
                    pattern = target.removeprefix("re:")
                    hits = [name for name, _ in model.named_modules() if re.match(pattern, name)]
                    assert len(hits) == 1, (target, hits)
                    assert hits[0] not in found
                    found[hits[0]] = (kind, own["sparsity"], own["mask_structure"])
    return found


@pytest.mark.parametrize("grouping", ["block", "module"])
def test_llm_compressor_prunes_each_module_by_its_share(
    tmp_path: Path, folder: Path, grouping: str
) -> None:
    path = planned_by_prune(tmp_path, folder, grouping, "--sparsity", 0.4, "--max", 0.9)
    plan = json.loads(path.read_text())
    shares = {module: own["continuous"] for own in plan["units"] for module in own["modules"]}
    for method, kind in (("sparsegpt", "SparseGPTModifier"), ("wanda", "WandaPruningModifier")):
        recipe = exported(path, "llm-compressor", "--method", method, "--checkpoint", folder)
        found = targeted(recipe, small_llama(layers=LAYERS))
        assert found == {name: (kind, share, "0:0") for name, share in shares.items() if share > 0}


def test_llm_compressor_takes_patterns(tmp_path: Path, folder: Path) -> None:
    path = planned_by_prune(
        tmp_path, folder, "module", "--sparsity", 0.2, "--pattern", "0:4,1:4,2:4"
    )
    plan = json.loads(path.read_text())
    patterns = {own["name"]: own["pattern"] for own in plan["units"]}
    assert set(patterns.values()) == {"0:4", "1:4", "2:4"}
    found = targeted(exported(path, "llm-compressor"), small_llama(layers=LAYERS))
    assert found == {
        name: ("SparseGPTModifier", int(pattern[0]) / 4, pattern)
        for name, pattern in patterns.items()
        if pattern != "0:4"
    }


@pytest.mark.parametrize("grouping", ["block", "module"])
def test_evopress_levels_keep_the_total(tmp_path: Path, folder: Path, grouping: str) -> None:
    """Level l of its database removes `sparsity · n + l · weights_diff` of n weights."""
    options = ("--sparsity", 0.5, "--min", 0.3, "--max", 0.7)
    path = planned_by_prune(tmp_path, folder, grouping, *options)
    plan = json.loads(path.read_text())
    step, levels = 5, 30
    sizes = matrices(folder)
    settings = ("--level-step", step, "--levels", levels, "--checkpoint", folder)
    text = exported(path, "evopress", *settings)
    chosen: dict[str, int] = {}
    for line in text.splitlines():
        layer_name, level = line.split(":")
        small_llama(layers=LAYERS).get_submodule(layer_name.strip(" "))
        chosen[layer_name] = int(level)
    shares = {module: own["continuous"] for own in plan["units"] for module in own["modules"]}
    assert chosen.keys() == shares.keys()
    for name, level in chosen.items():
        n = sizes[name]
        assert abs(0.5 * n + level * step - shares[name] * n) < step + 1
        assert -min(0.5 // (step / n), levels) <= level <= min(0.5 // (step / n), levels)
    removed = sum(0.5 * sizes[name] + level * step for name, level in chosen.items())
    assert plan["budget"] - step < removed <= plan["budget"]


def test_a_table_says_what_the_plan_says(tmp_path: Path, folder: Path) -> None:
    path = planned_by_prune(tmp_path, folder, "module", "--sparsity", 0.5)
    plan = json.loads(path.read_text())
    rows = list(csv.DictReader(exported(path, "csv").splitlines()))
    assert len(rows) == len(plan["units"])
    for row, own in zip(rows, plan["units"], strict=True):
        for field, value in row.items():
            expected = own.get(field)
            assert value == ("" if expected is None else value)
            if isinstance(expected, int | float):
                assert float(value) == expected
            elif expected is not None:
                assert value == expected


def test_names_and_blocks_are_held_against_the_checkpoint(tmp_path: Path, folder: Path) -> None:
    def told(plan: Path, to: str, *options: object) -> str:
        done = export(plan, to, "--checkpoint", folder, "-o", tmp_path / "x", *options)
        assert done.returncode == DATA, done.stderr
        assert not (tmp_path / "x").exists()
        return done.stderr

    short = counts_plan(tmp_path / "plan.json", [2] * (LAYERS - 1))
    for to in ("mola", "deepspeed"):
        message = told(short, to)
        assert f"{LAYERS - 1} units" in message
        assert f"{LAYERS} blocks" in message
    wrong = write_plan(tmp_path / "plan.json", [unit("model.layers.1.mlp.up_porj", 10, 192)])
    for to in ("owl", "llm-compressor", "csv"):
        assert "model.layers.1.mlp.up_proj" in told(wrong, to)
    assert "up_proj" in told(wrong, "evopress", "--level-step", 1)


def test_experts_that_are_slices_are_no_modules(tmp_path: Path) -> None:
    folder = save_qwen3_moe(tmp_path / "model")
    modules = [f"model.layers.0.mlp.experts.{e}.gate_up_proj" for e in range(4)]
    own = unit("model.layers.0", 10, 4 * 24 * 16, modules)
    plan = write_plan(tmp_path / "plan.json", [own | {"continuous": 0.5}])
    for to in ("owl", "llm-compressor"):
        done = export(plan, to, "--checkpoint", folder, "-o", tmp_path / "x")
        assert done.returncode == DATA
        assert "slice of the tensor" in done.stderr


def test_plans_of_the_other_program_are_refused(tmp_path: Path, folder: Path) -> None:
    pruning = write_plan(
        tmp_path / "pruning.json", block_units(matrices(folder), 0.5), program="pruning"
    )
    capacity = counts_plan(tmp_path / "capacity.json", [2, 2])
    for plan, formats in (
        (pruning, ("peft", "mola", "deepspeed")),
        (capacity, ("rho", "owl", "llm-compressor", "evopress")),
    ):
        for to in formats:
            options = ("--level-step", 1) if to == "evopress" else ()
            done = export(plan, to, *options, "-o", tmp_path / "x", ranks=2)
            assert done.returncode == DATA, done.stderr
            assert "such a plan fits" in done.stderr
        assert export(plan, "csv", "-o", tmp_path / "x").returncode == 0


def test_options_of_other_formats_are_usage_errors(tmp_path: Path) -> None:
    plan = counts_plan(tmp_path / "plan.json", [2, 2])
    for to, options in (
        ("mola", ("--alpha-per-rank", 1)),
        ("peft", ("--top-k", 2)),
        ("mola", ("--top-k", 0)),
        ("peft", ("--alpha-per-rank", -1)),
        ("rho", ("--method", "wanda")),
        ("evopress", ()),
        ("evopress", ("--level-step", 0)),
        ("evopress", ("--level-step", 1, "--level-sparsity", 1.5)),
        ("onnx", ()),
    ):
        done = export(plan, to, *options, "-o", tmp_path / "x")
        assert done.returncode == USAGE, (to, options, done.stderr)
