"""The three texts of a comparison, read once and cut into windows."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import torch
from layerbudget_statistics.language_model import check_lengths, load_model
from layerbudget_statistics.padded_batches import next_token_samples
from layerbudget_statistics.text_windows import Encoder
from pruning_comparison.held_out_loss import choose_windows
from torch import nn
from transformers.utils import logging as transformers_logging


@dataclasses.dataclass(frozen=True)
class Texts:
    """Tokens to train on, and windows [windows, 1 + length] of the other two texts.

    The held-out windows and the tuning windows, of the calibration text, are the same for every
    seed; which calibration windows EVA sees depends on the seed.
    """

    training: torch.Tensor
    calibration: torch.Tensor
    tuning: torch.Tensor
    held_out: torch.Tensor


def prepare(options: argparse.Namespace) -> tuple[nn.Module, Texts]:
    """The model as it was before training, and the texts."""
    if options.threads:
        torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model = load_model(options, "causal")
    model.requires_grad_(False)
    encoder = Encoder(options.model, int(model.config.get_text_config().vocab_size))

    def tokens_of(file: Path) -> torch.Tensor:
        return encoder.encode(file.read_bytes(), whole=False)

    length, calibration = options.length, tokens_of(options.calibration)
    texts = Texts(
        tokens_of(options.training),
        choose_windows(calibration, length, options.calibration_windows, options.seed),
        choose_windows(calibration, length, options.tuning_windows, None),
        choose_windows(tokens_of(options.text), length, options.windows, None),
    )
    for windows in (texts.calibration, texts.held_out):
        check_lengths(model, next_token_samples(list(windows)))
    return model, texts
