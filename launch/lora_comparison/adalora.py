"""AdaLoRA by peft: more ranks at first, of which training keeps the most important."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from peft import AdaLoraConfig, PeftModel
from torch import nn

from .adapters import ADAPTER, PREFIX, TASK, adapted, exactly
from .ranks import Ranks, Target
from .total_rank import fitted
from .training import AfterStep

AT_FIRST = 1.5  # times the final mean rank, as in peft's defaults (12 and 8)
BEFORE, AFTER = 0.1, 0.3  # shares of the steps before and after ranks are taken away
Training = Callable[[PeftModel, AfterStep], None]


def parameters(targets: Sequence[Target], ranks: Ranks) -> int:
    """With the singular value that AdaLoRA has for every rank."""
    return sum((one.cost + 1) * rank for one, rank in zip(targets, ranks, strict=True))


def trained(
    base: nn.Module,
    targets: Sequence[Target],
    budget: int,
    scale: float,
    seed: int,
    steps: int,
    training: Training,
) -> tuple[PeftModel, Ranks, int]:
    """The model, the ranks that were kept, and their parameters.

    `target_r` is a whole mean rank, too coarse for a budget; the total is set in peft's allocator.
    """

    def attempt(total: int) -> tuple[int, tuple[PeftModel, Ranks]]:
        first = math.ceil(AT_FIRST * total / len(targets))
        config = AdaLoraConfig(
            task_type=TASK,
            init_r=first,
            target_r=max(1, total // len(targets)),
            lora_alpha=scale * first,
            target_modules=exactly(target.name for target in targets),
            tinit=round(BEFORE * steps),
            tfinal=max(1, round(AFTER * steps)),
            deltaT=1,
            total_step=steps,
        )
        model = adapted(base, config, seed)
        model.base_model.rankallocator.target_bgt = total
        training(model, model.base_model.update_and_allocate)
        ranks = kept(model, targets)
        return parameters(targets, ranks), (model, ranks)

    start = budget * len(targets) // sum(target.cost + 1 for target in targets)
    cost, (model, ranks) = fitted(budget, start, attempt)
    return model, ranks, cost


def kept(model: PeftModel, targets: Sequence[Target]) -> Ranks:
    """What the final mask left, checked against the singular values themselves."""
    pattern = model.peft_config[ADAPTER].rank_pattern or {}
    found = []
    for target in targets:
        key = f"{target.name}.lora_E.{ADAPTER}"
        mask = pattern.get(key, pattern.get(PREFIX + key))
        values = model.get_submodule(PREFIX + target.name).lora_E[ADAPTER]
        if mask is None or int((values != 0).sum()) > sum(mask):
            raise CommandError(EXIT_DATA, f"AdaLoRA left {target.name} with ranks it took away")
        found.append(sum(mask))
    return tuple(found)
