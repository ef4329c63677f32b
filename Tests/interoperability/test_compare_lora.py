"""`compare_lora.py`: budgets never exceeded, ranks in the model those of the plan, a whole run."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import pytest
import torch
from collector_models import save_gpt2, save_llama
from collector_reference import collected, write_bytes
from torch.nn import functional
from transformers import AutoModelForCausalLM

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))
sys.path.insert(0, str(REPOSITORY / "launch"))

import compare_lora  # noqa: E402
from layerbudget_statistics.plain_errors import CommandError  # noqa: E402
from lora_comparison import adalora  # noqa: E402
from lora_comparison.adapters import check_ranks, ranks_in, with_ranks  # noqa: E402
from lora_comparison.comparison import gradients_in  # noqa: E402
from lora_comparison.eva import Eva, input_batches  # noqa: E402
from lora_comparison.grid import (  # noqa: E402
    FIRST_GAIN,
    UNIFORM,
    Allocation,
    allocations_of,
)
from lora_comparison.plans import RankPlanner  # noqa: E402
from lora_comparison.ranks import (  # noqa: E402
    Target,
    budget_of,
    parameters,
    random_ranks,
    shuffled_ranks,
    targets_of,
    uniform_ranks,
)
from lora_comparison.rows import LoraRows, row_of  # noqa: E402
from lora_comparison.total_rank import fitted, spread  # noqa: E402
from lora_comparison.training import Schedule, batches, train  # noqa: E402
from pruning_comparison.tool import Tool  # noqa: E402

LENGTH = 12
MODULES = 14  # of the tiny Llama: seven in each of two blocks


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Folder of a model, its statistics, a text."""
    folder = tmp_path_factory.mktemp("lora")
    model = save_llama(folder / "tiny", bias=False)
    text = write_bytes(folder / "text.txt", 16 * LENGTH + 1)
    statistics = folder / "statistics.safetensors"
    sizes = ("--sequences", 16, "--length", LENGTH, "--folds", 4)
    collected("--model", model, "--text", text, "-o", statistics, *sizes)
    return model, statistics, text


def loaded(folder: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def targets_in(tiny: tuple[Path, Path, Path]) -> list[Target]:
    return targets_of(loaded(tiny[0]), gradients_in(tiny[1]))


def command(tiny: tuple[Path, Path, Path], output: Path, *more: object) -> list[str]:
    model, statistics, text = tiny
    words = [model, "--statistics", statistics, "--calibration", text, "--training", text]
    words += ["--text", text, "--layerbudget", TOOL, "-o", output, "--length", LENGTH]
    words += ["--steps", 8, "--batch-size", 2, "--windows", 6, "--threads", 1]
    words += ["--tuning-windows", 4, "--calibration-windows", 16, "--name", "tiny"]
    return [*map(str, (*words, *more))]


def read_rows(file: Path) -> list[dict]:
    found = json.loads(file.read_text())
    return [dict(zip(found["columns"], values, strict=True)) for values in found["rows"]]


def test_ranks_cost_what_peft_adds(tiny: tuple[Path, Path, Path]) -> None:
    targets = targets_in(tiny)
    assert len(targets) == MODULES
    ranks = tuple(place % 4 for place in range(MODULES))
    model = with_ranks(loaded(tiny[0]), targets, ranks, 2.0, 0)
    assert ranks_in(model, targets) == ranks
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    assert sum(one.numel() for one in trained.values()) == parameters(targets, ranks)
    assert all("lora_" in name for name in trained)
    for target, rank in zip(targets, ranks, strict=True):
        module = model.get_submodule(f"base_model.model.{target.name}")
        if rank:
            assert module.scaling["default"] == pytest.approx(2.0)
        else:
            assert not hasattr(module, "lora_A")


def test_other_ranks_than_planned_are_found(tiny: tuple[Path, Path, Path]) -> None:
    targets = targets_in(tiny)
    model = with_ranks(loaded(tiny[0]), targets, (2,) * MODULES, 2.0, 0)
    with pytest.raises(CommandError, match="rank 2, the plan says 3"):
        check_ranks(model, targets, (2,) * (MODULES - 1) + (3,), 2.0)
    with pytest.raises(CommandError, match="scales .* by 2.0, not 1.0"):
        check_ranks(model, targets, (2,) * MODULES, 1.0)
    with pytest.raises(CommandError, match="nothing to train"):
        with_ranks(loaded(tiny[0]), targets, (0,) * MODULES, 2.0, 0)


def test_names_that_end_in_others_keep_their_ranks() -> None:
    """A dot of a name is no wildcard, and a name at the end of another is not the other."""

    class Model(torch.nn.Module):
        def __init__(self, inner: torch.nn.Module | None = None) -> None:
            super().__init__()
            self.b = torch.nn.Linear(4, 4, bias=False)
            self.a = inner
            self.prepare_inputs_for_generation = None
            self.config = {"model_type": "none", "tie_word_embeddings": False}

    targets = [Target(name, 4, 4) for name in ("b", "a.b", "a.a.b")]
    for ranks in ((3, 1, 2), (1, 0, 2), (2, 0, 0), (0, 3, 0)):
        model = with_ranks(Model(Model(Model())), targets, ranks, 1.0, 0)
        assert ranks_in(model, targets) == ranks


def test_gpt2s_turned_matrices(tmp_path: Path) -> None:
    model = loaded(save_gpt2(tmp_path / "gpt2"))
    names = ["transformer.h.0.mlp.c_fc", "transformer.h.0.mlp.c_proj"]
    targets = targets_of(model, names)
    assert [(one.inputs, one.outputs) for one in targets] == [(16, 64), (64, 16)]
    adapted = with_ranks(model, targets, (3, 2), 2.0, 0)
    assert ranks_in(adapted, targets) == (3, 2)


def test_uniform_ranks_are_the_largest_that_fit() -> None:
    targets = [Target("a", 10, 6), Target("b", 4, 4)]
    assert uniform_ranks(targets, budget_of(targets, 2)) == (2, 2)
    assert uniform_ranks(targets, budget_of(targets, 2.9)) == (2, 2)
    for wrong in (0.5, 5):
        with pytest.raises(CommandError, match="not within 1 ... 4"):
            uniform_ranks(targets, budget_of(targets, wrong))


def test_random_ranks_use_the_budget_and_no_more() -> None:
    targets = [Target(f"m.{place}.x", 8 + place, 6) for place in range(9)]
    for seed in range(40):
        ranks = random_ranks(targets, 700, torch.Generator().manual_seed(seed))
        left = 700 - parameters(targets, ranks)
        assert left >= 0 and all(0 <= rank <= 6 for rank in ranks)
        for target, rank in zip(targets, ranks, strict=True):
            assert rank == 6 or target.cost > left


def test_shuffled_ranks_stay_in_their_kind() -> None:
    targets = [
        Target(f"m.{block}.{kind}", size, size)
        for block in range(6)
        for kind, size in (("q", 8), ("up", 20))
    ]
    ranks = tuple(range(12))
    found = shuffled_ranks(targets, ranks, torch.Generator().manual_seed(1))
    assert found != ranks and parameters(targets, found) == parameters(targets, ranks)
    for kind in (0, 1):
        assert sorted(found[kind::2]) == sorted(ranks[kind::2])


def test_the_total_of_ranks_is_the_largest_that_fits() -> None:
    assert spread(7, 3) == (2, 2, 3) and sum(spread(101, 84)) == 101
    for price in (0.5, 1.0, 7.3):
        tried = []

        def attempt(total: int, price: float = price, tried: list = tried) -> tuple[int, int]:
            tried.append(total)
            return math.ceil(total * price) + 3, total

        cost, total = fitted(1000, 400, attempt)
        assert 970 <= cost <= 1000 and cost == math.ceil(total * price) + 3
        assert len(set(tried)) == len(tried)
    with pytest.raises(CommandError, match="were all above 1000"):
        fitted(1000, 400, lambda total: (2000, total))


def test_eva_stays_within_and_begins_with_directions(tiny: tuple[Path, Path, Path]) -> None:
    targets = targets_in(tiny)
    windows = torch.randint(0, 256, (8, LENGTH + 1), generator=torch.Generator().manual_seed(0))
    base = loaded(tiny[0])
    eva = Eva(base, targets, 2.0, 0, input_batches(windows, 4))
    budget = budget_of(targets, 2)
    model, ranks = eva.redistributed(budget, 2 * MODULES)
    assert ranks_in(model, targets) == ranks and len(set(ranks)) > 1
    assert 0.9 * budget <= parameters(targets, ranks) <= budget
    name = next(one.name for one, rank in zip(targets, ranks, strict=True) if rank > 1)
    directions = model.get_submodule(f"base_model.model.{name}").lora_A["default"].weight
    gram = directions @ directions.T
    torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-4, rtol=0)
    assert ranks_in(eva.uniform((2,) * MODULES), targets) == (2,) * MODULES
    with torch.no_grad():  # B is 0: nothing has changed yet
        first = model(input_ids=windows[:, :-1]).logits
        torch.testing.assert_close(first, base(input_ids=windows[:, :-1]).logits)


def test_adalora_ends_within_the_budget(tiny: tuple[Path, Path, Path]) -> None:
    targets, tokens = targets_in(tiny), torch.arange(400) % 251
    budget, schedule = budget_of(targets, 2), Schedule(10, 2, LENGTH)
    model, ranks, spent = adalora.trained(
        loaded(tiny[0]),
        targets,
        budget,
        2.0,
        0,
        schedule.steps,
        lambda model, after: train(model, tokens, schedule, 0.05, 0, after),
    )
    assert spent == parameters(targets, ranks) + sum(ranks) <= budget
    assert spent > 0.9 * budget and len(set(ranks)) > 1
    for target, rank in zip(targets, ranks, strict=True):
        values = model.get_submodule(f"base_model.model.{target.name}").lora_E["default"]
        assert len(values) == 3 and int((values != 0).sum()) == rank


def test_training_is_the_same_for_the_same_seed(tiny: tuple[Path, Path, Path]) -> None:
    targets, tokens = targets_in(tiny), torch.arange(400) % 5
    schedule = Schedule(30, 2, LENGTH)
    expected = [1 / 3, 2 / 3, 1.0, 1.0, 26 / 27, 1 / 27]
    assert [schedule.factor(step) for step in (0, 1, 2, 3, 4, 29)] == pytest.approx(expected)

    def trained(seed: int) -> torch.nn.Module:
        model = with_ranks(loaded(tiny[0]), targets, (2,) * MODULES, 2.0, seed)
        train(model, tokens, schedule, 0.02, seed)
        return model

    first, again, other = trained(0), trained(0), trained(1)
    name = "base_model.model.model.layers.0.mlp.up_proj.lora_B.default.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])
    window = tokens[None, : LENGTH + 1]

    def loss(model: torch.nn.Module) -> float:
        with torch.no_grad():
            logits = model(input_ids=window[:, :-1]).logits
        return float(functional.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten()))

    assert loss(first) < loss(loaded(tiny[0])) - 1
    for name, weight in loaded(tiny[0]).named_parameters():
        kept = name.replace("_proj.weight", "_proj.base_layer.weight")
        assert torch.equal(weight, first.state_dict()[f"base_model.model.{kept}"])
    with pytest.raises(CommandError, match="too few for one window"):
        next(batches(tokens[:LENGTH], schedule, 0))


def test_grids_hold_each_allocation_once_and_begin_with_uniform() -> None:
    for grids in (
        ["uniform"],
        ["adalora"],
        ["contenders"],
        ["full"],
        ["spectrum"],
        ["full", "spectrum"],
    ):
        found = allocations_of(grids)
        assert found[0] == UNIFORM and len(set(found)) == len(found)
        assert len({one.label for one in found}) == len(found)


def test_rows_of_another_text_are_refused(tmp_path: Path) -> None:
    rows = LoraRows(tmp_path / "rows.json", {"text": "one"})
    row = row_of(2.0, 0.01, Allocation("random"))
    values = dict.fromkeys(set(LoraRows.columns) - set(row), 0)
    rows.add({**row, **values})
    rows.write()
    again = LoraRows(tmp_path / "rows.json", {"text": "one"})
    assert again.rows == rows.rows and again.has(row)
    assert not again.has(row_of(2.0, 0.02, Allocation("random")))
    with pytest.raises(CommandError, match="another text"):
        LoraRows(tmp_path / "rows.json", {"text": "two"})


def test_a_whole_run(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    output, work = tmp_path / "rows.json", tmp_path / "work"
    words = command(tiny, output, "--ranks", 2, 2.5, "--grid", "full", "--work", work)
    assert compare_lora.main([*words, "--limit-minutes", "0"]) == 75
    assert read_rows(output) == []
    assert compare_lora.main(words) == 0
    rows, targets = read_rows(output), targets_in(tiny)
    assert len(rows) == 2 * len(allocations_of(["full"]))
    by_label = {}
    for row in rows:
        ranks = tuple(row["ranks"])
        extra = sum(ranks) if row["training"] == "adalora" else 0
        assert row["budget"] == budget_of(targets, row["rank"])
        assert row["parameters"] == parameters(targets, ranks) + extra <= row["budget"]
        assert math.isfinite(row["loss"]) and row["unadapted"] == ranks.count(0)
        by_label[(row["rank"], row["rule"], row["curvature"], row["gain"], row["beta"])] = ranks
        if row["rule"] == "uniform":
            assert set(ranks) == {2}
            is_plain = row["training"] == "ordinary"
            assert is_plain == (row["difference"] == row["standard_error"] == 0)
        if row["rule"] in ("gain", "gradient-norm"):
            assert row["parameters"] > 0.95 * row["budget"]
        if row["least"] == 1:
            assert min(ranks) >= 1
    for rank in (2, 2.5):
        plan = work / f"gain_kfac_cross-fitted_beta-0.5_{budget_of(targets, rank)}.json"
        units = {one["name"]: one["integer"] for one in json.loads(plan.read_text())["units"]}
        planned = tuple(units[target.name] for target in targets)
        assert by_label[(rank, "gain", "kfac", "cross-fitted", 0.5)] == planned
    before = output.read_bytes()
    assert compare_lora.main(words) == 0  # nothing is left to compute
    assert output.read_bytes() == before


def test_a_run_goes_on_where_it_stopped(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.json", tmp_path / "parts.json"
    assert compare_lora.main(command(tiny, whole, "--ranks", 2)) == 0
    assert compare_lora.main(command(tiny, parts, "--ranks", 2, "--grid", "uniform")) == 0
    assert len(read_rows(parts)) == 1
    assert compare_lora.main(command(tiny, parts, "--ranks", 2)) == 0

    def timeless(file: Path) -> list[dict]:
        return [{**row, "seconds": 0} for row in read_rows(file)]

    assert timeless(whole) == timeless(parts)


def test_an_older_tool_is_told_apart(
    tiny: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 0\n")
    old.chmod(0o755)
    words = command(tiny, tmp_path / "rows.json", "--ranks", 2)
    words[words.index(TOOL)] = str(old)
    assert compare_lora.main(words) == 64
    assert "has no 'allocate --unit rank'" in capsys.readouterr().err


def test_an_exported_plan_gives_the_same_adapters(
    tiny: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    targets = targets_in(tiny)
    planner = RankPlanner(Tool(TOOL), targets, tiny[1], tmp_path, 0)
    budget = budget_of(targets, 2)
    ranks = planner.plan(FIRST_GAIN, budget)
    file = planner.exported(FIRST_GAIN, budget, tiny[0], 1.5)
    assert file is not None and planner.exported(UNIFORM, budget, tiny[0], 1.5) is None
    by_tool = with_ranks(loaded(tiny[0]), targets, ranks, 1.5, 0, file)
    here = with_ranks(loaded(tiny[0]), targets, ranks, 1.5, 0)
    assert len(set(ranks)) > 1 and ranks_in(by_tool, targets) == ranks
    for name, weight in here.state_dict().items():
        assert torch.equal(weight, by_tool.state_dict()[name]), name


def test_spectra(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    output = tmp_path / "rows.json"
    assert compare_lora.main(command(tiny, output, "--ranks", 2, "--grid", "spectrum")) == 0
    for row in read_rows(output):
        assert 0.9 * row["budget"] < row["parameters"] <= row["budget"]
        assert row["largest_rank"] <= 16


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--ranks", 0.4), 64, "a uniform rank of 0 is not within 1 ... 8"),
        (("--ranks", 9), 64, "a uniform rank of 9 is not within 1 ... 8"),
        (("--ranks", -1), 64, "must be above 0"),
        (("--training", "nowhere.txt"), 66, "--training nowhere.txt is not a file"),
        (("--text", "nowhere.txt"), 66, "--text nowhere.txt is not a file"),
        (("--statistics", "nowhere"), 66, "no statistics file"),
        (("--layerbudget", "nowhere"), 66, "not a command that can be run"),
        (("--length", 300), 65, "too few for one window of 300"),
        (("--grid", "everything"), 64, "invalid choice"),
    ],
)
def test_bad_input_is_told_in_one_line(
    tiny: tuple[Path, Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[object, ...],
    code: int,
    told: str,
) -> None:
    assert compare_lora.main(command(tiny, tmp_path / "rows.json", *more)) == code
    error = capsys.readouterr().err
    assert told in error and error.count("\n") == 1
    assert not (tmp_path / "rows.json").exists()


def test_statistics_of_another_model(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    other = save_gpt2(tmp_path / "gpt2")
    with pytest.raises(CommandError, match="no linear layer of the model"):
        targets_of(loaded(other), gradients_in(tiny[1]))
