"""Tensors that are the same to the byte, stored once: the others become aliases of the first."""

from __future__ import annotations

import hashlib

import torch

from .module_coverage import natural_key


def fingerprint(tensor: torch.Tensor) -> tuple[object, ...]:
    contents = tensor.contiguous().flatten().view(torch.uint8).numpy()
    return (tensor.dtype, tuple(tensor.shape), hashlib.sha256(contents).digest())


def share_equal(tensors: dict[str, torch.Tensor], aliases: dict[str, str], quantity: str) -> None:
    """Moves every repeated `<module>.<quantity>` from `tensors` to `aliases`."""
    first: dict[tuple[object, ...], str] = {}
    for key in sorted((key for key in tensors if key.endswith(f".{quantity}")), key=natural_key):
        stored = first.setdefault(fingerprint(tensors[key]), key)
        if stored != key:
            del tensors[key]
            aliases[key] = stored
    for key, stored in aliases.items():  # an alias names a stored tensor, never another alias
        aliases[key] = aliases.get(stored, stored)
