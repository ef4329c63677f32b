"""One small input of every kind, made by the tool itself, and the commands that read each.

What `test_damaged_inputs.py` and `Tests/Fuzzing/damage_runs.py` damage.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from apply_runs import REPOSITORY, command, tool
from safetensors.torch import save_file

KRONFLUENCE = REPOSITORY / "Tests" / "CurvatureTests" / "Fixtures" / "kronfluence" / "ekfac"
SHAPES = {"gate_proj": (8, 4), "down_proj": (4, 8)}
LAYERS = 3
OUTPUT = "out.json"


@dataclass(frozen=True)
class Case:
    """A command with relative paths; any file below `damaged` is damaged before it runs."""

    name: str
    arguments: tuple[object, ...]
    damaged: tuple[str, ...]
    # What it writes, a file or a folder; None: it prints.
    output: str | None = OUTPUT
    # Whether the output says by `inputs` what it was made from.
    fingerprinted: bool = True
    # Inputs that are not part of the answer: whatever they hold, the output has the same bytes.
    inert: bool = False

    @property
    def command(self) -> tuple[object, ...]:
        own = () if self.output is None else ("-o", self.output)
        return (*self.arguments, *own)

    @property
    def verifies(self) -> bool:
        return "--verify" in self.arguments


def statistics(generator: np.random.Generator, side: int = 1) -> dict[str, torch.Tensor]:
    """Curvature by kfac and gradients of three folds, for every matrix of `weights`."""
    tensors: dict[str, torch.Tensor] = {}
    for layer in range(LAYERS):
        for part, shape in SHAPES.items():
            name = f"model.layers.{layer}.mlp.{part}"
            rows, columns = side * shape[0], side * shape[1]
            folds = generator.normal(size=(3, rows, columns)) * 0.1 + (layer + 1)
            tensors[f"{name}.gradient"] = torch.tensor(folds.mean(axis=0)).float()
            tensors[f"{name}.gradient_folds"] = torch.tensor(folds).float()
            for key, order in (("activation", columns), ("gradient", rows)):
                x = generator.normal(size=(2 * order, order))
                tensors[f"{name}.{key}_covariance"] = torch.tensor(x.T @ x / len(x)).float()
            tensors[f"{name}.num_samples"] = torch.tensor([30])
            tensors[f"{name}.num_tokens"] = torch.tensor([300])
    return tensors


def save_sharded(folder: Path, tensors: dict[str, torch.Tensor]) -> None:
    folder.mkdir()
    names, places = sorted(tensors), {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        metadata = {"format": "pt"} if "weight" in names[0] else None
        save_file({name: tensors[name] for name in part}, folder / file, metadata)
        places |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1))


def run(base: Path, *arguments: object) -> None:
    """Makes an input; its run file is not one."""
    done = tool(*arguments, "--quiet", folder=base)
    assert done.returncode == 0, done.stderr
    for file in base.glob("*.run.json"):
        file.unlink()


def make_inputs(base: Path) -> Path:
    """The folder that every case starts from a copy of."""
    base.mkdir()
    generator = np.random.default_rng(7)
    own = statistics(generator)
    metadata = {"format": "layerbudget.statistics/1", "model": "small"}
    save_file(own, base / "statistics.safetensors", metadata)
    save_sharded(base / "shards", own)
    weights = {
        f"model.layers.{layer}.mlp.{part}.weight": torch.tensor(generator.normal(size=shape))
        for layer in range(LAYERS)
        for part, shape in SHAPES.items()
    }
    weights = {name: weight.float() for name, weight in weights.items()}
    save_sharded(base / "model", weights)
    config = {"model_type": "llama", "num_hidden_layers": LAYERS, "hidden_size": 4}
    (base / "model" / "config.json").write_text(json.dumps(config))
    shutil.copytree(KRONFLUENCE, base / "kronfluence")
    save_file(statistics(generator, side=32), base / "large.safetensors", metadata)
    names = [f"model.layers.{layer}" for layer in range(LAYERS)]
    rows = "".join(f"{name},2,{9 - n}\n" for n, name in enumerate(names))
    (base / "bounds.csv").write_text(f"name,lower,upper\n{rows}")
    rows = "".join(f"{name},{1 + n / 4}\n" for n, name in enumerate(names))
    (base / "costs.csv").write_text(f"name,cost\n{rows}")
    rows = "".join(f"{name},0.5,{1 + n / 4}\n" for n, name in enumerate(names))
    (base / "program.csv").write_text(f"name,alpha,gamma\n{rows}")
    rows = "".join(f"{name},{e},{10 + 7 * e * n}\n" for n, name in enumerate(names) for e in (0, 1))
    (base / "loads.csv").write_text(f"name,expert,tokens\n{rows}")
    loads = {"units": [{"name": name, "loads": [4, 2.5]} for name in names]}
    (base / "loads.json").write_text(json.dumps(loads))
    nodes = [{"name": f"node{n}", "memory_bytes": 9000, "devices": 2} for n in (1, 2)]
    (base / "nodes.json").write_text(json.dumps({"nodes": nodes}))
    (base / "hosts").write_text("# one host\nlocalhost slots=2 max_slots=4\n")
    (base / "gains.csv").write_text("name,gain,parameters\na,1,10\nb,2.5,20\nc,0.25,10\n")
    np.save(base / "gains.npy", np.array([1.0, 2.5, 0.25]))
    score = ("score", "--statistics", "statistics.safetensors")
    run(base, *score, "-o", "scores.json")
    run(base, *score, "--curvature", "identity", "-o", "target.json")
    allocate = ("allocate", "--scores", "scores.json", "--budget", 12, "--integer")
    run(base, *allocate, "--bounds", "bounds.csv", "-o", "plan.json")
    run(base, "prune", "--scores", "scores.json", "--sparsity", 0.5, "-o", "pruning.json")
    interrupt(base, SCORE_LARGE)
    return base


SCORE_LARGE = ("score", "--statistics", "large.safetensors", "--group-by", "module")


def interrupt(base: Path, arguments: tuple[object, ...]) -> None:
    """Leaves the journal of a run that a signal has stopped between two modules."""
    journal, started = base / f"{OUTPUT}.journal", time.monotonic()
    run(base, *arguments, "-o", OUTPUT)
    whole = time.monotonic() - started
    for attempt in range(100):
        for left in base.glob(f"{OUTPUT}*"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        with subprocess.Popen(
            command(*arguments, "-o", OUTPUT, "--quiet"),
            cwd=base,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as running:
            time.sleep(whole * (0.2 + 0.8 * (0.618 * attempt % 1)))
            running.send_signal(signal.SIGTERM)
            running.wait(timeout=60)
        if running.returncode == 75 and any(journal.glob("*.jsonl")):
            return
    raise AssertionError("no run was stopped between two modules")


PLACE = ("place", "plan.json", "--bytes-per-slot", 1000)
STATISTICS = ("--statistics", "statistics.safetensors")
SCORES = ("--scores", "scores.json")
ALLOCATE = ("allocate", *SCORES, "--budget", 12, "--integer")
VERIFY = ("inspect", "plan.json", "--verify")

CASES = (
    Case("score", ("score", *STATISTICS), ("statistics.safetensors",)),
    Case("score-shards", ("score", "--statistics", "shards"), ("shards",)),
    Case(
        "score-kronfluence",
        ("score", "--statistics", "kronfluence", "--curvature", "ekfac"),
        ("kronfluence",),
    ),
    Case("score-journal", SCORE_LARGE, (f"{OUTPUT}.journal",), inert=True),
    Case(
        "score-checkpoint",
        ("score", *STATISTICS, "--checkpoint", "model"),
        ("model",),
    ),
    Case(
        "allocate-statistics",
        ("allocate", *STATISTICS, "--budget", 12, "--integer"),
        ("statistics.safetensors",),
    ),
    Case("allocate-scores", ALLOCATE, ("scores.json",)),
    Case(
        "allocate-tables",
        (*ALLOCATE, "--bounds", "bounds.csv", "--cost", "costs.csv", "--program", "program.csv"),
        ("bounds.csv", "costs.csv", "program.csv"),
    ),
    Case(
        "allocate-csv",
        ("allocate", "--scores", "gains.csv", "--budget", 12, "--integer"),
        ("gains.csv",),
    ),
    Case("allocate-numpy", ("allocate", "--scores", "gains.npy", "--budget", 12), ("gains.npy",)),
    Case(
        "allocate-nodes",
        (*ALLOCATE, "--cost", 1000, "--unit", "bytes", "--budget", "nodes:0.9")
        + ("--nodes", "nodes.json"),
        ("nodes.json",),
    ),
    Case("prune", ("prune", *SCORES, "--sparsity", 0.5), ("scores.json",)),
    Case(
        "prune-measured",
        ("prune", *STATISTICS, "--checkpoint", "model", "--sparsity", 0.5, "--psi", "measured"),
        ("model", "statistics.safetensors"),
    ),
    Case(
        "apply",
        ("apply", "pruning.json", "--checkpoint", "model", *STATISTICS, "--method", "wanda"),
        ("pruning.json", "model", "statistics.safetensors"),
        output="out",
    ),
    Case("place", (*PLACE, "--nodes", "nodes.json"), ("plan.json", "nodes.json")),
    Case(
        "place-loads-csv",
        (*PLACE, "--nodes", "nodes.json", "--loads", "loads.csv"),
        ("loads.csv",),
    ),
    Case(
        "place-loads",
        (*PLACE, "--nodes", "nodes.json", "--loads", "loads.json"),
        ("loads.json",),
    ),
    Case("place-hosts", (*PLACE, "--nodes", "hosts"), ("hosts",)),
    Case(
        "export-mola",
        ("export", "plan.json", "--to", "mola"),
        ("plan.json",),
        fingerprinted=False,
    ),
    Case(
        "export-owl",
        ("export", "pruning.json", "--to", "owl", "--checkpoint", "model"),
        ("pruning.json", "model"),
        fingerprinted=False,
    ),
    Case("sweep", ("sweep", *SCORES, "--budget", 8, 12, "--integer"), ("scores.json",)),
    Case(
        "transfer",
        ("transfer", "--source", "scores.json", "--target", "target.json", "--budget", 12),
        ("scores.json", "target.json"),
    ),
    Case(
        "inspect-statistics",
        ("inspect", "statistics.safetensors"),
        ("statistics.safetensors",),
        output=None,
    ),
    Case("inspect-model", ("inspect", "model"), ("model",), output=None),
    Case("inspect-scores", ("inspect", "scores.json"), ("scores.json",), output=None),
    Case("inspect-plan", ("inspect", "plan.json"), ("plan.json",), output=None),
    Case("verify", (*VERIFY, *SCORES, "--bounds", "bounds.csv"), ("plan.json",), output=None),
    Case("verify-alone", VERIFY, ("plan.json",), output=None),
    Case(
        "verify-inputs",
        (*VERIFY, *SCORES, "--bounds", "bounds.csv"),
        ("scores.json", "bounds.csv"),
        output=None,
    ),
)
