"""Gains of the built command on folders of the real kronfluence, against kronfluence's own numbers.

The command's path comes from LAYERBUDGET (default: the debug build). kronfluence runs here, on a
tiny model; the committed folders were written by `kronfluence_fixture.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("kronfluence")

from kronfluence.analyzer import Analyzer
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence_dense import dense_values
from kronfluence_fixture import DAMPING_FACTORS, KINDS, fit, make_analyzer
from kronfluence_model import TokenSamples
from kronfluence_values import kronfluence_values

REPOSITORY = Path(__file__).resolve().parents[2]
COMMITTED = REPOSITORY / "Tests" / "CurvatureTests" / "Fixtures" / "kronfluence"
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))
# Another number of samples than the committed folders have.
SAMPLES = TokenSamples(16)

pytestmark = pytest.mark.filterwarnings("ignore:.*GradScaler.*:FutureWarning")

Gains = dict[str, float]


def score(folder: Path, output: Path, kind: str, damping: str) -> Gains:
    """Gain per module as the command computes it."""
    subprocess.run(
        [TOOL, "score", "--statistics", str(folder), "--curvature", kind, "--damping", damping]
        + ["--precision", "double", "--gain", "plain", "--group-by", "module"]
        + ["-o", str(output), "--quiet"],
        check=True,
    )
    return {unit["name"]: unit["gain"] for unit in json.loads(output.read_text())["units"]}


def by_kronfluence(analyzer: Analyzer, strategy: str, damping_factor: float | None) -> Gains:
    values = kronfluence_values(analyzer, strategy, damping_factor)
    return {module: value.value for module, value in values.items()}


def committed_values(name: str, damping_factor: float | None) -> Gains:
    folder = json.loads((COMMITTED / "expected.json").read_text())["folders"][name]
    (found,) = [v for v in folder["values"] if v["damping_factor"] == damping_factor]
    return {module: value["value"] for module, value in found["modules"].items()}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Analyzer:
    """An analyzer with one folder per strategy, written just now."""
    analyzer = make_analyzer(tmp_path_factory.mktemp("fresh"))
    for strategy in KINDS:
        fit(analyzer, strategy, FactorArguments(strategy=strategy), SAMPLES)
    return analyzer


def mean_pairwise_scores(analyzer: Analyzer, strategy: str, damping_factor: float) -> Gains:
    """The mean influence of a sample on a sample, which is g^T H^-1 g of the mean gradient."""
    arguments = ScoreArguments(damping_factor=damping_factor, compute_per_module_scores=True)
    analyzer.compute_pairwise_scores(
        f"{strategy}_pairs", strategy, SAMPLES, SAMPLES, 5, 5, score_args=arguments
    )
    scores = analyzer.load_pairwise_scores(f"{strategy}_pairs")
    return {module: float(pairs.double().mean()) for module, pairs in scores.items()}


@pytest.mark.parametrize("strategy", KINDS)
def test_reference_is_the_mean_of_influence_scores(fresh: Analyzer, strategy: str) -> None:
    """So the reference has the scale of what kronfluence's users see, from its own gradients."""
    expected = mean_pairwise_scores(fresh, strategy, 1e-3)
    assert by_kronfluence(fresh, strategy, 1e-3) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("damping_factor", DAMPING_FACTORS)
@pytest.mark.parametrize("strategy", KINDS)
def test_reference_is_a_dense_solve(
    fresh: Analyzer, strategy: str, damping_factor: float | None
) -> None:
    folder = Path(fresh.factors_output_dir(strategy))
    # The smallest damping meets float32 noise of covariances that have zero eigenvalues.
    tolerance = 1e-5 if damping_factor == 1e-8 else 1e-6
    expected = dense_values(folder, KINDS[strategy], damping_factor)
    assert by_kronfluence(fresh, strategy, damping_factor) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("strategy", KINDS)
def test_absolute_damping_as_kronfluence(fresh: Analyzer, strategy: str, tmp_path: Path) -> None:
    folder = Path(fresh.factors_output_dir(strategy))
    gains = score(folder, tmp_path / "out.json", KINDS[strategy], "absolute:1e-3")
    assert gains == pytest.approx(by_kronfluence(fresh, strategy, 1e-3), rel=1e-6)


@pytest.mark.parametrize("strategy", KINDS)
def test_relative_damping_as_kronfluence(fresh: Analyzer, strategy: str, tmp_path: Path) -> None:
    """kronfluence's heuristic, `damping_factor=None`, is a tenth of the mean eigenvalue."""
    folder = Path(fresh.factors_output_dir(strategy))
    gains = score(folder, tmp_path / "out.json", KINDS[strategy], "relative:0.1")
    assert gains == pytest.approx(by_kronfluence(fresh, strategy, None), rel=1e-5)


@pytest.mark.parametrize("kind", ["ekfac", "kronecker"])
def test_partitions_are_summed_unless_aggregated(kind: str, tmp_path: Path) -> None:
    whole = score(COMMITTED / "ekfac_partitions", tmp_path / "1.json", kind, "absolute:1e-3")
    parts = score(COMMITTED / "ekfac_partitions_only", tmp_path / "2.json", kind, "absolute:1e-3")
    assert parts == pytest.approx(whole, rel=1e-6)


@pytest.mark.parametrize("name", ["ekfac_partitions", "ekfac_partitions_only"])
def test_partitions_as_kronfluence(name: str, tmp_path: Path) -> None:
    """Partitions that lie beside their sum must not be added to it."""
    gains = score(COMMITTED / name, tmp_path / "out.json", "ekfac", "absolute:1e-3")
    assert gains == pytest.approx(committed_values(name, 1e-3), rel=1e-6)
