"""What the tests of the collector share: running it, tiny models, and sums by plain autograd.

The reference knows nothing of hooks or products: it reads `.grad` of parameters, one sequence at a
time, and takes A and G from inputs and output gradients that a test's own hooks or forward give.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

SCRIPT = Path(__file__).resolve().parents[2] / "launch" / "collect_statistics.py"
TOLERANCE = {"rtol": 2e-5, "atol": 1e-7}

Tensors = dict[str, torch.Tensor]


def load_script() -> ModuleType:
    """The script as a module, so that torch is imported once and not once per run."""
    sys.path.insert(0, str(SCRIPT.parent))  # as Python does for a script: its package lies beside
    spec = importlib.util.spec_from_file_location("collect_statistics", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


COMMAND = load_script()


@dataclasses.dataclass(frozen=True)
class Finished:
    returncode: int
    stdout: str
    stderr: str


def collect(*arguments: object) -> Finished:
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = COMMAND.main(["--threads", "1", *map(str, arguments)])
    return Finished(code, stdout.getvalue(), stderr.getvalue())


def collected(*arguments: object) -> str:
    done = collect(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(file: Path) -> tuple[Tensors, dict[str, str]]:
    """Stored tensors with the aliases resolved, and the metadata."""
    with safe_open(file, framework="pt") as opened:
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        metadata = opened.metadata()
    for key, stored in json.loads(metadata.get("alias", "{}")).items():
        assert key not in tensors and stored in tensors
        tensors[key] = tensors[stored]
    return tensors, metadata


def save(model: nn.Module, folder: Path) -> Path:
    """With every vector parameter off its trivial start, so that biases take part."""
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    return folder


def write_bytes(file: Path, size: int) -> Path:
    generator = torch.Generator().manual_seed(5)
    file.write_bytes(bytes(torch.randint(32, 127, (size,), generator=generator).tolist()))
    return file


def write_lines(file: Path, lengths: list[int]) -> Path:
    generator = torch.Generator().manual_seed(6)
    lines = [bytes(torch.randint(33, 127, (n,), generator=generator).tolist()) for n in lengths]
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def windows(text: Path, length: int, count: int) -> list[torch.Tensor]:
    tokens = torch.tensor(list(text.read_bytes()))
    return [tokens[i * length : (i + 1) * length + 1] for i in range(count)]


def causal_loss(model: nn.Module, sequence: torch.Tensor) -> torch.Tensor:
    logits = model(input_ids=sequence[None, :-1]).logits[0]
    return functional.cross_entropy(logits.float(), sequence[1:], reduction="sum")


Gradients = Callable[[nn.Module], Tensors]


def each_gradient(
    model: nn.Module, losses: list[Callable[[], torch.Tensor]], gradients: Gradients
) -> Tensors:
    """{module: [samples, out, in(+1)]} from `.grad` alone, one backward pass per sample."""
    found: dict[str, list[torch.Tensor]] = {}
    for loss in losses:
        model.zero_grad(set_to_none=True)
        loss().backward()
        for name, gradient in gradients(model).items():
            found.setdefault(name, []).append(gradient.double())
    return {name: torch.stack(each) for name, each in found.items()}


def check_gradients(tensors: Tensors, each: Tensors, folds: int, **tolerance: float) -> None:
    """gradient, folds and diagonal of every module against the per-sample gradients."""
    tolerance = tolerance or TOLERANCE
    found = {key.removesuffix(".gradient") for key in tensors if key.endswith(".gradient")}
    assert found == set(each)
    for name, gradients in each.items():
        wanted = {
            "gradient": gradients.mean(0),
            "fisher_diagonal": gradients.square().mean(0),
            "gradient_folds": gradients.unflatten(0, (folds, -1)).mean(1),
        }
        for quantity, value in wanted.items():
            torch.testing.assert_close(
                tensors[f"{name}.{quantity}"].double(),
                value,
                **tolerance,
                msg=lambda text, key=f"{name}.{quantity}": f"{key}: {text}",
            )


@dataclasses.dataclass
class Rows:
    """The rows one module saw, sample by sample, and the gradients at its output."""

    x: list[torch.Tensor] = dataclasses.field(default_factory=list)
    y: list[torch.Tensor] = dataclasses.field(default_factory=list)

    def see(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Notes rows of the current sample and returns y, whose gradient is kept."""
        self.x.append(x.detach().reshape(-1, x.shape[-1]))
        y.retain_grad()
        self.y.append(y)
        return y

    def taken(self, has_bias: bool) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.cat(self.x).double()
        d = torch.cat([y.grad.reshape(-1, y.shape[-1]) for y in self.y]).double()
        return torch.cat([x, torch.ones_like(x[:, :1])], 1) if has_bias else x, d


def hooked_rows(model: nn.Module, name: str) -> tuple[Rows, Callable[[], None]]:
    """Rows of a module that has a forward of its own; and how to stop watching."""
    rows = Rows()

    def note(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        rows.see(inputs[0], output)

    return rows, model.get_submodule(name).register_forward_hook(note).remove


def check_factors(
    tensors: Tensors, name: str, x: torch.Tensor, d: torch.Tensor, **tolerance: float
) -> None:
    """A and G by a loop over tokens."""
    a = torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    g = torch.zeros(d.shape[1], d.shape[1], dtype=torch.float64)
    for row, gradient in zip(x, d, strict=True):
        a, g = a + torch.outer(row, row), g + torch.outer(gradient, gradient)
    count, tolerance = max(1, len(x)), tolerance or TOLERANCE
    for quantity, value in (("activation_covariance", a), ("gradient_covariance", g)):
        stored = tensors[f"{name}.{quantity}"].double()
        value = value / count if stored.dim() == 2 else value.diagonal() / count
        torch.testing.assert_close(
            stored, value, **tolerance, msg=lambda text, q=quantity: f"{name}.{q}: {text}"
        )


F64 = (
    *("--gradient-dtype", "F64"),
    *("--factor-dtype", "F64"),
    *("--fisher-dtype", "F64"),
    *("--fold-order", "text"),
)
