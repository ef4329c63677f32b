"""Statistics of a model's shapes without their data: headers, and files that are one large hole.

    python sparse_statistics.py --preset mixtral-8x7b -o shapes/
    layerbudget score --statistics shapes/ --group-by module --dry-run --ranks 64

A file's hole takes no space on the disk and reads as zeros, so that `--dry-run` sees every tensor
of the model in a few megabytes. Gains of zeros mean nothing.
"""

from __future__ import annotations

import argparse
import json
import struct
from collections.abc import Iterator
from pathlib import Path

PRESETS: dict[str, dict[str, int]] = {
    "llama3-8b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
    },
    "mixtral-8x7b": {
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
    },
    "deepseek-v3": {
        "hidden_size": 7168,
        "intermediate_size": 18432,
        "moe_intermediate_size": 2048,
        "num_hidden_layers": 61,
        "num_attention_heads": 128,
        "q_lora_rank": 1536,
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "n_routed_experts": 256,
        "n_shared_experts": 1,
        "first_k_dense_replace": 3,
    },
}
BYTES = {"F32": 4, "BF16": 2}

Shape = tuple[str, int, int]


def attention(config: dict[str, int]) -> list[Shape]:
    """Name, outputs and inputs of a layer's attention matrices."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    if "kv_lora_rank" in config:
        nope, rope, value = (
            config[key] for key in ("qk_nope_head_dim", "qk_rope_head_dim", "v_head_dim")
        )
        rank, latent = config["q_lora_rank"], config["kv_lora_rank"]
        return [
            ("self_attn.q_a_proj", rank, hidden),
            ("self_attn.q_b_proj", heads * (nope + rope), rank),
            ("self_attn.kv_a_proj_with_mqa", latent + rope, hidden),
            ("self_attn.kv_b_proj", heads * (nope + value), latent),
            ("self_attn.o_proj", hidden, heads * value),
        ]
    head = config.get("head_dim", hidden // heads)
    keys = head * config.get("num_key_value_heads", heads)
    return [
        ("self_attn.q_proj", heads * head, hidden),
        ("self_attn.k_proj", keys, hidden),
        ("self_attn.v_proj", keys, hidden),
        ("self_attn.o_proj", hidden, heads * head),
    ]


def feed_forward(name: str, hidden: int, inner: int) -> list[Shape]:
    return [
        (f"{name}.gate_proj", inner, hidden),
        (f"{name}.up_proj", inner, hidden),
        (f"{name}.down_proj", hidden, inner),
    ]


def layer_shapes(config: dict[str, int], layer: int) -> list[Shape]:
    """All matrices of one layer."""
    shapes = attention(config)
    hidden = config["hidden_size"]
    experts = config.get("n_routed_experts", config.get("num_local_experts", 0))
    if experts == 0 or layer < config.get("first_k_dense_replace", 0):
        return shapes + feed_forward("mlp", hidden, config["intermediate_size"])
    inner = config.get("moe_intermediate_size", config["intermediate_size"])
    shapes.append(("mlp.gate", experts, hidden))
    for expert in range(experts):
        shapes += feed_forward(f"mlp.experts.{expert}", hidden, inner)
    shared = config.get("n_shared_experts", 0)
    if shared:
        shapes += feed_forward("mlp.shared_experts", hidden, shared * inner)
    return shapes


def tensors(config: dict[str, int], layer: int) -> Iterator[tuple[str, list[int]]]:
    """Key and shape of what kfac needs of every module of a layer."""
    for name, outputs, inputs in layer_shapes(config, layer):
        module = f"model.layers.{layer}.{name}"
        yield f"{module}.gradient", [outputs, inputs]
        yield f"{module}.activation_covariance", [inputs, inputs]
        yield f"{module}.gradient_covariance", [outputs, outputs]


def write_layer(path: Path, config: dict[str, int], layer: int, dtype: str) -> int:
    """Writes one layer's file; returns the bytes of its hole."""
    header: dict[str, object] = {"__metadata__": {"format": "layerbudget.statistics/1"}}
    end = 0
    for key, shape in tensors(config, layer):
        begin, end = end, end + shape[0] * shape[1] * BYTES[dtype]
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", choices=sorted(PRESETS))
    source.add_argument("--config", type=Path, help="config.json of a published model")
    parser.add_argument("--dtype", choices=sorted(BYTES), default="F32")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    config = (
        PRESETS[arguments.preset] if arguments.preset else json.loads(arguments.config.read_text())
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    total = sum(
        write_layer(
            arguments.output / f"layer-{layer:05d}.safetensors", config, layer, arguments.dtype
        )
        for layer in range(config["num_hidden_layers"])
    )
    print(f"{arguments.output}: {total / 1e9:.1f} GB of {arguments.dtype} in holes")


if __name__ == "__main__":
    main()
