"""A tiny token model, its samples and its kronfluence task, all from one seed."""

from __future__ import annotations

import torch
from kronfluence.task import Task
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import Dataset

SEED = 20
SAMPLES, LONGEST, SHORTEST = 24, 12, 4
VOCABULARY, HIDDEN, HEAD, CLASSES = 20, 16, 12, 8

Batch = dict[str, Tensor]


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.query = nn.Linear(HIDDEN, HEAD, bias=True)
        self.key = nn.Linear(HIDDEN, HEAD, bias=False)
        self.value = nn.Linear(HIDDEN, HIDDEN, bias=False)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        logits = self.query(states) @ self.key(states).transpose(1, 2) / HEAD**0.5
        # Padding is no key, so that no gradient of a sample flows into it.
        logits = logits.masked_fill(mask[:, None, :] == 0, -1e4)
        return logits.softmax(dim=-1) @ self.value(states)


class MLP(nn.Module):
    def __init__(self, width: int, *, bias_first: bool) -> None:
        super().__init__()
        self.up = nn.Linear(HIDDEN, width, bias=bias_first)
        self.down = nn.Linear(width, HIDDEN, bias=not bias_first)

    def forward(self, states: Tensor) -> Tensor:
        return self.down(functional.gelu(self.up(states)))


class TokenModel(nn.Module):
    """Eight linear modules of unequal sizes, with and without bias.

    Blocks are numbered 0, 2 and 10, so that text order (0, 10, 2) is not the order of depth.
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, HIDDEN)
        self.layers = nn.ModuleDict(
            {
                "0": nn.ModuleDict({"attention": Attention()}),
                "2": nn.ModuleDict({"mlp": MLP(40, bias_first=True)}),
                "10": nn.ModuleDict({"mlp": MLP(24, bias_first=False)}),
            }
        )
        self.head = nn.Linear(HIDDEN, CLASSES)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        states = self.embedding(tokens)
        states = states + self.layers["0"]["attention"](states, mask)
        for block in ("2", "10"):
            states = states + self.layers[block]["mlp"](states)
        return self.head(states)


def make_model() -> TokenModel:
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        return TokenModel().eval()


class TokenSamples(Dataset):
    """Sequences of unequal length, padded to one length, with one label per token."""

    def __init__(self, size: int = SAMPLES) -> None:
        generator = torch.Generator().manual_seed(SEED + 1)
        shape = (size, LONGEST)
        lengths = torch.randint(SHORTEST, LONGEST + 1, (size, 1), generator=generator)
        self.mask = (torch.arange(LONGEST) < lengths).to(torch.int64)
        self.tokens = torch.randint(0, VOCABULARY, shape, generator=generator) * self.mask
        self.labels = torch.randint(0, CLASSES // 2, shape, generator=generator)

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> Batch:
        return {
            "tokens": self.tokens[index],
            "mask": self.mask[index],
            "labels": self.labels[index],
            "index": torch.tensor(index),
        }


def summed_loss(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Cross entropy summed over tokens and samples, as kronfluence's factors presume."""
    losses = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return (losses * mask.flatten()).sum()


def sampled_labels(logits: Tensor, indices: Tensor) -> Tensor:
    """Labels drawn from the model, one random stream per sample.

    So every run draws the same labels, however kronfluence cuts the samples into batches.
    """
    drawn = []
    for sample, index in zip(logits.detach().double().softmax(dim=-1), indices, strict=True):
        generator = torch.Generator().manual_seed(SEED + 1000 + int(index))
        drawn.append(torch.multinomial(sample, 1, generator=generator)[:, 0])
    return torch.stack(drawn)


class TokenTask(Task):
    def compute_train_loss(self, batch: Batch, model: nn.Module, sample: bool = False) -> Tensor:
        logits = model(batch["tokens"], batch["mask"])
        labels = sampled_labels(logits, batch["index"]) if sample else batch["labels"]
        return summed_loss(logits, labels, batch["mask"])

    def compute_measurement(self, batch: Batch, model: nn.Module) -> Tensor:
        return self.compute_train_loss(batch, model)

    def get_attention_mask(self, batch: Batch) -> Tensor:
        return batch["mask"]
