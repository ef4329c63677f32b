"""The pass over a process's batches: every batch is run once and added to all sums."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import nn

from .alias_detection import Leaders, input_identity
from .checkpoints import Checkpoints, Progress
from .language_model import run_batch
from .linear_maps import LinearMap
from .module_captures import Recorder, unusable
from .padded_batches import Batch
from .plain_errors import EXIT_DATA, CommandError
from .processes import Processes
from .progress_lines import ProgressLines
from .running_sums import Sums
from .token_records import TokenRecord


@dataclasses.dataclass(frozen=True)
class Collected:
    """What is collected so far, by module: sums, and rows where they were asked for."""

    maps: dict[str, LinearMap]
    leaders: Leaders
    sums: dict[str, Sums]
    records: dict[str, TokenRecord]

    def state(self) -> dict[str, torch.Tensor]:
        found = {}
        for kind, holders in (("sums", self.sums), ("records", self.records)):
            for name, holder in holders.items():
                for part, tensor in holder.state().items():
                    found[f"{kind}/{name}/{part}"] = tensor
        return found

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        for name, sums in self.sums.items():
            for part, tensor in sums.state().items():
                tensor.copy_(tensors[f"sums/{name}/{part}"])
        for name, record in self.records.items():
            parts = record.state()
            record.merge({part: tensors[f"records/{name}/{part}"] for part in parts})

    def add(self, recorder: Recorder, batch: Batch) -> None:
        for name, own in self.maps.items():
            capture = recorder.captures.get(name)
            alone = len(batch.inputs) == 1
            if alone and (capture is None or capture.is_empty):
                continue  # an expert that this sequence did not choose
            if reason := unusable(own, capture, batch):
                raise CommandError(
                    EXIT_DATA,
                    f"{name}: {reason}, unlike in the first batch; leave it out with --modules",
                )
            assert capture is not None
            self.require_leader(name, own, recorder)
            self.sums[name].add(capture, batch)
            if name in self.records:
                self.records[name].add(capture, batch)

    def require_leader(self, name: str, own: LinearMap, recorder: Recorder) -> None:
        leader = recorder.captures.get(self.leaders[name])
        capture = recorder.captures[name]
        if leader is None or (
            input_identity(capture, own.has_bias) != input_identity(leader, own.has_bias)
        ):
            raise CommandError(
                EXIT_DATA,
                f"{name}: shares its input with {self.leaders[name]} in some batches only",
            )


@dataclasses.dataclass(frozen=True)
class Pass:
    """Where the batches run, and what watches over them."""

    model: nn.Module
    recorder: Recorder
    processes: Processes
    checkpoints: Checkpoints
    bar: bool

    def run(self, collected: Collected, batches: list[Batch], progress: Progress) -> None:
        """Adds every batch after those that `progress` says are done."""
        lines = ProgressLines(len(batches), progress.batches, self.bar)
        try:
            for batch in batches[progress.batches :]:
                self.processes.stop_if_failed_elsewhere()
                self.recorder.clear()
                loss = run_batch(self.model, batch, self.recorder)
                if not math.isfinite(loss):
                    raise CommandError(
                        EXIT_DATA,
                        f"the loss of batch {progress.batches + 1} is {loss}: "
                        "try --model-dtype float32",
                    )
                collected.add(self.recorder, batch)
                progress.batches += 1
                progress.samples += len(batch.inputs)
                progress.tokens += int(batch.mask.sum())
                progress.predicted += batch.predicted
                progress.loss += loss
                lines.show(progress.batches, progress.loss / max(1, progress.predicted))
                if self.checkpoints.is_due(progress.batches):
                    self.checkpoints.save(progress, collected.state())
        finally:
            lines.close()
            self.recorder.clear()
