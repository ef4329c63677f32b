"""GPT-2, OPT and mixtures of experts, from the collector's statistics to a pruned checkpoint.

Wanda and SparseGPT need W the right way round and each expert's rows in order; models load again.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from apply_models import (
    apart,
    fused,
    fused_transposed,
    mixtral_apart,
    rewrite_fused,
    save_gpt_oss,
    save_opt,
    save_qwen3_moe,
)
from apply_reference import Places, Reference, by_name, conv1d, same_bits
from apply_runs import applied, header, prune, read_checkpoint, write_checkpoint, zeros
from collector_models import save_gpt2, save_mixtral
from collector_reference import collected, read, write_bytes
from pruning_reference import Pattern
from transformers import AutoModelForCausalLM, MixtralForCausalLM, Qwen3MoeForCausalLM

SIZES = ("--sequences", 8, "--length", 12, "--folds", 0, "--factor-dtype", "F64")


def fused_mixtral(folder: Path) -> Path:
    return rewrite_fused(save_mixtral(folder, starved=2), MixtralForCausalLM)


def fused_qwen3_moe(folder: Path) -> Path:
    return rewrite_fused(save_qwen3_moe(folder), Qwen3MoeForCausalLM)


def bare_gpt2(folder: Path) -> Path:
    """Names as the first GPT-2 was published: without `transformer.`."""
    save_gpt2(folder)
    tensors = read_checkpoint(folder)
    config = json.loads((folder / "config.json").read_text())
    bare = {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}
    return write_checkpoint(folder, bare, **config)


def bare_conv1d(module: str) -> list:
    return conv1d(module.removeprefix("transformer."))


ARCHITECTURES: dict[str, tuple[Callable[[Path], Path], Places]] = {
    "gpt2": (save_gpt2, conv1d),
    "gpt2 without transformer.": (bare_gpt2, bare_conv1d),
    "opt": (save_opt, by_name),
    "mixtral apart": (lambda folder: save_mixtral(folder, starved=2), mixtral_apart),
    "mixtral fused": (fused_mixtral, fused),
    "qwen3_moe apart": (save_qwen3_moe, apart),
    "qwen3_moe fused": (fused_qwen3_moe, fused),
    "gpt_oss": (save_gpt_oss, fused_transposed),
    "gpt_oss square": (lambda folder: save_gpt_oss(folder, inner=8), fused_transposed),
}


@dataclasses.dataclass(frozen=True)
class Case:
    folder: Path
    statistics: Path
    plan: Path
    covariances: dict[str, np.ndarray]
    places: Places

    @property
    def units(self) -> list[dict]:
        return json.loads(self.plan.read_text())["units"]


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    make, places = ARCHITECTURES[request.param]
    base = tmp_path_factory.mktemp("case")
    folder, text = make(base / "model"), write_bytes(base / "text", 8 * 12 + 1)
    statistics = base / "statistics.safetensors"
    collected("--model", folder, "--text", text, "-o", statistics, *SIZES)
    plan = prune(base / "plan.json", "--statistics", statistics, "--sparsity", 0.5)
    tensors, end = read(statistics)[0], ".activation_covariance"
    a = {k.removesuffix(end): v.double().numpy() for k, v in tensors.items() if k.endswith(end)}
    return Case(folder, statistics, plan, a, places)


def check(case: Case, output: Path, reference: Reference, exact: bool = True) -> None:
    wanted = reference.checkpoint(read_checkpoint(case.folder), case.units)
    found = read_checkpoint(output)
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        if exact:
            assert same_bits(found[name], tensor), name
        else:
            assert torch.equal(found[name] == 0, tensor == 0), name
            torch.testing.assert_close(found[name], tensor, rtol=1e-5, atol=1e-6)
    file = "model.safetensors"
    assert header(output / file) == header(case.folder / file)


@pytest.mark.parametrize("within", ["uniform", "global"])
@pytest.mark.parametrize("method", ["magnitude", "wanda"])
def test_masks_of_every_architecture(tmp_path: Path, case: Case, method: str, within: str) -> None:
    output = tmp_path / "out"
    options = ("--method", method, "--within", within, "--statistics", case.statistics)
    sidecar = applied(case.plan, case.folder, output, *options)
    check(case, output, Reference(method, within, None, case.covariances, case.places))
    assert sidecar["pruned"] == sum(unit["integer"] for unit in case.units)
    new = sidecar["zeros"] - sidecar["zeros_before"]
    before, after = read_checkpoint(case.folder), read_checkpoint(output)
    assert sum(map(zeros, after.values())) - sum(map(zeros, before.values())) == new
    for own in sidecar["modules"]:
        assert own["tensors"] == [place.tensor for place in case.places(own["name"])]
    model = AutoModelForCausalLM.from_pretrained(output)
    loaded = sum(zeros(parameter) for parameter in model.parameters())
    dense = AutoModelForCausalLM.from_pretrained(case.folder)
    assert loaded - sum(zeros(parameter) for parameter in dense.parameters()) == new


def test_sparsegpt_of_every_architecture(tmp_path: Path, case: Case) -> None:
    """An expert that no token reached has only dead inputs: pruned by magnitude."""
    options = ("--method", "sparsegpt", "--precision", "double", "--statistics", case.statistics)
    applied(case.plan, case.folder, tmp_path / "out", *options)
    reference = Reference("sparsegpt", "uniform", None, case.covariances, case.places)
    check(case, tmp_path / "out", reference, exact=False)


@pytest.mark.parametrize("statistics", ["with", "without"])
def test_groups_run_along_the_inputs_of_every_architecture(
    tmp_path: Path, case: Case, statistics: str
) -> None:
    """Magnitude needs no statistics, but must know which way round a matrix is stored."""
    needed = ("--statistics", case.statistics) if statistics == "with" else ()
    options = ("--method", "magnitude", "--pattern", "2:4", *needed)
    applied(case.plan, case.folder, tmp_path / "out", *options)
    reference = Reference("magnitude", "uniform", Pattern(2, 4), {}, case.places)
    check(case, tmp_path / "out", reference)


def test_biased_statistics_are_pointed_out(tmp_path: Path, case: Case) -> None:
    """The plan counts biases that are never pruned; experts and routers may have none."""
    sidecar = applied(case.plan, case.folder, tmp_path / "out")
    planned = sum(unit["weights"] for unit in case.units)
    assert (planned != sidecar["weights"]) == any("bias" in note for note in sidecar["notes"])
