"""What the baselines need of a statistics file: input moments and mean curvatures of modules."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, EXIT_INPUT, CommandError
from safetensors import SafetensorError, safe_open


class StoredStatistics:
    """A statistics file or folder; a tensor is read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[str, Path] = {}
        self.aliases: dict[str, str] = {}
        self.facts: dict[str, str] = {}
        for file in self.files():
            self.take_in(file)

    def files(self) -> list[Path]:
        found = sorted(self.path.glob("*.safetensors")) if self.path.is_dir() else [self.path]
        if not found or not all(file.is_file() for file in found):
            raise CommandError(EXIT_INPUT, f"{self.path} is no statistics file or folder")
        return found

    def take_in(self, file: Path) -> None:
        try:
            with safe_open(file, framework="pt") as opened:
                metadata = opened.metadata() or {}
                self.places.update(dict.fromkeys(opened.keys(), file))
        except SafetensorError as error:
            raise CommandError(EXIT_DATA, f"{file} cannot be read ({error})") from None
        if metadata.get("normalization", "mean") != "mean":
            raise CommandError(EXIT_DATA, f"{file} holds sums: statistics of means are needed")
        self.aliases |= json.loads(metadata.get("alias", "{}"))
        self.facts |= metadata

    def tensor(self, key: str) -> torch.Tensor:
        stored = self.aliases.get(key, key)
        if stored not in self.places:
            raise CommandError(EXIT_DATA, f"{self.path} lacks {key}")
        with safe_open(self.places[stored], framework="pt") as opened:
            return opened.get_tensor(stored).double()

    def diagonal(self, key: str) -> torch.Tensor:
        found = self.tensor(key)
        return found.diagonal() if found.dim() == 2 else found

    def input_moments(self, module: str, inputs: int) -> torch.Tensor:
        """diag A [inputs], the mean square of every input; that of an appended bias left out."""
        return self.diagonal(f"{module}.activation_covariance")[:inputs]

    def mean_curvature(self, module: str, inputs: int) -> float:
        """(tr A / in)(tr G / out): the mean of the diagonal of A ⊗ G."""
        output = self.diagonal(f"{module}.gradient_covariance")
        return float(self.input_moments(module, inputs).mean() * output.mean())
