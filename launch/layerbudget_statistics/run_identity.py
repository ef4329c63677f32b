"""By what a run is recognised: its options, its model, its text and its number of processes."""

from __future__ import annotations

import argparse
import hashlib
import json
import re

import torch
import transformers

FREE = ("output", "threads", "progress", "checkpoint_every", "resume", "model", "text")


def plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.pattern if isinstance(value, re.Pattern) else str(value)


def identity(options: argparse.Namespace, processes: int, with_times: bool) -> str:
    """A hash. With times, a model that was written again is another; without, one that was copied
    to another disk is the same."""
    chosen = {name: plain(value) for name, value in vars(options).items() if name not in FREE}
    files = sorted(file for file in options.model.iterdir() if file.is_file())
    facts = {
        "options": chosen,
        "processes": processes,
        "versions": [torch.__version__, transformers.__version__],
        "text": hashlib.sha256(options.text.read_bytes()).hexdigest(),
        "config": hashlib.sha256((options.model / "config.json").read_bytes()).hexdigest(),
        "model": [
            [file.name, file.stat().st_size, file.stat().st_mtime_ns if with_times else 0]
            for file in files
        ],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
