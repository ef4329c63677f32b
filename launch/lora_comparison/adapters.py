"""A model with LoRA adapters of given ranks, made by peft, and what ranks it really has."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, CommandError
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch import nn
from transformers.pytorch_utils import Conv1D

from .ranks import Ranks, Target

ADAPTER = "default"
TASK = "CAUSAL_LM"  # without it peft leaves out AdaLoRA's term of the loss
PREFIX = "base_model.model."  # of a module's name inside of peft's model


def lora_config(
    model: nn.Module, targets: Sequence[Target], ranks: Ranks, scale: float, **more: object
) -> LoraConfig:
    """alpha / r is `scale` for every module, whatever its rank; rank 0 means no adapter.

    peft takes the first key of a pattern that matches the end of a name: names are escaped, and the
    longest come first, as one may be another's end.
    """
    own = {target.name: rank for target, rank in zip(targets, ranks, strict=True) if rank}
    if not own:
        raise CommandError(EXIT_DATA, "a plan of ranks that are all 0 leaves nothing to train")
    longest_first = sorted(own, key=len, reverse=True)
    patterns = {re.escape(name): own[name] for name in longest_first}
    return LoraConfig(
        task_type=TASK,
        r=max(own.values()),
        lora_alpha=scale * max(own.values()),
        target_modules=exactly(own),
        rank_pattern=patterns,
        alpha_pattern={pattern: scale * rank for pattern, rank in patterns.items()},
        fan_in_fan_out=isinstance(model.get_submodule(next(iter(own))), Conv1D),
        **more,
    )


def exported_config(file: Path) -> LoraConfig:
    """Of a plan that `layerbudget export --to peft` wrote."""
    parts = json.loads(file.read_text())
    return LoraConfig(**{name: value for name, value in parts.items() if name != "peft_type"})


def exactly(names: Iterable[str]) -> str:
    """peft would find names of a list at the end of other names too; an expression is whole."""
    return "|".join(map(re.escape, names))


def adapted(base: nn.Module, config: LoraConfig, seed: int) -> PeftModel:
    """A copy of the model with new adapters; the base stays as it is."""
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft's advice on names and heads
        return get_peft_model(copy.deepcopy(base), config)


def with_ranks(
    base: nn.Module,
    targets: Sequence[Target],
    ranks: Ranks,
    scale: float,
    seed: int,
    exported: Path | None = None,
) -> PeftModel:
    """By peft's configuration in a file, if there is one; its ranks must be these too."""
    config = exported_config(exported) if exported else lora_config(base, targets, ranks, scale)
    model = adapted(base, config, seed)
    check_ranks(model, targets, ranks, scale)
    return model


def ranks_in(model: PeftModel, targets: Sequence[Target]) -> Ranks:
    """Read from the shapes of the adapters' matrices, not from a configuration."""
    found = []
    for target in targets:
        module = model.get_submodule(PREFIX + target.name)
        is_adapted = isinstance(module, LoraLayer) and ADAPTER in module.lora_A
        found.append(module.lora_A[ADAPTER].weight.shape[0] if is_adapted else 0)
    return tuple(found)


def check_ranks(model: PeftModel, targets: Sequence[Target], ranks: Ranks, scale: float) -> None:
    """Ranks, scales and the number of trainable parameters are those of the plan."""
    for target, wanted, found in zip(targets, ranks, ranks_in(model, targets), strict=True):
        if found != wanted:
            raise CommandError(
                EXIT_DATA, f"peft gave {target.name} rank {found}, the plan says {wanted}"
            )
        module = model.get_submodule(PREFIX + target.name)
        if wanted and abs(module.scaling[ADAPTER] - scale) > 1e-9:
            raise CommandError(
                EXIT_DATA, f"peft scales {target.name} by {module.scaling[ADAPTER]}, not {scale}"
            )
    planned = sum(target.cost * rank for target, rank in zip(targets, ranks, strict=True))
    trained = sum(one.numel() for one in model.parameters() if one.requires_grad)
    if trained != planned:
        raise CommandError(EXIT_DATA, f"{trained} parameters would be trained, not {planned}")
