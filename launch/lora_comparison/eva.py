"""EVA by peft: ranks by explained variance of the inputs, and A begun with their directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import EvaConfig, PeftModel, get_eva_state_dict, initialize_lora_eva_weights
from torch import nn

from .adapters import PREFIX, adapted, check_ranks, lora_config
from .ranks import Ranks, Target, parameters
from .total_rank import fitted, spread

RHO, TAU = 2.0, 0.99  # peft's defaults
ONE_SHARE = 1.0  # rho without redistribution
Batches = list[dict[str, torch.Tensor]]


def input_batches(windows: torch.Tensor, batch_size: int) -> Batches:
    return [
        {"input_ids": part[:, :-1], "attention_mask": torch.ones_like(part[:, :-1])}
        for part in windows.split(batch_size)
    ]


class Eva:
    """`seed` is that of everything but the directions: peft's own are the same for all seeds."""

    def __init__(
        self, base: nn.Module, targets: Sequence[Target], scale: float, seed: int, batches: Batches
    ) -> None:
        self.base = base
        self.targets = targets
        self.scale = scale
        self.seed = seed
        self.batches = batches

    def redistributed(self, budget: int, start: int) -> tuple[PeftModel, Ranks]:
        """peft redistributes a total number of ranks; the largest that fits in parameters."""

        def attempt(total: int) -> tuple[int, tuple[PeftModel, Ranks]]:
            model, ranks = self.begun(spread(total, len(self.targets)), RHO)
            return parameters(self.targets, ranks), (model, ranks)

        return fitted(budget, start, attempt)[1]

    def uniform(self, ranks: Ranks) -> PeftModel:
        """Only EVA's directions, at given ranks."""
        return self.begun(ranks, ONE_SHARE)[0]

    def begun(self, ranks: Ranks, rho: float) -> tuple[PeftModel, Ranks]:
        eva: dict[str, Any] = {
            "init_lora_weights": "eva",
            "eva_config": EvaConfig(rho=rho, tau=TAU),
        }
        config = lora_config(self.base, self.targets, ranks, self.scale, **eva)
        model = adapted(self.base, config, self.seed)
        directions = get_eva_state_dict(model, self.batches, show_progress_bar=False)
        found = tuple(len(directions[PREFIX + target.name]) for target in self.targets)
        initialize_lora_eva_weights(model, eva_state_dict=directions, show_progress_bar=False)
        check_ranks(model, self.targets, found, self.scale)
        return model, found
