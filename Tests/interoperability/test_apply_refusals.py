"""What `apply` refuses: with which exit code, in words that help, and with nothing written."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from apply_models import matrices, plan_blocks, small_llama
from apply_runs import (
    Finished,
    apply,
    folder_bytes,
    outputs_of,
    random_covariance,
    read_checkpoint,
    unit,
    write_checkpoint,
    write_plan,
    write_statistics,
)
from safetensors.torch import load_file, save_file

UP = "model.layers.1.mlp.up_proj"
USAGE, DATA, MISSING, TARGET = 64, 65, 66, 73


@dataclasses.dataclass(frozen=True)
class Setting:
    """A checkpoint of a small Llama and a plan that fits it, both free to be spoilt."""

    base: Path
    folder: Path
    plan: Path

    def refused(
        self, code: int, *options: object, ranks: int | None = None, at_work: bool = False
    ) -> str:
        """The message of a run that must fail; what it began at work may be resumed."""
        before = {path.name for path in self.base.iterdir()}
        done = apply(self.plan, self.folder, self.base / "out", *options, ranks=ranks)
        assert done.returncode == code, done.stderr
        kept = {"out.partial", "out.journal"} if at_work else set()
        assert {path.name for path in self.base.iterdir()} - kept == before
        return message(done)

    def planned(self, *units: dict) -> None:
        write_plan(self.plan, units)

    def statistics(self, covariances: dict[str, np.ndarray]) -> tuple[str, Path]:
        outputs = outputs_of(read_checkpoint(self.folder))
        path = write_statistics(self.base / "statistics.safetensors", covariances, outputs)
        return "--statistics", path

    def with_tensors(self, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
        tensors = read_checkpoint(self.folder)
        change(tensors)
        config = json.loads((self.folder / "config.json").read_text())
        write_checkpoint(self.folder, tensors, **config)


def message(done: Finished) -> str:
    assert done.stdout == ""
    assert len(re.findall(r"^(?:layerbudget|Error): ", done.stderr, re.M)) == 1, done.stderr
    return done.stderr


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    folder, plan = tmp_path / "model", tmp_path / "plan.json"
    small_llama().save_pretrained(folder)
    return Setting(tmp_path, folder, plan_blocks(folder, plan))


def test_a_name_that_matches_nothing_is_answered_with_the_nearest(setting: Setting) -> None:
    setting.planned(unit("u", 10, 192, ["model.layers.1.mlp.up_porj"]))
    told = setting.refused(DATA)
    assert "model.layers.1.mlp.up_porj" in told and UP in told


def test_a_unit_of_another_method_that_matches_nothing_is_answered_likewise(
    setting: Setting,
) -> None:
    setting.planned(unit("model.layers.1.mlp.up_porj", 10, 192))
    assert UP in setting.refused(DATA)
    setting.planned(unit("model.layers.7", 10, 192))
    assert "model.layers.7" in setting.refused(DATA)


def test_two_modules_must_not_share_a_tensor(setting: Setting) -> None:
    for first, second in ((UP, UP), (UP, UP.removeprefix("model."))):
        setting.planned(unit("u", 10, 192, [first]), unit("v", 10, 192, [second]))
        assert "up_proj" in setting.refused(DATA)
    setting.planned(unit("u", 10, 192, [UP]), unit(UP, 10, 192))
    setting.refused(DATA)


def test_a_name_that_matches_two_tensors_is_refused(setting: Setting) -> None:
    """Once with `model.` and once with `transformer.` before it."""
    name = UP.removeprefix("model.")

    def twice(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"transformer.{name}.weight"] = tensors[f"{UP}.weight"].clone()

    setting.with_tensors(twice)
    setting.planned(unit("u", 10, 192, [name]))
    told = setting.refused(DATA)
    assert UP in told and f"transformer.{name}" in told


def test_a_target_with_files_is_left_as_it_is(setting: Setting) -> None:
    output = setting.base / "out"
    output.mkdir()
    (output / "precious.txt").write_text("mine")
    assert str(output) in setting.refused(TARGET)
    assert folder_bytes(output) == {"precious.txt": b"mine"}


def test_a_target_that_is_a_file_or_the_checkpoint_is_refused(setting: Setting) -> None:
    (setting.base / "out").write_text("a file")
    setting.refused(TARGET)
    before = folder_bytes(setting.folder)
    done = apply(setting.plan, setting.folder, setting.folder)
    assert done.returncode == TARGET, done.stderr
    assert folder_bytes(setting.folder) == before


@pytest.mark.parametrize("method", ["wanda", "sparsegpt"])
def test_methods_that_need_inputs_ask_for_statistics(setting: Setting, method: str) -> None:
    assert "--statistics" in setting.refused(USAGE, "--method", method)


@pytest.mark.parametrize("method", ["wanda", "sparsegpt"])
def test_statistics_that_lack_a_covariance_are_refused(setting: Setting, method: str) -> None:
    """Of one module, which has a gradient; then of one that is missing altogether."""
    down = "model.layers.1.mlp.down_proj"
    setting.planned(unit("u", 10, 192, [UP]), unit("v", 10, 192, [down]))
    option, path = setting.statistics({UP: random_covariance(np.random.default_rng(1), 16)})
    told = setting.refused(DATA, "--method", method, option, path)
    assert down in told
    tensors = load_file(path) | {f"{down}.gradient": torch.zeros(16, 12)}
    save_file(tensors, path, {"format": "layerbudget.statistics/1"})
    told = setting.refused(DATA, "--method", method, option, path, at_work=True)
    assert down in told and "activation_covariance" in told


def test_sparsegpt_refuses_a_diagonal_covariance(setting: Setting) -> None:
    setting.planned(unit("u", 10, 192, [UP]))
    given = setting.statistics({UP: np.ones(16)})
    told = setting.refused(DATA, "--method", "sparsegpt", *given, at_work=True)
    assert UP in told and "diagonal" in told


def test_statistics_of_another_model_are_refused(setting: Setting) -> None:
    setting.planned(unit("u", 10, 192, [UP]))
    given = setting.statistics({UP: random_covariance(np.random.default_rng(2), 20)})
    told = setting.refused(DATA, *given)
    assert UP in told and "20" in told and "16" in told


@pytest.mark.parametrize("spoil", ["nan", "negative", "asymmetric"])
def test_a_covariance_that_is_none_is_refused(setting: Setting, spoil: str) -> None:
    a = random_covariance(np.random.default_rng(3), 16)
    a[3, 3 if spoil == "negative" else 5] = np.nan if spoil == "nan" else -7e3
    setting.planned(unit("u", 10, 192, [UP]))
    given = setting.statistics({UP: a})
    assert UP in setting.refused(DATA, "--method", "sparsegpt", *given, at_work=True)


def test_a_plan_of_capacity_is_refused(setting: Setting) -> None:
    own = {**unit("model.layers.0", 3, 10), "cost": 1}
    del own["weights"]
    write_plan(setting.plan, [own], program="capacity")
    assert "capacity" in setting.refused(DATA)


@pytest.mark.parametrize(
    ("zeros", "weights"), [(193, 193), (193, 192), (-1, 192)], ids=["more", "over", "negative"]
)
def test_counts_that_do_not_fit_are_refused(setting: Setting, zeros: int, weights: int) -> None:
    setting.planned(unit("the unit", zeros, weights, [UP]))
    assert "the unit" in setting.refused(DATA)


def test_a_unit_of_another_method_must_have_the_size_of_its_block(setting: Setting) -> None:
    setting.planned(unit("model.layers.1", 10, 1000))
    told = setting.refused(DATA)
    size = sum(own for name, own in matrices(setting.folder).items() if ".1." in name)
    assert "model.layers.1" in told and "1000" in told and str(size) in told


def test_a_pattern_that_does_not_fit_its_count_is_refused(setting: Setting) -> None:
    """Half of 192 are 96, and the file says 95."""
    setting.planned(unit("the unit", 95, 192, [UP], "2:4"))
    assert "the unit" in setting.refused(DATA)
    for text in ("5:4", "2", "a:b", "2:0", "-1:4"):
        setting.planned(unit("the unit", 96, 192, [UP], text))
        assert "the unit" in setting.refused(DATA), text


def test_inputs_that_are_missing_are_named(setting: Setting) -> None:
    def told(setting: Setting, *options: object) -> str:
        return setting.refused(MISSING, *options)

    nowhere = setting.base / "nowhere"
    assert "nowhere" in told(dataclasses.replace(setting, folder=nowhere))
    assert "nowhere" in told(dataclasses.replace(setting, plan=nowhere))
    assert "nowhere" in told(setting, "--statistics", nowhere)
    nowhere.mkdir()
    assert "nowhere" in told(dataclasses.replace(setting, folder=nowhere))


def test_a_checkpoint_that_lacks_a_shard_is_refused(setting: Setting) -> None:
    (setting.folder / "model.safetensors").unlink()
    small_llama().save_pretrained(setting.folder, max_shard_size="9KB")
    shard = sorted(setting.folder.glob("*.safetensors"))[2]
    shard.unlink()
    assert shard.name in setting.refused(MISSING)


def test_damaged_files_are_refused(setting: Setting) -> None:
    plan = setting.plan.read_text()
    for spoilt in ("{", "[]", '{"format": "layerbudget.scores/1", "units": []}', plan[:-40]):
        setting.plan.write_text(spoilt)
        assert "plan.json" in setting.refused(DATA), spoilt
    setting.plan.write_text(plan)
    file = setting.folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    assert "model.safetensors" in setting.refused(DATA)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(setting: Setting, value: float) -> None:
    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"{UP}.weight"][3, 4] = value

    setting.with_tensors(spoil)
    assert UP in setting.refused(DATA, at_work=True)


def test_weights_of_whole_numbers_are_refused(setting: Setting) -> None:
    def quantized(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"{UP}.weight"] = tensors[f"{UP}.weight"].to(torch.int8)

    setting.with_tensors(quantized)
    told = setting.refused(DATA)
    assert UP in told and "I8" in told


def test_options_that_make_no_sense_are_usage_errors(setting: Setting) -> None:
    for options in (
        ("--method", "obs"),
        ("--within", "block"),
        ("--precision", "half"),
        *(("--pattern", text) for text in ("5:4", "2", "a:b", "2:0", "-1:4")),
    ):
        done = apply(setting.plan, setting.folder, setting.base / "out", *options)
        assert done.returncode == USAGE, (options, done.stderr)
    done = apply(setting.plan, setting.folder, setting.base / "out", "--checkpoint")
    assert done.returncode == USAGE


@pytest.mark.parametrize("fault", ["name", "weight"])
def test_ranks_refuse_together_and_one_speaks(setting: Setting, fault: str) -> None:
    """A name that every rank misses, and a weight that only its owner sees."""

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors[f"{UP}.weight"][3, 4] = float("nan")

    if fault == "weight":
        setting.with_tensors(spoil)
    else:
        setting.planned(unit("u", 10, 192, ["nothing"]))
    told = setting.refused(DATA, ranks=3, at_work=fault == "weight")
    assert (UP if fault == "weight" else "nothing") in told
