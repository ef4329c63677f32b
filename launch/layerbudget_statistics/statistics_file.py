"""Statistics on disk: safetensors bytes that repeat, written atomically, whole or in shards."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import torch

from .module_coverage import natural_key

STORED_TYPES = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16}
COUNTS = {"I64": torch.int64}


def is_one_file(output: Path) -> bool:
    return output.suffix == ".safetensors"


def write_statistics(
    options: argparse.Namespace, tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    if is_one_file(options.output):
        write_safetensors(options.output, tensors, metadata)
    else:
        write_folder(options.output, tensors, metadata, options.shard_size)


def write_safetensors(
    file: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]
) -> None:
    ordered = by_alignment(tensors)
    parts = [safetensors_header(ordered, metadata)]
    parts += [
        tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes()
        for tensor in ordered.values()
    ]
    write_atomically(file, parts)


def safetensors_header(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    """Length and JSON of a safetensors file, keys sorted: equal tensors give equal bytes."""
    names = {kind: name for name, kind in (STORED_TYPES | COUNTS).items()}
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for key, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[key] = {
            "dtype": names[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def by_alignment(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Wider types first, so that every tensor starts at a multiple of its element size."""
    return dict(
        sorted(tensors.items(), key=lambda item: (-item[1].element_size(), natural_key(item[0])))
    )


def write_folder(
    folder: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str], limit: int | None
) -> None:
    """Shards first, the index last. Every shard carries all metadata."""
    shards = into_shards(tensors, limit)
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        name = f"statistics-{number:05d}-of-{len(shards):05d}.safetensors"
        write_safetensors(folder / name, shard, metadata)
        places |= dict.fromkeys(shard, name)
    total = sum(tensor.nbytes for tensor in tensors.values())
    index = {"metadata": {**metadata, "total_size": total}, "weight_map": places}
    text = json.dumps(index, indent=2, sort_keys=True) + "\n"
    write_atomically(folder / "statistics.index.json", [text.encode()])


def into_shards(
    tensors: dict[str, torch.Tensor], limit: int | None
) -> list[dict[str, torch.Tensor]]:
    """Consecutive groups of at most `limit` bytes each (one tensor may exceed it)."""
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for key, tensor in tensors.items():
        if limit and shards[-1] and size + tensor.nbytes > limit:
            shards.append({})
            size = 0
        shards[-1][key] = tensor
        size += tensor.nbytes
    return shards


def write_atomically(file: Path, parts: list[bytes]) -> None:
    """A temporary name, synced, renamed: a reader sees the whole file or none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
