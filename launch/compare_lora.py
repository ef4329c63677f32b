"""Compare ways to share LoRA ranks among modules by the loss on held-out text after training.

    python launch/compare_lora.py MODEL_DIR --statistics statistics.safetensors \\
      --calibration calibration.txt --training training.txt --text held-out.txt \\
      --layerbudget layerbudget -o rows.json

A rank of a module costs its inputs + outputs parameters. Every allocation gets the parameters of
one uniform rank (--ranks), and never more; every row says what it spent. All are trained by peft
for the same steps on the same windows, with the same learning rate and the same alpha / rank, and
measured on the same windows of held-out text. Every row holds the loss, the difference to uniform
ranks and its standard error over the windows, paired. The three texts must not share text; the
statistics and EVA's directions are to be of the first.

Allocations: uniform; this tool's plans of gains or of spectra, one unit per module, ranks between 0
and the smaller side; EVA, with its ranks and directions, with its ranks alone, and with its
directions alone; AdaLoRA, with its own training, and with its ranks alone; random ranks; the first
plan dealt anew among the blocks. --grid says how many of them. EVA and AdaLoRA count their budget
in ranks: numbers of ranks are tried until the parameters fit.

A run that is repeated goes on where it stopped, also after --limit-minutes (exit code 75). For
another seed, give other statistics and another output too.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from layerbudget_statistics.option_values import check_model_and_text
from layerbudget_statistics.plain_errors import (
    EXIT_INPUT,
    EXIT_INTERRUPTED,
    CommandError,
    Parser,
    positive,
)
from lora_comparison.comparison import run
from lora_comparison.grid import GRIDS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    parser.add_argument(
        "--statistics", type=Path, required=True, metavar="PATH", help="statistics of the model"
    )
    parser.add_argument(
        "--layerbudget", metavar="PATH", help="the tool (default: the variable LAYERBUDGET)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="rows, JSON"
    )
    add_text_options(parser)
    add_training_options(parser)
    add_comparison_options(parser)
    parser.set_defaults(model_dtype="float32", device="cpu")
    options = parser.parse_args(arguments)
    check_model_and_text(options.model, options.text)
    for name in ("calibration", "training"):
        if not getattr(options, name).is_file():
            raise CommandError(EXIT_INPUT, f"--{name} {getattr(options, name)} is not a file")
    return options


def above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def add_text_options(parser: argparse.ArgumentParser) -> None:
    text = parser.add_argument_group("texts (UTF-8)")
    for name, told in (
        ("--calibration", "what the statistics are of; EVA sees it too"),
        ("--training", "what adapters are trained on"),
        ("--text", "held-out text"),
    ):
        text.add_argument(name, type=Path, required=True, metavar="FILE", help=told)
    for name, count, told in (
        ("--length", 256, "predicted tokens per window"),
        ("--windows", 64, "windows of the held-out text, spread evenly"),
        (
            "--calibration-windows",
            128,
            "windows of the calibration text for EVA, drawn by the seed",
        ),
        ("--tuning-windows", 32, "windows of the calibration text to choose a learning rate by"),
    ):
        text.add_argument(
            name, type=positive, default=count, metavar="N", help=f"{told} (default: %(default)s)"
        )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    train = parser.add_argument_group("training")
    train.add_argument(
        "--steps", type=positive, default=100, metavar="N", help="(default: %(default)s)"
    )
    train.add_argument(
        "--batch-size",
        type=positive,
        default=4,
        metavar="N",
        help="windows per step (default: %(default)s)",
    )
    train.add_argument(
        "--learning-rates",
        type=above_zero,
        nargs="+",
        default=[0.003],
        metavar="RATE",
        help="at the highest; each makes rows of its own (default: 0.003)",
    )
    train.add_argument(
        "--scale",
        type=above_zero,
        default=2.0,
        metavar="RATIO",
        help="alpha / rank of every module (default: %(default)s)",
    )
    train.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the adapters' first weights and of the order of windows (default: %(default)s)",
    )
    train.add_argument("--threads", type=positive, help="CPU threads (default: torch's choice)")


def add_comparison_options(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what is compared")
    what.add_argument(
        "--ranks",
        type=above_zero,
        nargs="+",
        default=[2.0, 4.0, 8.0],
        metavar="RANK",
        help="budgets: what this rank costs in every module; may be fractional (default: 2 4 8)",
    )
    what.add_argument(
        "--grid",
        nargs="+",
        choices=list(GRIDS),
        default=["contenders"],
        help="allocations (default: contenders)",
    )
    what.add_argument("--name", help="name of the model in the rows (default: its folder's)")
    what.add_argument("--work", type=Path, metavar="DIR", help="keep plans here")
    what.add_argument(
        "--limit-minutes", type=float, metavar="N", help="stop before the next row after this long"
    )


def main(arguments: list[str] | None = None) -> int:
    try:
        complete = run(parse_arguments(arguments))
    except CommandError as error:
        print(f"compare_lora: error: {error}", file=sys.stderr)
        return error.code
    return 0 if complete else EXIT_INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
