"""The language model, causal or masked: loaded, checked against the text, run on one batch."""

from __future__ import annotations

import argparse

import torch
from safetensors import SafetensorError
from torch import nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES

from .module_captures import Recorder
from .padded_batches import IGNORED, Batch, Sample
from .plain_errors import EXIT_DATA, EXIT_USAGE, CommandError

LOADERS = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def choose_task(options: argparse.Namespace) -> str:
    """'causal' or 'masked': as asked for, else what the architectures of the config say."""
    if options.task != "auto":
        return options.task
    try:
        config = AutoConfig.from_pretrained(options.model, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(
            EXIT_DATA, f"cannot read {options.model}/config.json: {first_line(error)}"
        ) from None
    for architecture in config.architectures or []:
        if architecture.endswith("ForMaskedLM"):
            return "masked"
        if architecture.endswith(("ForCausalLM", "LMHeadModel")):
            return "causal"
    masked = config.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return "masked" if masked and not getattr(config, "is_decoder", False) else "causal"


def load_model(options: argparse.Namespace, task: str) -> nn.Module:
    try:
        model, found = LOADERS[task].from_pretrained(
            options.model,
            local_files_only=True,
            dtype=getattr(torch, options.model_dtype),
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise CommandError(
            EXIT_DATA,
            f"cannot load {options.model} as a {task} language model: {first_line(error)}",
        ) from None
    if missing := sorted(found["missing_keys"]):
        raise CommandError(
            EXIT_DATA,
            f"{options.model} has no weights for {missing[0]} of a {task} language model "
            f"({len(missing)} tensors missing): a folder with its head, or another --task",
        )
    compute_experts_one_by_one(model)
    return model.to(options.device).eval()


def compute_experts_one_by_one(model: nn.Module) -> None:
    """Grouped and batched kernels hide an expert's products; the plain loop shows them."""
    for module in model.modules():
        config = getattr(module, "config", None)
        if hasattr(config, "_experts_implementation"):
            config._experts_implementation = "eager"


def check_lengths(model: nn.Module, samples: list[Sample]) -> None:
    """Fails where the model would be asked for positions or tokens it does not have."""
    longest = max(len(sample.inputs) for sample in samples)
    limit = getattr(model.config, "max_position_embeddings", None)
    if limit and longest > limit:
        raise CommandError(
            EXIT_USAGE, f"--length {longest} is more than the model's {limit} positions"
        )
    largest = max(int(max(sample.inputs.max(), sample.labels.max())) for sample in samples)
    rows = model.get_input_embeddings().num_embeddings
    if largest >= rows:
        raise CommandError(
            EXIT_DATA, f"the tokenizer gives token {largest}, the model has only {rows}"
        )


def run_batch(model: nn.Module, batch: Batch, recorder: Recorder) -> float:
    """One forward and backward of the SUMMED token loss; returns that loss."""
    cache = {"use_cache": False} if model.can_generate() else {}
    try:
        with recorder.watching():
            found = model(input_ids=batch.inputs, attention_mask=batch.mask.long(), **cache)
    except IndexError as error:  # some models have fewer positions than their config says
        raise CommandError(
            EXIT_DATA,
            f"the model takes no sequence of {batch.inputs.shape[1]} tokens "
            f"({first_line(error)}): try a smaller --length",
        ) from None
    logits = found.logits
    loss = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    loss.backward()
    return loss.item()
