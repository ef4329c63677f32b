"""The calibration text as token sequences: tokenised or raw bytes, cut, chosen by seed."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from .plain_errors import EXIT_DATA, CommandError

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)


class Encoder:
    """Text to token numbers: the folder's tokenizer, or raw bytes for a vocabulary of 256."""

    def __init__(self, folder: Path, vocabulary: int) -> None:
        self.folder = folder
        self.tokenizer: Any = None
        if any((folder / name).is_file() for name in TOKENIZER_FILES):
            self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self.description = f"the folder's tokenizer ({type(self.tokenizer).__name__})"
        elif vocabulary == 256:
            self.description = "raw bytes (no tokenizer in the folder, vocabulary 256)"
        else:
            raise CommandError(
                EXIT_DATA,
                f"{folder} has no tokenizer and a vocabulary of {vocabulary}, "
                "not the 256 of a byte-level model: add its tokenizer files",
            )

    def encode(self, data: bytes, whole: bool) -> torch.Tensor:
        """int64 [tokens]; special symbols are added only when `data` is a whole sample."""
        if self.tokenizer is None:
            return torch.tensor(list(data), dtype=torch.int64)
        text = data.decode("utf-8", errors="replace")
        found = self.tokenizer(text, add_special_tokens=whole, verbose=False)["input_ids"]
        return torch.tensor(found, dtype=torch.int64)


def read_sequences(options: argparse.Namespace, encoder: Encoder, shift: int) -> list[torch.Tensor]:
    """Every sequence the text offers, int64 [1 + shift ... length + shift].

    `shift` is 1 where each token's label is the next token, 0 where it is the token itself.
    """
    data, size = options.text.read_bytes(), options.length + shift
    if options.split == "windows":
        tokens = encoder.encode(data, whole=False)
        starts = range(0, len(tokens) - size + 1, options.length)
        return [tokens[start : start + size] for start in starts]
    lines = (encoder.encode(line, whole=True) for line in data.splitlines() if line.strip())
    return [line[:size] for line in lines if len(line) > shift]


def choose_sequences(found: list[torch.Tensor], options: argparse.Namespace) -> list[torch.Tensor]:
    """A seeded choice of --sequences samples, a multiple of --folds, in fold order."""
    count = min(options.sequences, len(found))
    if options.folds:
        count -= count % options.folds
    if count == 0:
        raise CommandError(
            EXIT_DATA,
            f"{options.text} gives {len(found)} sequences of {options.length} tokens, "
            f"too few for {max(1, options.folds)} folds: more text, a smaller "
            "--length or --split lines",
        )
    if count < options.sequences:
        print(
            f"note: using {count} sequences, not {options.sequences}: the text gives {len(found)}"
            + (f" and {options.folds} folds must be equally large" if options.folds else "")
        )
    generator = torch.Generator().manual_seed(options.seed)
    chosen = torch.randperm(len(found), generator=generator)[:count]
    if options.fold_order == "text":
        chosen = chosen.sort().values
    return [found[index] for index in chosen.tolist()]
