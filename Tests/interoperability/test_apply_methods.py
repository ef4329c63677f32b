"""Magnitude, Wanda and SparseGPT of the built command against the float64 reference.

A Llama with biases and statistics by the collector, and matrices of awkward shapes with zeros,
ties and dead inputs. Blocks of 128 columns end inside every larger matrix.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from apply_reference import Reference, count, same_bits
from apply_runs import (
    SIDECAR,
    Tensors,
    applied,
    folder_bytes,
    outputs_of,
    prune,
    random_covariance,
    read_checkpoint,
    stored_bytes,
    unit,
    write_checkpoint,
    write_plan,
    write_statistics,
    zeros,
)
from collector_reference import collected, read, save, write_bytes
from pruning_reference import Pattern
from transformers import LlamaConfig, LlamaForCausalLM
from xxhash64 import xxh64

METHODS = ("magnitude", "wanda", "sparsegpt")
PATTERNS = ("2:4", "4:8", "1:4")
DOUBLE = ("--precision", "double")


@dataclasses.dataclass(frozen=True)
class Case:
    """A checkpoint, its statistics and a plan, read once."""

    folder: Path
    statistics: Path
    plan: Path
    tensors: Tensors
    covariances: dict[str, np.ndarray]

    @property
    def units(self) -> list[dict]:
        return json.loads(self.plan.read_text())["units"]

    def options(self, method: str) -> tuple[object, ...]:
        needed = () if method == "magnitude" else ("--statistics", self.statistics)
        return ("--method", method, *needed, *(DOUBLE if method == "sparsegpt" else ()))

    def with_units(self, path: Path, units: list[dict]) -> Case:
        document = json.loads(self.plan.read_text()) | {"units": units}
        path.write_text(json.dumps(document))
        return dataclasses.replace(self, plan=path)


def save_large_llama(folder: Path) -> Path:
    torch.manual_seed(11)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=136,
        intermediate_size=200,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        attention_bias=True,
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=None,
    )
    model = LlamaForCausalLM(config)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            parameter.data[torch.rand_like(parameter) < 0.05] = 0
    return save(model, folder)


def covariances_of(statistics: Path) -> dict[str, np.ndarray]:
    tensors, _ = read(statistics)
    end = ".activation_covariance"
    return {k.removesuffix(end): v.double().numpy() for k, v in tensors.items() if k.endswith(end)}


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Case:
    base = tmp_path_factory.mktemp("llama")
    folder, text = save_large_llama(base / "model"), write_bytes(base / "text", 12 * 40 + 1)
    statistics = base / "statistics.safetensors"
    sizes = ("--sequences", 12, "--length", 40, "--folds", 0)
    collected("--model", folder, "--text", text, "-o", statistics, *sizes)
    plan = prune(base / "plan.json", "--statistics", statistics, "--sparsity", 0.55)
    return Case(folder, statistics, plan, read_checkpoint(folder), covariances_of(statistics))


SHAPES = {
    "a": [(7, 130), (1, 5), (33, 257), (5, 1)],
    "b": [(64, 128), (12, 128), (3, 384)],
    "c": [(16, 8)],
}


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Weights of few values, so that many are equal; every ninth input is dead."""
    base, generator = tmp_path_factory.mktemp("awkward"), np.random.default_rng(12)
    tensors, covariances, units = {}, {}, []
    for name, shapes in SHAPES.items():
        modules = [f"model.layers.{name}.m{place}" for place in range(len(shapes))]
        for module, (outputs, inputs) in zip(modules, shapes, strict=True):
            weight = generator.integers(-9, 10, size=(outputs, inputs)) / 8
            tensors[f"{module}.weight"] = torch.tensor(weight, dtype=torch.float32)
            a = random_covariance(generator, inputs)
            a[4::9] = a[:, 4::9] = 0
            covariances[module] = a
        size = sum(m * n for m, n in shapes)
        units.append(unit(f"model.layers.{name}", size * 3 // 7, size, modules))
    folder = write_checkpoint(base / "model", tensors)
    statistics = write_statistics(base / "statistics.safetensors", covariances, outputs_of(tensors))
    plan = write_plan(base / "plan.json", units)
    return Case(folder, statistics, plan, tensors, covariances)


@pytest.fixture(params=["llama", "awkward"])
def case(request: pytest.FixtureRequest) -> Case:
    return request.getfixturevalue(request.param)


def check_against(reference: Reference, case: Case, output: Path) -> None:
    """Identical bits, but values to 1e-6 where SparseGPT has made new ones."""
    wanted, found = reference.checkpoint(case.tensors, case.units), read_checkpoint(output)
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        if reference.method != "sparsegpt":
            assert same_bits(found[name], tensor), name
            continue
        assert torch.equal(found[name] == 0, tensor == 0), name
        scale = float(tensor.abs().max())
        torch.testing.assert_close(
            found[name],
            tensor,
            rtol=1e-6,
            atol=1e-6 * scale,
            msg=lambda t, name=name: f"{name}: {t}",
        )


def check_sidecar(sidecar: dict, reference: Reference, case: Case, output: Path) -> None:
    """Counts from the files, and the numbers of the plan."""
    before, after = case.tensors, read_checkpoint(output)
    answers = reference.modules(before, case.units)
    described = {own["name"]: own for own in sidecar["modules"]}
    assert set(described) == set(answers)
    for planned in case.units:
        for module in planned["modules"]:
            own, key = described[module], f"{module}.weight"
            assert own["unit"] == planned["name"] and own["tensors"] == [key]
            assert own["shape"] == list(before[key].shape)
            assert own["weights"] == before[key].numel()
            assert own["pruned"] == count(answers[module], before[key].shape)
            assert own["zeros_before"] == zeros(before[key])
            assert own["zeros"] == zeros(after[key])
    for field in ("weights", "pruned", "zeros", "zeros_before"):
        assert sidecar[field] == sum(own[field] for own in sidecar["modules"])
    assert sidecar["sparsity"] == pytest.approx(sidecar["zeros"] / sidecar["weights"], rel=1e-15)


@pytest.mark.parametrize("within", ["uniform", "global"])
@pytest.mark.parametrize("method", METHODS)
def test_unstructured_pruning_equals_the_reference(
    tmp_path: Path, case: Case, method: str, within: str
) -> None:
    output = tmp_path / "out"
    sidecar = applied(case.plan, case.folder, output, *case.options(method), "--within", within)
    reference = Reference(method, within, covariances=case.covariances)
    check_against(reference, case, output)
    check_sidecar(sidecar, reference, case, output)
    assert sidecar["zeros"] == sum(own["integer"] for own in case.units)
    assert (sidecar["method"], sidecar["within"], sidecar["pattern"]) == (method, within, "none")


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("method", METHODS)
def test_patterns_of_a_plan_equal_the_reference(
    tmp_path: Path, case: Case, method: str, pattern: str
) -> None:
    """The last unit stays dense: its pattern removes none."""
    own = [pattern] * (len(case.units) - 1) + [f"0:{pattern[-1]}"]
    units = [
        planned | {"pattern": text, "integer": zeros_of(case, planned, text)}
        for planned, text in zip(case.units, own, strict=True)
    ]
    planned, output = case.with_units(tmp_path / "plan.json", units), tmp_path / "out"
    sidecar = applied(planned.plan, case.folder, output, *case.options(method))
    reference = Reference(method, covariances=case.covariances)
    check_against(reference, planned, output)
    check_sidecar(sidecar, reference, planned, output)
    assert sidecar["pruned"] == sum(own["integer"] for own in units)
    assert {each["pattern"] for each in sidecar["modules"]} == set(own)


def zeros_of(case: Case, planned: dict, pattern: str) -> int:
    shapes = [case.tensors[f"{module}.weight"].shape for module in planned["modules"]]
    return sum(Pattern.parsed(pattern).zeros(shape) for shape in shapes)


@pytest.mark.parametrize("method", METHODS)
def test_a_pattern_asked_of_apply_is_the_nearest_to_the_share(
    tmp_path: Path, awkward: Case, method: str
) -> None:
    """Shares of a half, a fifth and almost everything: 2:4, 1:4 and, being the most, 2:4."""
    shares = {"model.layers.a": 0.5, "model.layers.b": 0.2, "model.layers.c": 0.9}
    units = [
        own | {"integer": round(shares[own["name"]] * own["weights"])} for own in awkward.units
    ]
    planned, output = awkward.with_units(tmp_path / "plan.json", units), tmp_path / "out"
    sidecar = applied(
        planned.plan, awkward.folder, output, *awkward.options(method), "--pattern", "2:4"
    )
    reference = Reference(method, pattern=Pattern(2, 4), covariances=awkward.covariances)
    check_against(reference, planned, output)
    check_sidecar(sidecar, reference, planned, output)
    assert sidecar["pattern"] == "2:4" and sidecar["notes"]
    found = {own["unit"]: own["pattern"] for own in sidecar["modules"]}
    assert list(found.values()) == ["2:4", "1:4", "2:4"]


def test_single_precision_chooses_almost_the_same(tmp_path: Path, llama: Case) -> None:
    output = tmp_path / "out"
    options = ("--method", "sparsegpt", "--statistics", llama.statistics)
    sidecar = applied(llama.plan, llama.folder, output, *options, "--precision", "single")
    reference = Reference("sparsegpt", covariances=llama.covariances)
    wanted, found = reference.checkpoint(llama.tensors, llama.units), read_checkpoint(output)
    names = [f"{module}.weight" for module in reference.modules(llama.tensors, llama.units)]
    both = sum(int(((found[n] == 0) & (wanted[n] == 0)).sum()) for n in names)
    total = sum(zeros(wanted[n]) for n in names)
    assert sidecar["zeros"] == total and both > 0.995 * total
    assert sidecar["precision"] == "single"
    for name in names:
        kept = (found[name] != 0) & (wanted[name] != 0)
        error = (found[name] - wanted[name])[kept].abs().median()
        assert float(error) < 1e-4 * float(wanted[name].abs().max())


def test_zeros_beyond_the_plan_stay_and_nothing_else_goes(tmp_path: Path) -> None:
    """Zeros after = the larger of planned and there before; -0 is a zero."""
    weight = torch.randn(12, 20, generator=torch.Generator().manual_seed(1))
    weight[:, ::2] = 0
    weight[3, 2] = -0.0
    folder = write_checkpoint(tmp_path / "model", {"m.weight": weight})
    plan = write_plan(tmp_path / "plan.json", [unit("m", 60, 240, ["m"])])
    a = {"m": random_covariance(np.random.default_rng(1), 20)}
    statistics = write_statistics(tmp_path / "s.safetensors", a, {"m": 12})
    for method in METHODS:
        needed = () if method == "magnitude" else ("--statistics", statistics)
        output = tmp_path / method
        sidecar = applied(plan, folder, output, "--method", method, *needed)
        assert torch.equal(read_checkpoint(output)["m.weight"], weight), method
        own = sidecar["modules"][0]
        assert (own["zeros_before"], own["zeros"]) == (120, 120), method
        assert sidecar["zeros"] == 120 and sidecar["sparsity"] == 0.5


@pytest.mark.parametrize("method", METHODS)
def test_nothing_and_everything_can_be_removed(tmp_path: Path, awkward: Case, method: str) -> None:
    for name, share in (("none", 0), ("all", 1)):
        units = [own | {"integer": share * own["weights"]} for own in awkward.units]
        planned = awkward.with_units(tmp_path / f"{name}.json", units)
        applied(planned.plan, awkward.folder, tmp_path / name, *awkward.options(method))
        found = read_checkpoint(tmp_path / name)
        for key, tensor in awkward.tensors.items():
            assert torch.equal(found[key], tensor * (1 - share)), key


def test_the_default_method_follows_from_statistics(tmp_path: Path, awkward: Case) -> None:
    without = applied(awkward.plan, awkward.folder, tmp_path / "without")
    given = applied(
        awkward.plan, awkward.folder, tmp_path / "given", "--statistics", awkward.statistics
    )
    assert without["method"] == "magnitude" and "statistics" not in without["inputs"]
    assert given["method"] == "wanda" and set(given["inputs"]) == {
        "checkpoint",
        "plan",
        "statistics",
    }
    for sidecar in (without, given):
        assert sidecar["format"] == "layerbudget.apply/1"
        assert sidecar["within"] == "uniform" and sidecar["pattern"] == "none"


def test_statistics_that_are_sums_are_divided_by_their_counts(
    tmp_path: Path, awkward: Case
) -> None:
    """A larger A changes neither Wanda nor SparseGPT, but for a dead input's unit diagonal."""
    sums = {name: 50 * a for name, a in awkward.covariances.items()}
    counts = {"normalization": "sum", "num_tokens": "50", "num_samples": "5"}
    outputs = outputs_of(awkward.tensors)
    statistics = write_statistics(tmp_path / "s.safetensors", sums, outputs, **counts)
    options = ("--method", "sparsegpt", *DOUBLE, "--statistics")
    applied(awkward.plan, awkward.folder, tmp_path / "sums", *options, statistics)
    check_against(
        Reference("sparsegpt", covariances=awkward.covariances), awkward, tmp_path / "sums"
    )


def test_the_sidecar_has_the_hashes_of_the_bytes(tmp_path: Path, awkward: Case) -> None:
    output = tmp_path / "out"
    sidecar = applied(awkward.plan, awkward.folder, output, *awkward.options("wanda"))
    before = stored_bytes(awkward.folder / "model.safetensors")
    after = stored_bytes(output / "model.safetensors")
    tensors = {own["name"]: own for own in sidecar["tensors"]}
    assert set(tensors) == set(awkward.tensors) and len(sidecar["tensors"]) == len(tensors)
    for name, own in tensors.items():
        assert own["input"] == xxh64(before[name]) and own["output"] == xxh64(after[name])
    written = folder_bytes(output)
    assert set(written) == {"config.json", "model.safetensors", SIDECAR}
    described = {own["name"]: own for own in sidecar["files"]}
    assert set(described) == {"config.json"}
    for name, own in described.items():
        assert own["bytes"] == len(written[name]) and own["contents"] == xxh64(written[name])
    plan = awkward.plan.read_bytes()
    assert sidecar["inputs"]["plan"] == {"bytes": len(plan), "contents": xxh64(plan)}


def test_a_run_file_lies_beside_the_output(tmp_path: Path, awkward: Case) -> None:
    applied(awkward.plan, awkward.folder, tmp_path / "out")
    run = json.loads((tmp_path / "out.run.json").read_text())
    assert run["format"] == "layerbudget.run/1" and run["command"] == "apply"
    assert run["ranks"] == 1 and run["seconds"] > 0 and run["peak_bytes"] > 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "out.run.json"]
