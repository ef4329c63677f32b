"""Modules that read the same tensor, found by one pass: they share one activation covariance.

The first of them in natural order leads and stores the matrix; the others become aliases of it.
"""

from __future__ import annotations

from torch import nn

from .causal_model import run_batch
from .module_captures import Capture, Recorder, unusable
from .module_coverage import Coverage, natural_key, own_parameters
from .padded_batches import Batch


def input_identity(capture: Capture, has_bias: bool) -> tuple[object, ...]:
    """Equal for two modules that read the same tensor in one pass.

    The captures keep every input alive until the pass is over, so memory is not reused in between.
    """
    x = capture.input
    assert x is not None
    return (x.data_ptr(), x._version, tuple(x.shape), x.stride(), x.dtype, has_bias)


def probe(
    model: nn.Module, recorder: Recorder, coverage: Coverage, batch: Batch
) -> tuple[Coverage, dict[str, str]]:
    """One pass: the usable modules, and {module: first module that reads the same input}."""
    recorder.clear()
    run_batch(model, batch)
    modules, skipped = {}, list(coverage.skipped)
    leaders: dict[str, str] = {}
    first: dict[tuple[object, ...], str] = {}
    for name, module in coverage.modules.items():
        capture = recorder.captures.get(name)
        if reason := unusable(capture, batch):
            skipped.append((name, own_parameters(module), reason))
            continue
        assert capture is not None
        modules[name] = module
        leaders[name] = first.setdefault(input_identity(capture, module.bias is not None), name)
    recorder.clear()
    skipped.sort(key=lambda row: natural_key(row[0]))
    return Coverage(modules, skipped), leaders
