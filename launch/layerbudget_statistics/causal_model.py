"""The causal language model: loaded, checked against the text, run on one batch."""

from __future__ import annotations

import argparse

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModelForCausalLM

from .padded_batches import IGNORED, Batch
from .plain_errors import EXIT_DATA, EXIT_USAGE, CommandError


def load_model(options: argparse.Namespace) -> nn.Module:
    try:
        model = AutoModelForCausalLM.from_pretrained(
            options.model, local_files_only=True, dtype=getattr(torch, options.model_dtype)
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise CommandError(
            EXIT_DATA, f"cannot load {options.model} as a causal language model: {reason}"
        ) from None
    return model.to(options.device).eval()


def check_lengths(model: nn.Module, sequences: list[torch.Tensor]) -> None:
    """Fails where the model would be asked for positions or tokens it does not have."""
    longest = max(len(sequence) for sequence in sequences) - 1
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit and longest > limit:
        raise CommandError(
            EXIT_USAGE, f"--length {longest} is more than the model's {limit} positions"
        )
    largest = max(int(sequence.max()) for sequence in sequences)
    rows = model.get_input_embeddings().num_embeddings
    if largest >= rows:
        raise CommandError(
            EXIT_DATA, f"the tokenizer gives token {largest}, the model has only {rows}"
        )


def run_batch(model: nn.Module, batch: Batch) -> float:
    """One forward and backward of the SUMMED token loss; returns that loss."""
    logits = model(input_ids=batch.inputs, attention_mask=batch.mask.long(), use_cache=False).logits
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    loss.backward()
    return loss.item()
