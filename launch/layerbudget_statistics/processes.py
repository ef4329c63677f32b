"""Data parallel under torchrun: processes that share the sequences and add up their sums.

Alone, every step is a plain call. With others, a step that fails anywhere fails everywhere: all
processes meet after each step, take the first failure in rank order, and leave with its exit code.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import distributed

from .plain_errors import EXIT_DATA, EXIT_INPUT, EXIT_USAGE, CommandError

Result = TypeVar("Result")
PATIENCE = datetime.timedelta(days=7)  # for slower processes; torchrun ends all if one dies
FAILED, SPOKEN = "layerbudget/failed", "layerbudget/spoken"


class FailedElsewhere(CommandError):
    """Another process has failed: this one only has to stop."""


class Processes:
    """All processes of this run, this one among them.

    Collective: every process calls `together`, `add_up` and `gather` in the same order.
    """

    def __init__(self) -> None:
        self.rank, self.count = 0, int(os.environ.get("WORLD_SIZE", "1"))
        if self.count == 1:
            return
        try:
            meeting = distributed.rendezvous("env://", timeout=PATIENCE)
            self.store, self.rank, self.count = next(iter(meeting))
        except ValueError as error:
            raise CommandError(
                EXIT_USAGE, f"WORLD_SIZE is {self.count}, but {error}: start with torchrun"
            ) from None
        distributed.init_process_group(
            "gloo", store=self.store, rank=self.rank, world_size=self.count, timeout=PATIENCE
        )
        if self.rank:  # one process speaks for all
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (open until the process ends)

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def together(self, step: Callable[[], Result]) -> Result:
        """The step's result; or, in every process, the first failure of any."""
        failure: CommandError | None = None
        try:
            result = step()
        except CommandError as error:
            failure = error
        except OSError as error:
            failure = CommandError(EXIT_INPUT, str(error))
        if self.count > 1:
            failure = self.first_failure(failure)
        if failure:
            raise failure
        return result

    def first_failure(self, own: CommandError | None) -> CommandError | None:
        if own:
            self.store.set(FAILED, "1")
        told = None if own is None or isinstance(own, FailedElsewhere) else (own.code, str(own))
        everyone: list[tuple[int, str] | None] = [None] * self.count
        distributed.all_gather_object(everyone, told)
        for rank, failure in enumerate(everyone):
            if failure:
                where = f"process {rank}: " if any(other != failure for other in everyone) else ""
                return CommandError(failure[0], where + failure[1])
        return None

    def stop_if_failed_elsewhere(self) -> None:
        """To be called now and then in a long step, so that nobody computes for nothing."""
        if self.count > 1 and self.store.check([FAILED]):
            raise FailedElsewhere(EXIT_DATA, "another process failed")

    def require_equal(self, value: str, what: str) -> None:
        """Every process must see the same input: a disk that is not shared is noticed here."""
        if self.count == 1:
            return
        everyone: list[str] = [""] * self.count
        distributed.all_gather_object(everyone, value)
        for rank, other in enumerate(everyone):
            if other != everyone[0]:
                raise CommandError(EXIT_DATA, f"process {rank} sees another {what} than process 0")

    def add_up(self, tensor: torch.Tensor) -> None:
        """The tensor becomes the sum over all processes, in each of them."""
        if self.count > 1:
            distributed.all_reduce(tensor, op=distributed.ReduceOp.SUM)

    def gather(self, own: Result) -> list[Result]:
        """Everyone's value in process 0, in rank order; nothing elsewhere."""
        if self.count == 1:
            return [own]
        everyone: list[Result | None] | None = [None] * self.count if self.leads else None
        distributed.gather_object(own, everyone)
        return [value for value in everyone or [] if value is not None]

    def leave(self, code: int) -> int:
        """The exit code, when this process may go: not before process 0 has said what it has to.

        With others it does not return: they end here, since taking gloo's threads down while peers
        go away now and then aborts a process whose work is done.
        """
        if self.count == 1:
            return code
        sys.stdout.flush()
        sys.stderr.flush()
        if self.leads:
            self.store.set(SPOKEN, "1")
        else:
            with contextlib.suppress(RuntimeError):  # the store's host may be gone already
                self.store.wait([SPOKEN], PATIENCE)
        os._exit(code)
