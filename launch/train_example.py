"""Train the small byte-level Llama that LayerBudget's example is made from.

The model reads raw bytes (vocabulary 256, no special symbols), so it needs no tokenizer and no
download: it trains on documentation, licence texts and Python sources found on this machine, or on
``--text``. With ``--steps`` alone the run is reproducible for one seed, text and number of threads.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from example_training.example_run import run
from layerbudget_statistics.plain_errors import (
    EXIT_INPUT,
    EXIT_USAGE,
    CommandError,
    Parser,
    positive,
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder for the trained model"
    )
    add_text_options(parser)
    add_model_options(parser)
    add_training_options(parser)
    options = parser.parse_args(arguments)
    check_options(options)
    return options


def add_text_options(parser: argparse.ArgumentParser) -> None:
    """Which text, how much of it, and the share held out."""
    text = parser.add_argument_group("text")
    text.add_argument(
        "--text",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="train on these files instead of the text found on this machine",
    )
    text.add_argument(
        "--text-bytes",
        type=positive,
        default=24_000_000,
        metavar="N",
        help="use at most N bytes of text (default: %(default)s)",
    )
    text.add_argument(
        "--validation-share",
        type=float,
        default=0.05,
        metavar="F",
        help="share of the text held out for validation (default: %(default)s)",
    )
    text.add_argument(
        "--validation-out",
        type=Path,
        metavar="FILE",
        help="also write the held-out text, e.g. for collect_statistics.py",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The shape of the model and the type of its saved weights."""
    model = parser.add_argument_group("model")
    model.add_argument("--hidden", type=positive, default=48, help="width (default: %(default)s)")
    model.add_argument("--intermediate", type=positive, help="MLP width (default: 2.5 x hidden)")
    model.add_argument("--layers", type=positive, default=12, help="blocks (default: %(default)s)")
    model.add_argument(
        "--heads", type=positive, default=4, help="query heads (default: %(default)s)"
    )
    model.add_argument(
        "--kv-heads",
        type=positive,
        default=2,
        help="key and value heads, a divisor of --heads (default: %(default)s)",
    )
    model.add_argument(
        "--context",
        type=positive,
        default=256,
        help="sequence length in bytes (default: %(default)s)",
    )
    model.add_argument(
        "--dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type of the saved weights (default: %(default)s)",
    )


def add_training_options(parser: argparse.ArgumentParser) -> None:
    """Steps, optimizer, seed and threads."""
    train = parser.add_argument_group("training")
    train.add_argument("--steps", type=positive, default=2000, help="(default: %(default)s)")
    train.add_argument(
        "--minutes",
        type=float,
        help="stop after about this long; the learning rate then falls with the clock, "
        "so the result is not reproducible to the bit",
    )
    train.add_argument(
        "--batch-size", type=positive, default=16, help="sequences per step (default: %(default)s)"
    )
    train.add_argument(
        "--learning-rate", type=float, help="peak (default: 0.008 x sqrt(48/hidden))"
    )
    train.add_argument("--weight-decay", type=float, default=0.05, help="(default: %(default)s)")
    train.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    train.add_argument(
        "--threads", type=positive, default=2, help="CPU threads (default: %(default)s)"
    )
    train.add_argument(
        "--report-every", type=positive, default=100, metavar="STEPS", help="(default: %(default)s)"
    )


def check_options(options: argparse.Namespace) -> None:
    if options.hidden % options.heads or (options.hidden // options.heads) % 2:
        raise CommandError(
            EXIT_USAGE,
            f"--hidden {options.hidden} / --heads {options.heads} must be "
            "a whole, even number (rotary embedding)",
        )
    if options.heads % options.kv_heads:
        raise CommandError(
            EXIT_USAGE, f"--kv-heads {options.kv_heads} must divide --heads {options.heads}"
        )
    if not 0 < options.validation_share < 1:
        raise CommandError(EXIT_USAGE, "--validation-share must lie between 0 and 1")
    if options.minutes is not None and options.minutes <= 0:
        raise CommandError(EXIT_USAGE, "--minutes must be positive")
    if options.intermediate is None:
        options.intermediate = options.hidden * 5 // 2
    if options.learning_rate is None:
        options.learning_rate = 0.008 * math.sqrt(48 / options.hidden)


def main(arguments: list[str] | None = None) -> int:
    try:
        run(parse_arguments(arguments))
    except CommandError as error:
        print(f"train_example: error: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"train_example: error: {error}", file=sys.stderr)
        return EXIT_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main())
