"""Running `layerbudget apply`: plans and statistics made by hand, and its output read back.

The command's path comes from LAYERBUDGET (default: the debug build).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = os.environ.get("LAYERBUDGET", str(REPOSITORY / ".build" / "debug" / "layerbudget"))
SIDECAR = "layerbudget-apply.json"
RANKED = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
}

Tensors = dict[str, torch.Tensor]
Finished = subprocess.CompletedProcess[str]


def command(*arguments: object, ranks: int | None = None) -> list[str]:
    launcher = [] if ranks is None else ["mpirun", "-q", "-n", str(ranks), "--oversubscribe"]
    return [*launcher, TOOL, *map(str, arguments)]


def tool(
    *arguments: object,
    ranks: int | None = None,
    folder: Path | None = None,
    timeout: float = 120,
) -> Finished:
    """Runs the tool in a folder. Its text may hold what a damaged input holds."""
    return subprocess.run(
        command(*arguments, ranks=ranks),
        capture_output=True,
        text=True,
        errors="backslashreplace",
        stdin=subprocess.DEVNULL,
        env={**os.environ, **RANKED},
        cwd=folder,
        timeout=timeout,
        check=False,
    )


def apply(
    plan: Path, checkpoint: Path, output: Path, *options: object, ranks: int | None = None
) -> Finished:
    return tool(
        "apply", plan, "--checkpoint", checkpoint, "-o", output, *options, "--quiet", ranks=ranks
    )


def applied(
    plan: Path, checkpoint: Path, output: Path, *options: object, ranks: int | None = None
) -> dict:
    """The sidecar of a run that went well."""
    done = apply(plan, checkpoint, output, *options, ranks=ranks)
    assert done.returncode == 0, done.stderr
    return json.loads((output / SIDECAR).read_text())


def prune(output: Path, *options: object) -> Path:
    done = tool("prune", *options, "-o", output, "--quiet")
    assert done.returncode == 0, done.stderr
    return output


def unit(
    name: str, zeros: int, weights: int, modules: Sequence[str] = (), pattern: str | None = None
) -> dict:
    """One unit of a plan; without modules as scores of another method give it."""
    share = zeros / weights
    own = {"name": name, "integer": zeros, "weights": weights, "continuous": share}
    own |= {"gain": 1, "quality": 1, "lower": 0, "upper": 1, "at_bound": None}
    own |= {"modules": list(modules)} if modules else {}
    return own | ({"pattern": pattern} if pattern else {})


CERTIFICATE = (
    *("primal", "dual", "gap", "kkt_residual", "stationarity_residual", "feasibility_residual"),
    *("complementarity_residual", "budget_left", "integer_budget_left", "integrality_gap"),
    *("units_at_lower", "units_at_upper"),
)


def write_plan(path: Path, units: Sequence[dict], program: str = "pruning") -> Path:
    total = sum(own["integer"] for own in units)
    plan = {
        "format": "layerbudget.plan/1",
        "program": program,
        "parameters": {},
        "price": 0,
        "budget": total,
        "spent": total,
        "spent_integer": total,
        "units": list(units),
        "certificate": dict.fromkeys(CERTIFICATE, 0),
        "inputs": {},
        "notes": [],
    }
    path.write_text(json.dumps(plan))
    return path


def random_covariance(generator: np.random.Generator, inputs: int) -> np.ndarray:
    """Correlated inputs of very unequal size."""
    x = generator.normal(size=(2 * inputs + 3, inputs))
    x[:, 1:] += x[:, :-1]
    x *= np.exp(generator.normal(size=inputs))
    return x.T @ x / len(x)


def write_statistics(
    path: Path, covariances: Mapping[str, np.ndarray], outputs: Mapping[str, int], **metadata: str
) -> Path:
    """A of every module in F64, and a gradient, which no method of pruning looks at."""
    tensors: Tensors = {}
    for name, a in covariances.items():
        tensors[f"{name}.activation_covariance"] = torch.tensor(a)
        tensors[f"{name}.gradient"] = torch.zeros(outputs[name], len(a), dtype=torch.bfloat16)
    save_file(tensors, path, {"format": "layerbudget.statistics/1", **metadata})
    return path


def outputs_of(tensors: Mapping[str, torch.Tensor]) -> dict[str, int]:
    """The rows of every matrix, by the name of its module."""
    return {
        name.removesuffix(".weight"): len(own) for name, own in tensors.items() if own.dim() == 2
    }


def write_checkpoint(folder: Path, tensors: Tensors, **config: object) -> Path:
    """The least that a Hugging Face folder is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(contiguous, folder / "model.safetensors", {"format": "pt"})
    return folder


def read_checkpoint(folder: Path) -> Tensors:
    """Every tensor of the files the index names, or of the only file."""
    index = folder / "model.safetensors.index.json"
    names = {"model.safetensors"}
    if index.exists():
        names = set(json.loads(index.read_text())["weight_map"].values())
    tensors: Tensors = {}
    for name in sorted(names):
        found = load_file(folder / name)
        assert not set(found) & set(tensors)
        tensors |= found
    return tensors


def header(file: Path) -> bytes:
    """The length and the JSON a safetensors file begins with."""
    with file.open("rb") as opened:
        length = opened.read(8)
        return length + opened.read(int.from_bytes(length, "little"))


def stored_bytes(file: Path) -> dict[str, bytes]:
    """The bytes of every tensor, by the offsets in the header."""
    whole, head = file.read_bytes(), header(file)
    places = {k: v for k, v in json.loads(head[8:]).items() if k != "__metadata__"}
    return {
        name: whole[len(head) + own["data_offsets"][0] : len(head) + own["data_offsets"][1]]
        for name, own in places.items()
    }


def folder_bytes(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def zeros(tensor: torch.Tensor) -> int:
    return int((tensor == 0).sum())
