"""The small byte-level Llama and its next-byte loss on windows of the text."""

from __future__ import annotations

import argparse
import math

import torch
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM

VOCABULARY = 256


def make_model(options: argparse.Namespace) -> LlamaForCausalLM:
    torch.manual_seed(options.seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=options.hidden,
        intermediate_size=options.intermediate,
        num_hidden_layers=options.layers,
        num_attention_heads=options.heads,
        num_key_value_heads=options.kv_heads,
        max_position_embeddings=options.context,
        rms_norm_eps=1e-5,
        initializer_range=0.5 / math.sqrt(options.hidden),
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        use_cache=False,
        layerbudget_tokenizer="bytes",
    )
    return LlamaForCausalLM(config).float()


def windows(text: torch.Tensor, starts: torch.Tensor, context: int) -> torch.Tensor:
    """Rows text[s : s + context + 1]; int64, shape [len(starts), context + 1]."""
    return text[starts[:, None] + torch.arange(context + 1)].long()


def token_loss(model: LlamaForCausalLM, batch: torch.Tensor) -> torch.Tensor:
    """Mean next-byte cross entropy in nats over a batch of shape [sequences, context + 1]."""
    logits = model(input_ids=batch[:, :-1]).logits
    return functional.cross_entropy(logits.flatten(0, 1).float(), batch[:, 1:].flatten())


@torch.no_grad()
def validation_loss(model: LlamaForCausalLM, text: torch.Tensor, context: int, most: int) -> float:
    """Mean loss over at most `most` windows spread evenly over the held-out text."""
    count = min(most, (len(text) - 1) // context)
    starts = torch.linspace(0, len(text) - context - 1, count).long()
    model.eval()
    losses = [
        float(token_loss(model, windows(text, part, context))) * len(part)
        for part in starts.split(32)
    ]
    model.train()
    return sum(losses) / count
