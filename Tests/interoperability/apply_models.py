"""Tiny models of the architectures `apply` must find its way in, and where each stores a module."""

from __future__ import annotations

import re
from pathlib import Path

import torch
import transformers
from apply_reference import Stored
from apply_runs import Tensors, read_checkpoint, unit, write_plan
from collector_models import COMMON
from collector_reference import save
from safetensors.torch import save_file
from torch import nn
from transformers import (
    GptOssConfig,
    GptOssForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

EXPERT = re.compile(r"(.+)\.experts\.(\d+)\.(gate_up_proj|down_proj)")


def small_llama(*, tied: bool = False, layers: int = 2) -> LlamaForCausalLM:
    torch.manual_seed(21)
    own = {**COMMON, "num_hidden_layers": layers}
    return LlamaForCausalLM(LlamaConfig(tie_word_embeddings=tied, **own)).eval()


def save_opt(folder: Path) -> Path:
    torch.manual_seed(22)
    config = OPTConfig(
        vocab_size=256,
        hidden_size=16,
        ffn_dim=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=32,
        word_embed_proj_dim=16,
        init_std=0.3,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )
    return save(OPTForCausalLM(config), folder)


def save_qwen3_moe(folder: Path) -> Path:
    torch.manual_seed(23)
    own = {"num_experts": 4, "moe_intermediate_size": 12, "num_experts_per_tok": 2}
    config = transformers.Qwen3MoeConfig(**{**COMMON, **own})
    model = transformers.Qwen3MoeForCausalLM(config)
    return save(randomised(model), folder)


def save_gpt_oss(folder: Path, inner: int = 12) -> Path:
    """Experts are stored [experts, in, out]; with an inner size of 8 their matrices are square."""
    torch.manual_seed(24)
    own = {**COMMON, "intermediate_size": inner, "num_experts_per_tok": 2}
    model = GptOssForCausalLM(GptOssConfig(num_local_experts=4, head_dim=4, **own))
    return save(randomised(model), folder)


def randomised(model: nn.Module) -> nn.Module:
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.3)
    return model


def rewrite_fused(folder: Path, kind: type) -> Path:
    """The same model under the names it has when loaded: one 3-D tensor for all experts."""
    state = kind.from_pretrained(folder).state_dict()
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    assert any(tensor.dim() == 3 for tensor in tensors.values())
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    return folder


def fused(module: str) -> list[Stored]:
    if found := EXPERT.fullmatch(module):
        prefix, expert, name = found.groups()
        return [Stored(f"{prefix}.experts.{name}", int(expert))]
    return [Stored(f"{module}.weight")]


def fused_transposed(module: str) -> list[Stored]:
    if found := EXPERT.fullmatch(module):
        prefix, expert, name = found.groups()
        return [Stored(f"{prefix}.experts.{name}", int(expert), transposed=True)]
    return [Stored(f"{module}.weight")]


def apart(module: str) -> list[Stored]:
    if not (found := EXPERT.fullmatch(module)):
        return [Stored(f"{module}.weight")]
    prefix, expert, name = found.groups()
    parts = ["down_proj"] if name == "down_proj" else ["gate_proj", "up_proj"]
    return [Stored(f"{prefix}.experts.{expert}.{part}.weight") for part in parts]


def mixtral_apart(module: str) -> list[Stored]:
    names = {"gate_proj": "w1", "up_proj": "w3", "down_proj": "w2"}
    places = []
    for place in apart(module.replace(".mlp.", ".block_sparse_moe.")):
        head, _, last = place.tensor.removesuffix(".weight").rpartition(".")
        places.append(Stored(f"{head}.{names.get(last, last)}.weight"))
    return places


def block_units(modules: dict[str, int], share: float) -> list[dict]:
    """Units of blocks from module sizes, each losing the share of its weights."""
    blocks: dict[str, list[str]] = {}
    for name in modules:
        found = re.match(r"(?:.*?\.)?(?:layers|h)\.\d+", name)
        blocks.setdefault(found.group() if found else name, []).append(name)
    units = []
    for name, members in blocks.items():
        size = sum(modules[member] for member in members)
        units.append(unit(name, round(share * size), size, members))
    return units


def matrices(folder: Path) -> dict[str, int]:
    """Sizes of the matrices inside of the blocks, by module name; in the order of the file."""
    tensors: Tensors = read_checkpoint(folder)
    return {
        name.removesuffix(".weight"): tensor.numel()
        for name, tensor in tensors.items()
        if tensor.dim() == 2 and re.search(r"\b(layers|h)\.\d+\.", name)
    }


def plan_blocks(folder: Path, path: Path, share: float = 0.5) -> Path:
    return write_plan(path, block_units(matrices(folder), share))
