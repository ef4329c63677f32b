"""AdamW on random windows, warm-up and a cosine, by step or by the clock."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from transformers import LlamaForCausalLM

from .byte_llama import token_loss, validation_loss, windows
from .corpus import Corpus


def learning_rate(progress: float, step: int, peak: float) -> float:
    """Linear warm-up over 100 steps times a cosine from `peak` to 1 % of it, progress 0 to 1."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return peak * min(1.0, (step + 1) / 100) * (0.01 + 0.99 * cosine)


def parameter_groups(model: LlamaForCausalLM, decay: float) -> list[dict[str, object]]:
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]


def progress_of_steps(options: argparse.Namespace, began: float) -> Iterator[tuple[int, float]]:
    """(step, progress in 0...1): by step, or by the clock when that runs out first."""
    for step in range(options.steps):
        progress = step / options.steps
        if options.minutes is not None:
            progress = max(progress, (time.monotonic() - began) / (60 * options.minutes))
        if progress >= 1:
            return
        yield step, progress


def train(
    model: LlamaForCausalLM, corpus: Corpus, options: argparse.Namespace
) -> tuple[int, float]:
    """AdamW on random windows; returns the steps and the mean training loss of the last tenth."""
    optimizer = torch.optim.AdamW(parameter_groups(model, options.weight_decay), betas=(0.9, 0.98))
    generator = torch.Generator().manual_seed(options.seed)
    last_start = len(corpus.training) - options.context
    began, losses = time.monotonic(), []
    model.train()
    for step, progress in progress_of_steps(options, began):
        starts = torch.randint(last_start, (options.batch_size,), generator=generator)
        loss = token_loss(model, windows(corpus.training, starts, options.context))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, step, options.learning_rate)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise CommandError(
                EXIT_DATA, f"the loss became {losses[-1]} at step {step}: lower --learning-rate"
            )
        if (step + 1) % options.report_every == 0:
            held_out = validation_loss(model, corpus.validation, options.context, 32)
            recent = losses[-options.report_every :]
            print(
                f"step {step + 1:6d}  train {sum(recent) / len(recent):.4f}  validation "
                f"{held_out:.4f}  {time.monotonic() - began:6.0f} s",
                flush=True,
            )
    tail = losses[-max(1, len(losses) // 10) :]
    return len(losses), sum(tail) / len(tail)
