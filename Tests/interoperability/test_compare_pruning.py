"""`compare_pruning.py`: the other methods' shares, exact counts, the grids, and a whole run."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from collector_models import save_gpt2, save_llama
from collector_reference import causal_loss, collected, windows, write_bytes
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))
sys.path.insert(0, str(REPOSITORY / "launch"))

import compare_pruning  # noqa: E402
import unit_losses  # noqa: E402
from pruning_comparison.baselines import (  # noqa: E402
    alpha_shares,
    hill_exponent,
    mean_curvature,
    outlier_share,
    owl_shares,
)
from pruning_comparison.damage_masks import unit_masks  # noqa: E402
from pruning_comparison.grid import Allocation, allocations_of  # noqa: E402
from pruning_comparison.plans import Measures, Unit, matrix_of  # noqa: E402
from pruning_comparison.pruned_model import take_weights, zeros_in  # noqa: E402
from pruning_comparison.rows import Rows  # noqa: E402
from pruning_comparison.shares import exact_counts, mean_share, scaled, shifted  # noqa: E402
from pruning_comparison.stored_statistics import StoredStatistics  # noqa: E402

SIZES = [700, 1200, 31, 999]
SPARSITIES = [0.0, 0.013, 0.3, 0.5, 0.7, 0.999, 1.0]


def test_outlier_share_counts_what_owl_counts() -> None:
    generator = np.random.default_rng(0)
    weights = [generator.standard_t(2, (6, 5)), generator.standard_t(2, (4, 7))]
    moments = [generator.random(5), generator.random(7)]
    every = np.concatenate(
        [(abs(w) * np.sqrt(a)[None, :]).ravel() for w, a in zip(weights, moments, strict=True)]
    )
    expected = float(np.mean(every > 2.5 * every.mean()))
    found = outlier_share([*map(torch.tensor, weights)], [*map(torch.tensor, moments)], 2.5)
    assert found == pytest.approx(expected) and 0 < found < 0.5


def test_owl_of_equal_blocks_is_its_repositorys_formula() -> None:
    outliers, sparsity, width = np.array([0.9, 2.4, 1.1, 1.9]), 0.6, 0.08
    kept = (outliers - outliers.min()) / (outliers.max() - outliers.min()) * 2 * width
    expected = 1 - (kept - kept.mean() + 1 - sparsity)
    assert owl_shares([500] * 4, list(outliers), sparsity) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_owl_of_unequal_blocks_removes_what_was_asked(sparsity: float) -> None:
    shares = owl_shares(SIZES, [0.9, 2.4, 1.1, 1.9], sparsity)
    assert all(0 <= share <= 1 for share in shares)
    assert mean_share(SIZES, shares) == pytest.approx(sparsity, abs=1e-12)
    assert shares[0] >= shares[2] >= shares[3] >= shares[1]


def test_hill_exponent_of_known_eigenvalues() -> None:
    eigenvalues = [1.0, 2.0, 3.0, 5.0, 9.0]  # the upper half begins with 3
    rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    weight = rotation @ torch.tensor(eigenvalues, dtype=torch.float64).sqrt().diag()
    expected = 1 + 3 / (math.log(5 / 3) + math.log(9 / 3))
    assert hill_exponent(weight) == pytest.approx(expected, rel=1e-12)
    assert hill_exponent(torch.cat([weight, weight * 0])) == pytest.approx(expected, rel=1e-12)


def test_hill_exponent_finds_the_exponent_of_a_power_law() -> None:
    quantiles = (torch.arange(2000, dtype=torch.float64) + 0.5) / 2000
    for exponent in (2.0, 3.5):
        eigenvalues = (1 - quantiles) ** (-1 / (exponent - 1))
        assert hill_exponent(eigenvalues.sqrt().diag()) == pytest.approx(exponent, rel=0.02)


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_alphapruning_removes_what_was_asked(sparsity: float) -> None:
    exponents = [2.0, 4.0, 3.0, 2.5]
    shares = alpha_shares(SIZES, exponents, sparsity)
    assert all(0 <= share <= 1 for share in shares)
    assert mean_share(SIZES, shares) == pytest.approx(sparsity, abs=1e-12)
    if sparsity == 0.5:  # none cut: the ratios are those of 0.7, 1.3, 1.0 and 0.85
        assert [s / shares[0] for s in shares] == pytest.approx([1, 1.3 / 0.7, 1 / 0.7, 0.85 / 0.7])


def test_equal_measures_give_uniform_shares() -> None:
    for make in (owl_shares, alpha_shares):
        assert make(SIZES, [1.5] * 4, 0.6) == pytest.approx([0.6] * 4, abs=1e-12)


def test_shares_are_cut_at_both_ends() -> None:
    assert shifted([10, 10], [0.0, 0.9], 0.95) == pytest.approx([0.9, 1.0])
    assert shifted([10, 10], [-0.5, 0.2], 0.1) == pytest.approx([0.0, 0.2])
    assert scaled([10, 10], [1.0, 3.0], 0.75) == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_counts_add_up_exactly_and_stay_near_their_shares(sparsity: float) -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        sizes = generator.integers(1, 5000, 17).tolist()
        total = round(sparsity * sum(sizes))
        shares = shifted(sizes, generator.random(17).tolist(), total / sum(sizes))
        counts = exact_counts(sizes, shares, total)
        assert sum(counts) == total
        for size, share, count in zip(sizes, shares, counts, strict=True):
            assert 0 <= count <= size and abs(count - size * share) < 1 + 1e-9 * size


def test_ties_of_remainders_go_to_the_first() -> None:
    assert exact_counts([3, 3, 3, 3], [0.5] * 4, 6) == [2, 2, 1, 1]
    with pytest.raises(ValueError, match="cannot remove"):
        exact_counts([3], [0.5], 4)


def test_mean_curvature_is_weighted_by_size() -> None:
    assert mean_curvature([1, 3], [8.0, 4.0]) == pytest.approx(5.0)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """Folder of a model, its statistics, a text."""
    folder = tmp_path_factory.mktemp("comparison")
    model = save_llama(folder / "tiny", bias=False)
    text = write_bytes(folder / "text.txt", 8 * 12 + 1)
    statistics = folder / "statistics.safetensors"
    collected("--model", model, "--text", text, "-o", statistics, "--sequences", 8, "--length", 12)
    return model, statistics, text


def test_measures_read_the_statistics_and_the_first_weights(tiny: tuple[Path, Path, Path]) -> None:
    folder, statistics, _ = tiny
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    stored = load_file(statistics)
    measures = Measures(model, StoredStatistics(statistics))
    down = model.get_submodule("model.layers.1.mlp.down_proj")
    unit = Unit("down", ("model.layers.1.mlp.down_proj",), down.weight.numel())
    weight = down.weight.detach().clone()
    a, g = (
        stored[f"model.layers.1.mlp.down_proj.{kind}_covariance"].double().diagonal()
        for kind in ("activation", "gradient")
    )
    down.weight.data.zero_()
    assert measures.mean_curvature(unit) == pytest.approx(float(torch.outer(g, a).mean()))
    assert measures.outlier_share(unit) == outlier_share([weight], [a])
    assert measures.exponent(unit) == hill_exponent(weight)


def test_one_model_takes_the_weights_of_another_folder(tmp_path: Path) -> None:
    """GPT-2 ties its head and stores its matrices turned."""
    folder = save_gpt2(tmp_path / "first")
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    name = "transformer.h.0.mlp.c_fc"
    assert matrix_of(model, name).shape == (64, 16)
    other = AutoModelForCausalLM.from_pretrained(folder)
    other.get_submodule(name).weight.data[:, :10] = 0
    other.save_pretrained(tmp_path / "second")
    take_weights(model, tmp_path / "second")
    assert zeros_in(model, [name]) == 160
    for key, value in other.state_dict().items():
        assert torch.equal(model.state_dict()[key], value)


def test_damage_masks_take_the_cheapest_weights(tiny: tuple[Path, Path, Path]) -> None:
    folder, statistics, _ = tiny
    model = AutoModelForCausalLM.from_pretrained(folder)
    measures = Measures(model, StoredStatistics(statistics))
    names = ["model.layers.0.mlp.up_proj", "model.layers.0.self_attn.k_proj"]
    stored = load_file(statistics)
    fisher = [
        0.5 * measures.weight(name).double() ** 2 * stored[f"{name}.fisher_diagonal"].double()
        for name in names
    ]
    costs = [measures.damages(name, "diagonal") for name in names]
    for cost, expected in zip(costs, fisher, strict=True):
        torch.testing.assert_close(cost, expected)
    sizes = [cost.numel() for cost in costs]
    count = sum(sizes) // 3
    every = torch.cat([cost.flatten() for cost in costs])
    masks = unit_masks(costs, count, "global")
    together = torch.cat([mask.flatten() for mask in masks])
    assert int(together.sum()) == count
    assert every[together].max() <= every[~together].min()
    uniform = unit_masks(costs, count, "uniform")
    assert sum(int(mask.sum()) for mask in uniform) == count
    for mask, cost in zip(uniform, costs, strict=True):
        assert abs(int(mask.sum()) - cost.numel() / 3) < 1
        assert cost[mask].max() <= cost[~mask].min()
    kfac = measures.damages(names[0], "kfac")
    g = stored[f"{names[0]}.gradient_covariance"].double().diagonal()
    key = f"{names[0]}.activation_covariance"
    alias = json.loads(StoredStatistics(statistics).facts["alias"]).get(key, key)
    a = stored[alias].double().diagonal()
    expected = 0.5 * measures.weight(names[0]).double() ** 2 * torch.outer(g, a)
    torch.testing.assert_close(kfac, expected)


def test_grids_hold_each_allocation_once_and_begin_with_uniform() -> None:
    found = {grid: allocations_of(grid, ("ekfac",)) for grid in ("contenders", "small", "full")}
    for grid, allocations in found.items():
        assert allocations[0] == Allocation("uniform"), grid
        assert len(set(allocations)) == len(allocations)
        assert len({one.label for one in allocations}) == len(allocations)
    assert set(found["contenders"]) < set(found["small"]) < set(found["full"])
    kinds = {one.curvature for one in found["full"] if one.rule == "gain"}
    assert kinds == {"kfac", "kronecker", "diagonal", "ekfac"}


def row(loss: float, **changed: object) -> dict[str, object]:
    key = {"sparsity": 0.5, "method": "wanda", "within": "uniform", **vars(Allocation("owl"))}
    shares = {"smallest_share": 0.4, "largest_share": 0.6}
    return {**key, **changed, "loss": loss, "difference": 0.1, "standard_error": 0.01, **shares}


def test_rows_are_read_back_and_never_mixed(tmp_path: Path) -> None:
    file = tmp_path / "rows.json"
    rows = Rows(file, {"text": "one"})
    rows.add(row(1.25))
    rows.add(row(1.5, sparsity=0.7))
    rows.windows["dense"] = [1.0, 2.0]
    rows.write()
    again = Rows(file, {"text": "one"})
    assert again.rows == rows.rows and again.windows == rows.windows
    assert again.has(row(9.0)) and not again.has(row(9.0, method="magnitude"))
    again.write()
    assert file.read_text().count("\n") == 10
    with pytest.raises(Exception, match="another text"):
        Rows(file, {"text": "two"})


def has_apply() -> bool:
    if not Path(TOOL).is_file():
        return False
    return subprocess.run([TOOL, "apply", "--help"], capture_output=True).returncode == 0


needs_apply = pytest.mark.skipif(not has_apply(), reason="the tool has no command 'apply'")


@needs_apply
def test_losses_of_single_blocks(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    """By magnitude, so that plain torch can prune the same weights."""
    folder, statistics, text = tiny
    output = tmp_path / "losses.csv"
    words = [
        folder,
        "--statistics",
        statistics,
        "--text",
        text,
        "--layerbudget",
        TOOL,
        "-o",
        output,
    ]
    words += ["--method", "magnitude", "--share", 0.5, "--length", 12, "--threads", 1]
    assert unit_losses.main([*map(str, words)]) == 0
    head, *rows = output.read_text().splitlines()
    assert head == "name,gain,parameters" and len(rows) == 2
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        dense, pruned = 0.0, 0.0
        for one in windows(text, 12, 8):
            dense += float(causal_loss(model, one)) / 96
        for name, module in model.named_modules():
            if ".layers.1." in name and isinstance(module, torch.nn.Linear):
                order = module.weight.abs().flatten().argsort(stable=True)
                module.weight.data.view(-1)[order[: len(order) // 2]] = 0
        for one in windows(text, 12, 8):
            pruned += float(causal_loss(model, one)) / 96
    name, gain, parameters = rows[1].split(",")
    assert name == '"model.layers.1"' and int(parameters) == 2 * 16 * 16 + 2 * 16 * 8 + 3 * 16 * 24
    assert float(gain) == pytest.approx(max(0.0, pruned - dense), rel=1e-3, abs=1e-5)


@needs_apply
def test_a_whole_run(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    model, statistics, text = tiny
    scores = tmp_path / "other.csv"
    scores.write_text("name,gain,parameters\nmodel.layers.0,2,1920\nmodel.layers.1,1,1920\n")
    output, work = tmp_path / "rows.json", tmp_path / "work"
    arguments = [model, "--statistics", statistics, "--text", text, "--layerbudget", TOOL]
    arguments += ["-o", output, "--work", work, "--grid", "contenders", "--length", 12]
    arguments += [
        "--scores",
        f"other={scores}",
        "--sparsities",
        0.5,
        "--seed",
        0,
        "--threads",
        1,
        "--name",
        "tiny",
    ]
    words = [*map(str, arguments)]
    assert compare_pruning.main([*words, "--limit-minutes", "0"]) == 75
    assert compare_pruning.main(words) == 0
    found = json.loads(output.read_text())
    rows = [dict(zip(found["columns"], values, strict=True)) for values in found["rows"]]
    assert len(rows) == 5 * len(allocations_of("contenders", scores=["other"]))
    for one in rows:
        assert (
            math.isfinite(one["loss"]) and 0 <= one["smallest_share"] <= one["largest_share"] <= 1
        )
        if one["rule"] == "other":
            assert one["smallest_share"] < 0.5 < one["largest_share"]
        if one["rule"] == "uniform" and one["group"] == "block":
            assert one["difference"] == one["standard_error"] == 0
            assert one["smallest_share"] == one["largest_share"] == 0.5
    files = [file for file in (work / "plans").iterdir() if not file.name.endswith(".run.json")]
    plans = [json.loads(file.read_text()) for file in files]
    assert len({sum(unit["integer"] for unit in plan["units"]) for plan in plans}) == 1
    before = output.read_bytes()
    assert compare_pruning.main(words) == 0  # nothing is left to compute
    assert output.read_bytes() == before


def test_without_a_tool_one_line_says_so(
    tiny: tuple[Path, Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("LAYERBUDGET", raising=False)
    model, statistics, text = map(str, tiny)
    words = [model, "--statistics", statistics, "--text", text, "-o", str(tmp_path / "rows.json")]
    assert compare_pruning.main(words) == 64
    assert "name the tool" in capsys.readouterr().err
