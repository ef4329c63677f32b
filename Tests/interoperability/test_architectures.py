"""From a Hugging Face folder to gains: every architecture, every kind, against float64 numpy."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from collector_models import save_bert, save_gpt2, save_llama, save_mixtral, save_untied_llama
from collector_reference import collected, write_bytes, write_lines
from numpy_gains import KINDS, cross_fitted, modules, plain, read

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))

SIZES = ("--sequences", 8, "--length", 12, "--folds", 4, "--batch-size", 4)
EVERYTHING = ("--collect", "gradient,kfac,diagonal,tokens", "--gradient-dtype", "F64")
WIDE = ("--factor-dtype", "F64", "--fisher-dtype", "F64", "--token-dtype", "F64")

ARCHITECTURES: dict[str, tuple[Callable[[Path], Path], tuple[object, ...]]] = {
    "llama": (save_llama, ()),
    "gpt2": (save_gpt2, ()),
    "bert": (save_bert, ("--split", "lines", "--mask-share", 0.3)),
    "mixtral": (lambda folder: save_mixtral(folder, starved=2), ()),
    "head": (save_untied_llama, ("--include-head",)),
}


@pytest.fixture(scope="module", params=list(ARCHITECTURES))
def statistics(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make, options = ARCHITECTURES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    model = make(folder / "model")
    text = folder / "text.txt"
    if "lines" in options:
        write_lines(text, [5, 9, 3, 11, 7, 4, 10, 6])
    else:
        write_bytes(text, 8 * 12 + 1)
    output = folder / "statistics.safetensors"
    collected("--model", model, "--text", text, "-o", output, *SIZES, *EVERYTHING, *WIDE, *options)
    return output


def score(statistics: Path, kind: str, rule: str) -> dict[str, dict[str, float]]:
    output = statistics.with_name(f"{kind}-{rule}.json")
    subprocess.run(
        [TOOL, "score", "--statistics", statistics, "--curvature", kind, "--gain", rule]
        + ["--group-by", "module", "--precision", "double", "--normalize", "none"]
        + ["--quiet", "-o", output],
        check=True,
    )
    units = json.loads(output.read_text())["units"]
    return {unit["name"]: unit["modules_detail"][0] for unit in units}


@pytest.mark.parametrize("kind", list(KINDS))
def test_gains_of_every_architecture(statistics: Path, kind: str) -> None:
    tensors, _ = read(statistics)
    found = score(statistics, kind, "plain")
    assert sorted(found) == modules(tensors)
    for module in found:
        expected = plain(tensors, module, kind)
        assert found[module]["gain"] == pytest.approx(expected, rel=1e-7, abs=1e-300)
    crossed = score(statistics, kind, "cross-fitted")
    for module in crossed:
        expected, scale = cross_fitted(tensors, module, kind)
        assert crossed[module]["gain_cross_fitted"] == pytest.approx(
            expected, rel=1e-6, abs=1e-7 * scale
        )


def test_an_expert_without_tokens_has_no_gain(tmp_path: Path) -> None:
    model = save_mixtral(tmp_path / "model", starved=2)
    text = write_bytes(tmp_path / "text.txt", 8 * 12 + 1)
    output = tmp_path / "statistics.safetensors"
    collected("--model", model, "--text", text, "-o", output, *SIZES)
    scores = tmp_path / "scores.json"
    subprocess.run(
        [TOOL, "score", "--statistics", output, "--group-by", "expert", "--quiet"]
        + ["--tokens-per-sample", "auto", "-o", scores],
        check=True,
    )
    units = {unit["name"]: unit for unit in json.loads(scores.read_text())["units"]}
    experts = [name for name in units if ".experts." in name]
    assert len(experts) == 10
    for name in experts:
        tokens = units[name]["modules_detail"][0]["num_tokens"]
        assert (units[name]["gain_plain"] == 0) == (tokens == 0)
        assert (tokens == 0) == name.endswith(".experts.2")
