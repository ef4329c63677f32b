"""Sums of an unfinished run, saved now and then beside the output, one file per process.

A rerun with the same options, model and text goes on where the last checkpoint stands and gives
the same bytes as a run that was not disturbed. Removed when the statistics are written.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from .plain_errors import EXIT_DATA, CommandError
from .statistics_file import write_safetensors

OTHER_RUN = (
    "is of a run with other options, model, text or processes: "
    "repeat that run, or start anew with --no-resume"
)


@dataclasses.dataclass
class Progress:
    """How far a process is: batches done, and the loss summed over `predicted` tokens of them."""

    batches: int = 0
    samples: int = 0
    tokens: int = 0
    predicted: int = 0
    loss: float = 0.0

    def texts(self) -> dict[str, str]:
        """Exact: a float's repr reads back to the same bits."""
        return {name: repr(value) for name, value in dataclasses.asdict(self).items()}

    @staticmethod
    def by_texts(texts: dict[str, str]) -> Progress:
        counts = {name: int(texts[name]) for name in ("batches", "samples", "tokens", "predicted")}
        return Progress(**counts, loss=float(texts["loss"]))


def folder_beside(output: Path) -> Path:
    return output.with_name(output.name + ".partial")


class Checkpoints:
    """This process's file in the folder beside the output."""

    def __init__(self, output: Path, rank: int, count: int, fingerprint: str, every: int) -> None:
        self.folder = folder_beside(output)
        self.file = self.folder / f"process-{rank + 1}-of-{count}.safetensors"
        self.fingerprint = fingerprint
        self.every = every

    def is_due(self, batches: int) -> bool:
        return self.every > 0 and batches % self.every == 0

    def save(self, progress: Progress, tensors: dict[str, torch.Tensor]) -> None:
        write_safetensors(self.file, tensors, {"fingerprint": self.fingerprint, **progress.texts()})

    def load(self) -> tuple[Progress, dict[str, torch.Tensor]] | None:
        """What a run before this one left; an error if that was another run."""
        left = sorted(self.folder.glob("process-*.safetensors")) if self.folder.is_dir() else []
        if any(file.name.rsplit("-", 1)[1] != self.file.name.rsplit("-", 1)[1] for file in left):
            raise CommandError(EXIT_DATA, f"{self.folder} {OTHER_RUN}")
        if self.file not in left:
            return None
        try:
            with safe_open(self.file, framework="pt") as opened:
                texts = opened.metadata()
                tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise CommandError(
                EXIT_DATA, f"{self.file} cannot be read ({error}): start anew with --no-resume"
            ) from None
        if texts["fingerprint"] != self.fingerprint:
            raise CommandError(EXIT_DATA, f"{self.folder} {OTHER_RUN}")
        return Progress.by_texts(texts), tensors

    def remove(self) -> None:
        """Of all processes; also what a killed process left half written."""
        if self.folder.is_dir():
            for pattern in ("process-*.safetensors", ".process-*.tmp"):
                for file in self.folder.glob(pattern):
                    file.unlink(missing_ok=True)
            if not any(self.folder.iterdir()):
                self.folder.rmdir()
