"""Runs of the tool whose documents the schemas of docs/schemas are held against.

Each command runs as shown, in order, in one folder with a link to `docs`. Together they write every
kind of JSON and, but for what a test names, every field of each.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from tool_runs import REPOSITORY, environment, link_repository

STATISTICS = "--statistics docs/example/statistics.safetensors"
CHECKPOINT = "--checkpoint docs/example/model"
EKFAC = REPOSITORY / "Tests" / "CurvatureTests" / "Fixtures" / "kronfluence" / "ekfac"
SPOILED = "model.layers.11.self_attn.v_proj"

# What a run writes, by the schema that describes it; "-" is standard output.
Outputs = dict[str, str]
RUNS: list[tuple[str, Outputs]] = [
    (
        f"mpirun -n 2 layerbudget score {STATISTICS} {CHECKPOINT} -o scores.json",
        {"scores.json": "scores", "scores.run.json": "run"},
    ),
    (
        f"layerbudget score {STATISTICS} --curvature kronecker -o exact.json --json",
        {"exact.json": "scores", "-": "scores"},
    ),
    (
        "layerbudget score --statistics single.safetensors --curvature kronecker -o single.json",
        {"single.json": "scores"},
    ),
    ("layerbudget score --statistics ekfac --curvature ekfac -o e.json", {"e.json": "scores"}),
    (
        f"layerbudget allocate {STATISTICS} --budget 96 --integer -o slots.json --json",
        {"slots.json": "plan", "slots.run.json": "run", "-": "plan"},
    ),
    (
        "layerbudget allocate --scores scores.json --budget 96 --max 12 --program own.csv "
        "--top-k 2 -o own.json",
        {"own.json": "plan"},
    ),
    (
        "layerbudget allocate --scores single.json --budget nodes:0.9 --nodes nodes.json "
        "--cost 4096 --gamma 2 --utility power:0.5 -o memory.json",
        {"memory.json": "plan"},
    ),
    (
        "layerbudget prune --statistics single.safetensors --sparsity 0.5 -o noisy.json",
        {"noisy.json": "plan"},
    ),
    (
        f"layerbudget allocate {STATISTICS} --unit rank --group-by module --utility spectrum "
        "--budget '40 kB' --bytes-per-parameter 2 --max 16 --integer -o ranks.json",
        {"ranks.json": "plan"},
    ),
    (
        f"layerbudget prune {STATISTICS} {CHECKPOINT} --sparsity 0.5 --max 0.9 -o half.json",
        {"half.json": "plan", "half.run.json": "run"},
    ),
    (
        f"layerbudget prune {STATISTICS} {CHECKPOINT} --sparsity 0.5 --psi measured "
        "--pattern 2:4 -o measured.json",
        {"measured.json": "plan"},
    ),
    (
        "layerbudget prune --scores scores.json --sparsity 0.5 --max 0.9 -o gains.json",
        {"gains.json": "plan"},
    ),
    (
        "layerbudget sweep --scores scores.json --budget 96 128 --max 20 --integer -o sweep.json",
        {"sweep.json": "sweep", "sweep.run.json": "run"},
    ),
    (
        f"layerbudget sweep {STATISTICS} --unit rank --group-by module --utility spectrum "
        "--budget '20k parameters' '40k parameters' -o spectra.json",
        {"spectra.json": "sweep"},
    ),
    (
        "layerbudget sweep --scores scores.json --sparsity 0.3 0.5 --pattern 2:4 "
        "-o patterns.json --json",
        {"patterns.json": "sweep", "-": "sweep"},
    ),
    (
        "layerbudget transfer --source scores.json --target exact.json --budget 96 "
        "--tolerance 1e9 -o transfer.json",
        {"transfer.json": "transfer"},
    ),
    (
        "layerbudget transfer --source scores.json --target scores.json --sparsity 0.5 --max 0.9 "
        "-o same.json --json",
        {"same.json": "transfer", "-": "transfer"},
    ),
    (
        f"layerbudget apply half.json {CHECKPOINT} {STATISTICS} --method sparsegpt -o sparse",
        {"sparse/layerbudget-apply.json": "apply", "sparse.run.json": "run"},
    ),
    (
        f"layerbudget apply measured.json {CHECKPOINT} -o zeros --json",
        {"zeros/layerbudget-apply.json": "apply", "-": "apply"},
    ),
    (
        "layerbudget place slots.json --nodes nodes.json --bytes-per-slot 4096 -o placement.json",
        {"placement.json": "placement", "placement.run.json": "run"},
    ),
    (
        "layerbudget place slots.json --nodes nodes.json --bytes-per-slot 4096 --loads loads.json "
        "-o loaded.json --json",
        {"loaded.json": "placement", "-": "placement"},
    ),
    ("mpirun -n 2 layerbudget doctor --json", {"-": "doctor"}),
    ("layerbudget inspect scores.json --json", {"-": "inspection"}),
    ("layerbudget inspect docs/example/model --json", {"-": "inspection"}),
    ("layerbudget inspect slots.json --verify --json", {"-": "verification"}),
    (f"mpirun -n 2 layerbudget score {STATISTICS} --dry-run --json", {"-": "dry-run"}),
    (f"layerbudget apply half.json {CHECKPOINT} --dry-run --json -o no", {"-": "dry-run"}),
    (
        f"layerbudget export ranks.json --to peft {CHECKPOINT} -o adapter --json",
        {"adapter/adapter_config.json": "export-peft", "-": "export-summary"},
    ),
    ("layerbudget export gains.json --to rho -o rho.json", {"rho.json": "export-rho"}),
    (
        "layerbudget export slots.json --to deepspeed -o deepspeed.json",
        {"deepspeed.json": "export-deepspeed"},
    ),
    ("layerbudget report slots.json --json -o report.html", {"-": "report-summary"}),
    (
        "python launch/evaluate.py docs/example/model --text LICENSE --windows 8 --json",
        {"-": "evaluation"},
    ),
    # Statistics and weights with a value that is not finite leave the journals of their runs.
    (
        "slowly layerbudget score --statistics spoiled.safetensors --curvature kronecker "
        "-o left.json",
        {"left.json.journal/*.jsonl": "journal"},
    ),
    (
        "slowly layerbudget score --statistics spoiled.safetensors --curvature kronecker "
        "--gain plain -o plain.json",
        {"plain.json.journal/*.jsonl": "journal"},
    ),
    (
        "slowly layerbudget allocate --statistics spoiled.safetensors --unit rank "
        "--group-by module --utility spectrum --budget '20k parameters' -o decreases.json",
        {"decreases.json.journal/*.jsonl": "journal"},
    ),
    (
        f"slowly layerbudget apply half.json --checkpoint spoiled {STATISTICS} --method sparsegpt "
        "-o pruned",
        {"pruned.journal/*.jsonl": "journal"},
    ),
    (
        "layerbudget score --statistics mended.safetensors --curvature kronecker -o left.json",
        {"left.run.json": "run"},
    ),
    (
        # Gains with fewer digits: as far off as other BLAS kernels would be.
        r"""sed -E 's/("gain" : [0-9]+\.[0-9]{6})[0-9]+/\1/' slots.json > rounded.json """
        f"&& layerbudget inspect rounded.json --verify {STATISTICS} --json",
        {"-": "verification"},
    ),
]
# Commands that are to fail, by a part of them.
EXPECTED_CODES = {"spoiled": 65, "rounded": 65}


def prepare(folder: Path) -> None:
    """The inputs of the runs, made of the example and by hand."""
    link_repository(folder)
    (folder / "ekfac").symlink_to(EKFAC)
    example = folder / "docs" / "example"
    statistics = example / "statistics.safetensors"
    (folder / "mended.safetensors").symlink_to(statistics)
    tensors = load_file(statistics)
    with safe_open(statistics, "numpy") as file:
        metadata = file.metadata()
    whole = {name: tensor for name, tensor in tensors.items() if "gradient_folds" not in name}
    save_file(whole, folder / "single.safetensors", metadata)
    spoil(tensors, f"{SPOILED}.gradient")
    save_file(tensors, folder / "spoiled.safetensors", metadata)

    shutil.copytree(example / "model", folder / "spoiled")
    weights = load_file(example / "model" / "model.safetensors")
    spoil(weights, f"{SPOILED}.weight")
    save_file(weights, folder / "spoiled" / "model.safetensors", {"format": "pt"})

    layers = [f"model.layers.{layer}" for layer in range(12)]
    (folder / "own.csv").write_text(f"name,alpha,gamma\n{layers[3]},0.25,2\n")
    nodes = [
        {"name": "a", "memory_bytes": 400_000, "devices": 4},
        {"name": "b", "memory_bytes": 300_000},
    ]
    (folder / "nodes.json").write_text(json.dumps({"nodes": nodes}))
    loads = [{"name": layer, "loads": [90, 132 - place]} for place, layer in enumerate(layers)]
    (folder / "loads.json").write_text(json.dumps({"units": loads}))


def spoil(tensors: dict[str, np.ndarray], name: str) -> None:
    values = tensors[name].copy()
    values.flat[-1] = np.nan
    tensors[name] = values


def documents(folder: Path) -> list[tuple[str, str, object]]:
    """Every document that the runs write or print: the schema's name, where from, the contents."""
    found: list[tuple[str, str, object]] = []
    for command, outputs in RUNS:
        run = finished(command, folder)
        code = next((code for part, code in EXPECTED_CODES.items() if part in command), 0)
        assert run.returncode == code, f"{command}\n{run.stdout}{run.stderr}"
        for name, schema in outputs.items():
            texts = [run.stdout] if name == "-" else read(folder, name)
            found += [(schema, f"{name} of {command}", json.loads(text)) for text in texts]
    return found


def finished(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command; `slowly` holds it up until it has worked for a second, as journals need."""
    slowly = command.startswith("slowly ")
    started = subprocess.Popen(
        ["bash", "-c", "exec " + command.removeprefix("slowly ") if slowly else command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while slowly and started.poll() is None:
        # In steps that no machine does all the work in within a second.
        time.sleep(0.006)
        started.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        started.send_signal(signal.SIGCONT)
    output, errors = started.communicate(timeout=120)
    return subprocess.CompletedProcess(command, started.returncode, output, errors)


def read(folder: Path, name: str) -> list[str]:
    """The documents of the files of that name or pattern; a `.jsonl` has one in each line."""
    paths = sorted(folder.glob(name))
    assert paths, f"no {name}"
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [line for text in texts for line in text.splitlines()] if "jsonl" in name else texts
