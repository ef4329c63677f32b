"""Modules that read the same tensor, found by one pass: they share one activation covariance.

The first of them in natural order leads and stores the matrix; the others become aliases of it.
"""

from __future__ import annotations

import dataclasses
import re

from torch import nn

from .coverage_table import pattern_of
from .language_model import run_batch
from .linear_maps import LinearMap
from .module_captures import Capture, Recorder, has_batch_rows, unusable
from .module_coverage import Coverage, natural_key
from .padded_batches import Batch

Leaders = dict[str, str]


def input_identity(capture: Capture, has_bias: bool) -> tuple[object, ...]:
    """Equal for two modules that read the same tensor in one pass.

    The captures keep every input alive until the pass is over, so memory is not reused in between.
    """
    x = capture.input
    assert x is not None
    if x.numel() == 0:  # all empty tensors lie at address 0
        return (id(capture),)
    return (x.data_ptr(), x._version, tuple(x.shape), x.stride(), x.dtype, has_bias)


@dataclasses.dataclass(frozen=True)
class Probe:
    """What one pass shows.

    The usable modules; who leads; the share of the batch's tokens that each module saw; and whether
    only batches of one sequence can be told apart.
    """

    coverage: Coverage
    leaders: Leaders
    shares: dict[str, float]
    one_by_one: bool


def probe(model: nn.Module, recorder: Recorder, coverage: Coverage, batch: Batch) -> Probe:
    """One pass: the usable modules, and {module: first module that reads the same input}."""
    recorder.clear()
    run_batch(model, batch, recorder)
    called = {name: capture for name, capture in recorder.captures.items() if not capture.is_empty}
    routed = {
        name for name in called if has_own_rows(name, coverage.maps[name], called[name], batch)
    }
    alone = Batch(batch.inputs[:1], batch.labels[:1], batch.mask[:1], batch.fold, ())
    judged = alone if routed else batch
    called_patterns = {pattern_of(name) for name in called}
    maps, skipped = {}, list(coverage.skipped)
    leaders: Leaders = {}
    first: dict[tuple[object, ...], str] = {}
    for name, own in coverage.maps.items():
        capture = called.get(name)
        if capture is None and routed and pattern_of(name) in called_patterns:
            maps[name] = own  # an expert that this batch did not choose
            leaders[name] = name
            continue
        if reason := unusable(own, capture, judged):
            skipped.append((name, own.parameters, explained(own.kind, reason)))
            continue
        assert capture is not None
        maps[name] = own
        leaders[name] = first.setdefault(input_identity(capture, own.has_bias), name)
    shares = {name: share_seen(name in routed, called.get(name), batch) for name in maps}
    recorder.clear()
    skipped.sort(key=lambda row: natural_key(row[0]))
    return Probe(Coverage(maps, skipped), leaders, shares, bool(routed & set(maps)))


def share_seen(is_routed: bool, capture: Capture | None, batch: Batch) -> float:
    if capture is None or capture.input is None:
        return 0.0
    rows = capture.input.numel() / capture.input.shape[-1]
    return rows / batch.mask.numel() if is_routed else 1.0


def has_own_rows(name: str, own: LinearMap, capture: Capture, batch: Batch) -> bool:
    """Whether its rows may be others than the batch's tokens, even if this batch does not show it.

    An expert can happen to see every token, in an order of its own.
    """
    if own.kind == "embedding":
        return False
    is_expert = own.kind == "expert" or re.search(r"\bexperts?\.\d+\.", name) is not None
    return is_expert or not has_batch_rows(capture, batch)


def explained(kind: str, reason: str) -> str:
    """'never called' says little of a weight that only a product could show."""
    if kind in ("product", "expert") and reason == "never called":
        return "not an nn.Linear, and its weight is in no product that can be seen"
    return reason
