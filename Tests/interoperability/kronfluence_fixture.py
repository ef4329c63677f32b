"""Write folders of factors with the real kronfluence, and the gains it makes of them.

    python kronfluence_fixture.py FOLDER

FOLDER gets one folder per run of kronfluence, each with `mean_gradient.safetensors` and
`gradient_folds.safetensors`, and `expected.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import shutil
import tempfile
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments
from kronfluence.utils.common.factor_arguments import all_low_precision_factor_arguments
from kronfluence.version import __version__ as kronfluence_version
from kronfluence_gradients import gradient_folds, save_gradients
from kronfluence_model import SEED, TokenSamples, TokenTask, make_model
from kronfluence_values import kronfluence_values

BATCH = 5  # does not divide the samples: the last batch is smaller
PARTITIONS = 2
# kronfluence's default, a value near the spectra here, kronfluence's heuristic.
DAMPING_FACTORS = (1e-8, 1e-3, None)
KINDS = {"kfac": "kronecker", "ekfac": "ekfac", "diagonal": "diagonal", "identity": "identity"}
ANALYSIS = "kronfluence"
PRECISION = (
    "preconditioned in float64 (score arguments precondition_dtype and score_dtype), from the"
    " factors and the float32 gradient as stored"
)
NOTES = {
    "identity": "kronfluence ignores the damping.",
    "ekfac_partitions": "kronfluence reads the aggregated files.",
    "ekfac_partitions_only": (
        "kronfluence refuses to score this folder; the values are those after its own aggregation."
    ),
    "ekfac_bfloat16": (
        "kronfluence widens the stored bfloat16 eigenvectors to float64 as they are, orthonormal"
        " only to about 4e-3, and divides lambda by its count in float64."
    ),
}


def make_analyzer(folder: Path) -> Analyzer:
    """An analyzer that writes to FOLDER/kronfluence/factors_NAME."""
    task = TokenTask()
    model = prepare_model(make_model(), task)
    return Analyzer(
        ANALYSIS,
        model,
        task,
        cpu=True,
        disable_tqdm=True,
        output_dir=str(folder),
        log_level=logging.ERROR,
    )


def partitioned_arguments() -> FactorArguments:
    return FactorArguments(
        strategy="ekfac",
        covariance_data_partitions=PARTITIONS,
        covariance_module_partitions=PARTITIONS,
        lambda_data_partitions=PARTITIONS,
        lambda_module_partitions=PARTITIONS,
    )


def runs() -> dict[str, FactorArguments]:
    """The arguments of every folder that kronfluence writes by itself."""
    return {
        **{strategy: FactorArguments(strategy=strategy) for strategy in KINDS},
        "ekfac_partitions": partitioned_arguments(),
        "ekfac_bfloat16": all_low_precision_factor_arguments("ekfac", torch.bfloat16),
    }


def fit(analyzer: Analyzer, name: str, arguments: FactorArguments, samples: TokenSamples) -> Path:
    """One folder of factors with the mean gradient beside them."""
    analyzer.fit_all_factors(
        name, samples, per_device_batch_size=BATCH, factor_args=arguments, overwrite_output_dir=True
    )
    folder = Path(analyzer.factors_output_dir(name))
    save_gradients(folder, gradient_folds(samples))
    return folder


def remove_aggregated(folder: Path) -> None:
    """Leave the partitions alone; eigenvectors and eigenvalues have none."""
    for part in list(folder.glob("*_data_partition0_module_partition0.safetensors")):
        name = part.name.removesuffix("_data_partition0_module_partition0.safetensors")
        (folder / f"{name}.safetensors").unlink()


def copy_without_aggregated(analyzer: Analyzer, name: str) -> None:
    copied = Path(analyzer.factors_output_dir(f"{name}_only"))
    shutil.copytree(analyzer.factors_output_dir(name), copied)
    remove_aggregated(copied)


def aggregate(analyzer: Analyzer, name: str) -> None:
    analyzer.aggregate_covariance_matrices(name)
    analyzer.aggregate_lambda_matrices(name)


def expected_values(analyzer: Analyzer, name: str, damping_factor: float | None) -> dict:
    values = kronfluence_values(analyzer, name, damping_factor)
    modules = {module: dataclasses.asdict(value) for module, value in values.items()}
    return {"damping_factor": damping_factor, "modules": modules}


def expected_folder(analyzer: Analyzer, name: str) -> dict:
    strategy = analyzer.load_factor_args(name).strategy
    note = {"note": NOTES[name]} if name in NOTES else {}
    values = [expected_values(analyzer, name, factor) for factor in DAMPING_FACTORS]
    return {"strategy": strategy, "curvature": KINDS[strategy], **note, "values": values}


def expected_document(folders: dict[str, dict]) -> dict:
    return {
        "kronfluence": kronfluence_version,
        "torch": torch.__version__,
        "seed": SEED,
        "value": "sum(g * precondition_gradient(g)), g the mean gradient",
        "precision": PRECISION,
        "folders": folders,
    }


def make_folders(analyzer: Analyzer, output: Path) -> dict[str, dict]:
    """Every folder copied to the output, and what kronfluence makes of it."""
    samples = TokenSamples()
    for name, arguments in runs().items():
        fit(analyzer, name, arguments, samples)
    copy_without_aggregated(analyzer, "ekfac_partitions")
    names = [*runs(), "ekfac_partitions_only"]
    for name in names:
        shutil.copytree(analyzer.factors_output_dir(name), output / name)  # never into an old one
    aggregate(analyzer, "ekfac_partitions_only")  # after the copy: kronfluence needs it to score
    return {name: expected_folder(analyzer, name) for name in names}


def write_fixture(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        document = expected_document(make_folders(make_analyzer(Path(scratch)), output))
    (output / "expected.json").write_text(json.dumps(document, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    write_fixture(parser.parse_args().folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
