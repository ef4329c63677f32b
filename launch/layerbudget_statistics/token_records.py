"""Raw captures: the rows that reached a module and the gradients there, sample by sample.

For the Gram curvature, which needs every token: (in + out) numbers per token and module. An input
embedding has none: its one-hot rows would be as wide as the vocabulary.
"""

from __future__ import annotations

import torch

from .alias_detection import Leaders
from .linear_maps import LinearMap
from .module_captures import Capture
from .padded_batches import Batch


class TokenRecord:
    """Of one module, by sample number: x [tokens, in] where it leads, and d [tokens, out]."""

    def __init__(self, own: LinearMap, leads: bool, dtype: torch.dtype) -> None:
        self.sides = (own.inputs, own.outputs)
        self.leads = leads
        self.dtype = dtype
        self.inputs: dict[int, torch.Tensor] = {}
        self.output_gradients: dict[int, torch.Tensor] = {}

    def add(self, capture: Capture, batch: Batch) -> None:
        assert capture.input is not None and capture.output_gradient is not None
        alone = len(batch.inputs) == 1
        shape = (1, -1) if alone else tuple(batch.inputs.shape)
        x = capture.input.reshape(*shape, self.sides[0])
        d = capture.output_gradient.reshape(*shape, self.sides[1])
        for place, number in enumerate(batch.samples):
            keep = slice(None) if alone else batch.mask[place]
            self.output_gradients[number] = d[place][keep].to("cpu", self.dtype, copy=True)
            if self.leads:
                self.inputs[number] = x[place][keep].to("cpu", self.dtype, copy=True)

    def joined(self, samples: int) -> dict[str, torch.Tensor]:
        """token_inputs, token_output_gradients and sample_offsets of samples 0 ..< `samples`."""
        lengths = [len(self.output_gradients.get(number, ())) for number in range(samples)]
        offsets = torch.tensor([0, *lengths], dtype=torch.int64).cumsum(0)
        found = {
            "token_output_gradients": self.stacked(self.output_gradients, self.sides[1]),
            "sample_offsets": offsets,
        }
        if self.leads:
            found["token_inputs"] = self.stacked(self.inputs, self.sides[0])
        return found

    def stacked(self, rows: dict[int, torch.Tensor], width: int) -> torch.Tensor:
        empty = torch.zeros((0, width), dtype=self.dtype)
        return torch.cat([empty, *(rows[number] for number in sorted(rows))])

    def state(self) -> dict[str, torch.Tensor]:
        """For a checkpoint: the rows in order, and how many of which sample."""
        numbers = sorted(self.output_gradients)
        lengths = [len(self.output_gradients[number]) for number in numbers]
        return {
            "samples": torch.tensor(numbers, dtype=torch.int64),
            "lengths": torch.tensor(lengths, dtype=torch.int64),
            "rows": self.stacked(self.output_gradients, self.sides[1]),
            "inputs": self.stacked(self.inputs, self.sides[0]),
        }

    def merge(self, state: dict[str, torch.Tensor]) -> None:
        """Takes over the rows of a checkpoint or of another process."""
        numbers, lengths = state["samples"].tolist(), state["lengths"].tolist()
        parts = zip(numbers, state["rows"].split(lengths), strict=True)
        self.output_gradients |= dict(parts)
        if self.leads:
            self.inputs |= dict(zip(numbers, state["inputs"].split(lengths), strict=True))


def make_records(
    maps: dict[str, LinearMap], leaders: Leaders, dtype: torch.dtype
) -> dict[str, TokenRecord]:
    return {
        name: TokenRecord(own, leaders[name] == name, dtype)
        for name, own in maps.items()
        if own.kind != "embedding"
    }


def expected_bytes(records: dict[str, TokenRecord], shares: dict[str, float], tokens: int) -> int:
    """Of all records, if every module goes on to see the share of all tokens it saw at first."""
    numbers = 0.0
    for name, own in records.items():
        width = own.sides[1] + (own.sides[0] if own.leads else 0)
        numbers += width * shares[name] * own.dtype.itemsize
    return round(numbers * tokens)
