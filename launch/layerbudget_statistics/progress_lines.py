"""How far the batches are: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time

from tqdm import tqdm


class ProgressLines:
    """A bar on standard error, or at most about eight lines on standard output."""

    def __init__(self, batches: int, done: int, bar: bool) -> None:
        self.batches = batches
        self.began = time.monotonic()
        self.bar = tqdm(total=batches, initial=done, unit="batch") if bar else None

    def show(self, number: int, mean_loss: float) -> None:
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {mean_loss:.4f} per token", refresh=False)
            self.bar.update()
        elif number == self.batches or number % max(1, self.batches // 8) == 0:
            print(
                f"batch {number}/{self.batches}  loss {mean_loss:.4f} per token  "
                f"{time.monotonic() - self.began:.0f} s",
                flush=True,
            )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
