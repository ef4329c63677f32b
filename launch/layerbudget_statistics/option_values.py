"""What the options of `collect_statistics.py` may say, one by one and together."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from .kronfluence_gradients import MEAN as MEAN_GRADIENT
from .plain_errors import EXIT_INPUT, EXIT_USAGE, CommandError
from .statistics_file import is_one_file

KINDS = ("gradient", "kfac", "diagonal", "tokens")
DEFAULT_KINDS = frozenset(KINDS) - {"tokens"}


def byte_count(text: str) -> int:
    """'512', '200M' or '4G' (powers of ten) as a number of bytes."""
    match = re.fullmatch(r"(\d+)([kKMG]?)B?", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"not a size: {text} (examples: 500M, 4G)")
    return int(match[1]) * {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}[match[2]]


def kinds(text: str) -> frozenset[str]:
    chosen = frozenset(part.strip() for part in text.split(","))
    if unknown := sorted(chosen - set(KINDS)):
        raise argparse.ArgumentTypeError(
            f"unknown kind '{unknown[0]}' (choose from {', '.join(KINDS)})"
        )
    return chosen


def pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {text} ({error})") from None


def share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 1, not {text}")
    return value


def whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, not {text}")
    return value


def check_options(options: argparse.Namespace) -> None:
    """Fails where options do not go together or name nothing; fills in what follows from others."""
    if options.folds < 0 or options.folds == 1:
        raise CommandError(EXIT_USAGE, "--folds must be 0 or at least 2")
    if options.folds and options.sequences < options.folds:
        raise CommandError(
            EXIT_USAGE, f"--sequences {options.sequences} is fewer than --folds {options.folds}"
        )
    if options.from_kronfluence:
        check_kronfluence(options)
    elif options.output is None:
        raise CommandError(EXIT_USAGE, "the following arguments are required: -o/--output")
    options.collect = options.collect or DEFAULT_KINDS
    check_output(options)
    check_model_and_text(options.model, options.text)


def check_model_and_text(model: Path, text: Path) -> None:
    if not model.is_dir():
        raise CommandError(EXIT_INPUT, f"the model {model} is not a folder")
    if not (model / "config.json").is_file():
        raise CommandError(EXIT_INPUT, f"the model {model} has no config.json")
    if not text.is_file():
        raise CommandError(EXIT_INPUT, f"--text {text} is not a file")


def check_output(options: argparse.Namespace) -> None:
    if options.shard_size and is_one_file(options.output):
        raise CommandError(
            EXIT_USAGE, "--shard-size needs a folder as --output, not a .safetensors file"
        )
    if not is_one_file(options.output) and any(options.output.glob("*.safetensors")):
        raise CommandError(
            EXIT_USAGE,
            f"{options.output} already holds .safetensors files: "
            "move them away or name another folder",
        )


def check_kronfluence(options: argparse.Namespace) -> None:
    """Modules, quantities and place follow from the folder of factors."""
    for name in ("output", "collect", "modules", "include_head", "include_embeddings"):
        if getattr(options, name):
            told = f"--{name.replace('_', '-')}"
            raise CommandError(EXIT_USAGE, f"{told} has no meaning with --from-kronfluence")
    if not options.from_kronfluence.is_dir():
        raise CommandError(
            EXIT_INPUT, f"--from-kronfluence {options.from_kronfluence} is not a folder"
        )
    options.collect = frozenset({"gradient"})
    options.output = options.from_kronfluence / MEAN_GRADIENT
