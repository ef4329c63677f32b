"""Masked-language-model samples: a seeded share of each sequence hidden behind the mask token.

All chosen positions become the mask token; the loss is over them alone. Special symbols are never
chosen, and at least one position of every sequence is.
"""

from __future__ import annotations

import torch

from .padded_batches import IGNORED, Sample
from .plain_errors import EXIT_DATA, CommandError
from .text_windows import Encoder


def masked_samples(
    sequences: list[torch.Tensor], encoder: Encoder, share: float, seed: int
) -> list[Sample]:
    """One sample per sequence, in order: the same for any number of processes and batch size."""
    mask_token = getattr(encoder.tokenizer, "mask_token_id", None)
    if mask_token is None:
        raise CommandError(
            EXIT_DATA,
            f"{encoder.folder} has no tokenizer with a mask token, which --task masked needs: "
            "add its tokenizer files",
        )
    special = torch.tensor(encoder.tokenizer.all_special_ids, dtype=torch.int64)
    generator = torch.Generator().manual_seed(seed)
    return [hide(sequence, mask_token, special, share, generator) for sequence in sequences]


def hide(
    sequence: torch.Tensor,
    mask_token: int,
    special: torch.Tensor,
    share: float,
    generator: torch.Generator,
) -> Sample:
    open_places = (~torch.isin(sequence, special)).nonzero().flatten()
    count = min(len(open_places), max(1, round(share * len(open_places))))
    order = torch.randperm(len(open_places), generator=generator)
    chosen = open_places[order[:count]]
    inputs, labels = sequence.clone(), torch.full_like(sequence, IGNORED)
    labels[chosen] = sequence[chosen]
    inputs[chosen] = mask_token
    return Sample(inputs, labels)
