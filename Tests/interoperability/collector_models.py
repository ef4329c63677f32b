"""Tiny models, randomly initialised and saved, one function per architecture."""

from __future__ import annotations

from pathlib import Path

import torch
from collector_reference import save
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedTokenizerFast,
)

EXPERTS = 5
COMMON = {
    "vocab_size": 256,
    "hidden_size": 16,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
    "bos_token_id": None,
    "eos_token_id": None,
    "pad_token_id": None,
}


def save_llama(folder: Path, bias: bool = True, vocabulary: int = 256) -> Path:
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        attention_bias=bias,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return save(LlamaForCausalLM(config), folder)


def save_mixtral(folder: Path, starved: int | None = None) -> Path:
    """A starved expert's router row is zero; of the other rows two are always above zero."""
    torch.manual_seed(3)
    config = MixtralConfig(num_local_experts=EXPERTS, num_experts_per_tok=2, **COMMON)
    model = MixtralForCausalLM(config)
    if starved is not None:
        others = [expert for expert in range(EXPERTS) if expert != starved]
        for layer in model.model.layers:
            router = layer.mlp.gate.weight.data
            router[starved] = 0.0
            for first, opposite in (others[:2], others[2:]):
                router[opposite] = -router[first]
    return save(model, folder)


def save_gpt2(folder: Path) -> Path:
    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=256,
        n_positions=32,
        n_embd=16,
        n_layer=2,
        n_head=4,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return save(GPT2LMHeadModel(config), folder)


def save_untied_llama(folder: Path) -> Path:
    torch.manual_seed(4)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return save(LlamaForCausalLM(config), folder)


def save_bert(folder: Path, *, tied: bool = True) -> Path:
    """A BERT of one-character words, with special symbols around each line."""
    torch.manual_seed(5)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 127))]
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    ends = [("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])]
    tokenizer.post_processor = processors.BertProcessing(ends[1], ends[0])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=24,
        max_position_embeddings=32,
        initializer_range=0.3,
        tie_word_embeddings=tied,
    )
    return save(BertForMaskedLM(config), folder)
