"""The loss of a causal language model on windows of a held-out text."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path

import torch
from layerbudget_statistics.language_model import check_lengths, load_model
from layerbudget_statistics.padded_batches import next_token_samples
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError, positive
from layerbudget_statistics.text_windows import Encoder
from torch import nn
from torch.nn import functional
from transformers.utils import logging as transformers_logging

LARGEST_EXPONENT = 700.0  # exp of more is no float64


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A loaded model and the windows [windows, 1 + length] it is asked to predict."""

    model: nn.Module
    windows: torch.Tensor
    encoder: str
    batch_size: int

    def losses(self) -> torch.Tensor:
        return window_losses(self.model, self.windows, self.batch_size)


def add_text_options(parser: argparse.ArgumentParser, windows: int) -> None:
    """Which windows of which text, and how the model runs over them."""
    text = parser.add_argument_group("held-out text")
    text.add_argument(
        "--text", type=Path, required=True, metavar="FILE", help="held-out text (UTF-8)"
    )
    text.add_argument(
        "--length",
        type=positive,
        default=256,
        metavar="TOKENS",
        help="predicted tokens per window (default: %(default)s)",
    )
    text.add_argument(
        "--windows",
        type=positive,
        default=windows,
        metavar="N",
        help="number of windows, none overlapping another (default: %(default)s)",
    )
    text.add_argument(
        "--seed", type=int, help="draw the windows by this seed; without it they are spread evenly"
    )
    text.add_argument(
        "--batch-size",
        type=positive,
        default=16,
        metavar="N",
        help="windows per pass (default: %(default)s)",
    )
    text.add_argument(
        "--model-dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type the model computes in (default: %(default)s)",
    )
    text.add_argument("--device", default="cpu", help="where the model runs (default: %(default)s)")
    text.add_argument("--threads", type=positive, help="CPU threads (default: torch's choice)")


def prepare(options: argparse.Namespace) -> HeldOut:
    if options.threads:
        torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model = load_model(options, "causal")
    encoder = Encoder(options.model, int(model.config.get_text_config().vocab_size))
    tokens = encoder.encode(options.text.read_bytes(), whole=False)
    windows = choose_windows(tokens, options.length, options.windows, options.seed)
    check_lengths(model, next_token_samples(list(windows)))
    return HeldOut(model, windows, encoder.description, options.batch_size)


def choose_windows(tokens: torch.Tensor, length: int, count: int, seed: int | None) -> torch.Tensor:
    """int64 [windows, 1 + length], at most `count`, spread evenly or drawn, in the text's order.

    No token is predicted twice.
    """
    cells = (len(tokens) - 1) // length
    if cells < 1:
        raise CommandError(
            EXIT_DATA,
            f"the text gives {len(tokens)} tokens, too few for one window of {length}: "
            "more text or a smaller --length",
        )
    count = min(count, cells)
    if seed is None:
        starts = torch.arange(count) * (len(tokens) - 1 - length) // max(1, count - 1)
    else:
        generator = torch.Generator().manual_seed(seed)
        starts = torch.randperm(cells, generator=generator)[:count].sort().values * length
    return tokens[starts[:, None] + torch.arange(length + 1)]


@torch.inference_mode()
def window_losses(model: nn.Module, windows: torch.Tensor, batch_size: int) -> torch.Tensor:
    """Mean loss per token of every window, in nats, float64 [windows]."""
    device = next(model.parameters()).device
    found = []
    for batch in windows.split(batch_size):
        batch = batch.to(device)
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits.float()
        loss = functional.cross_entropy(
            logits.flatten(0, 1), batch[:, 1:].flatten(), reduction="none"
        )
        found.append(loss.view(len(batch), -1).double().mean(1).cpu())
    return torch.cat(found)


def standard_error(values: torch.Tensor) -> float | None:
    """Of the mean over windows; none of a single window."""
    return float(values.std()) / math.sqrt(len(values)) if len(values) > 1 else None


def perplexity(loss: float) -> float:
    return math.exp(min(loss, LARGEST_EXPONENT))
