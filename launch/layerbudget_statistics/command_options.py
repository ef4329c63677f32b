"""The options of `collect_statistics.py`, group by group."""

from __future__ import annotations

import argparse

from .option_values import byte_count, kinds, pattern, share, whole
from .plain_errors import positive
from .statistics_file import STORED_TYPES


def add_sample_options(parser: argparse.ArgumentParser) -> None:
    """How the text is cut into sequences, folds and batches."""
    sample = parser.add_argument_group("samples")
    sample.add_argument(
        "--sequences",
        type=positive,
        default=256,
        metavar="N",
        help="number of samples, rounded down to a multiple of --folds (default: %(default)s)",
    )
    sample.add_argument(
        "--length",
        type=positive,
        default=256,
        metavar="TOKENS",
        help="tokens per sequence, at most (default: %(default)s)",
    )
    sample.add_argument(
        "--split",
        choices=["windows", "lines"],
        default="windows",
        help="cut the whole text into windows of --length tokens, or take each non-empty "
        "line as one sequence, padded inside its batch (default: %(default)s)",
    )
    sample.add_argument(
        "--folds",
        type=int,
        default=4,
        metavar="S",
        help="folds for cross-fitted gains; 0 stores none (default: %(default)s)",
    )
    sample.add_argument(
        "--fold-order",
        choices=["shuffled", "text"],
        default="shuffled",
        help="assign sequences to folds at random, or in the order of the text, which keeps "
        "neighbours from one document in one fold (default: %(default)s)",
    )
    sample.add_argument(
        "--batch-size",
        type=positive,
        default=8,
        metavar="N",
        help="sequences per pass, never across folds (default: %(default)s)",
    )
    sample.add_argument(
        "--seed",
        type=int,
        default=0,
        help="chooses the sequences and their folds (default: %(default)s)",
    )
    sample.add_argument(
        "--task",
        choices=["auto", "causal", "masked"],
        default="auto",
        help="predict the next token, or masked tokens from both sides; auto asks the model's "
        "config (default: %(default)s)",
    )
    sample.add_argument(
        "--mask-share",
        type=share,
        default=0.15,
        metavar="SHARE",
        help="for masked: this share of each sequence becomes the mask token, at least one, chosen "
        "by --seed (default: %(default)s)",
    )


def add_collect_options(parser: argparse.ArgumentParser) -> None:
    """Which statistics, of which modules."""
    what = parser.add_argument_group("what to collect")
    what.add_argument(
        "--collect",
        type=kinds,
        metavar="KINDS",
        help="comma-separated, of gradient, kfac, diagonal, tokens; gradient is always stored "
        "(default: gradient,kfac,diagonal)",
    )
    what.add_argument(
        "--modules",
        type=pattern,
        metavar="REGEX",
        help="only modules whose name matches somewhere",
    )
    what.add_argument(
        "--include-head",
        action="store_true",
        help="also cover the output head if its weight is its own (G is vocabulary-sized: see "
        "--large-modules)",
    )
    what.add_argument(
        "--include-embeddings",
        action="store_true",
        help="also cover the input embedding if its weight is its own: W [out, vocabulary], A the "
        "diagonal of the token frequencies",
    )
    what.add_argument(
        "--large-modules",
        choices=["skip", "diagonal", "error"],
        default="skip",
        help="a module with an A or G of more than --large-limit rows: skip it, store only that "
        "factor's diagonal, or stop (default: %(default)s)",
    )
    what.add_argument(
        "--large-limit",
        type=positive,
        default=32766,
        metavar="ROWS",
        help="the largest dense A or G (default: %(default)s)",
    )


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Stored types and shards; where and how the model runs."""
    store = parser.add_argument_group("storage and computation")
    store.add_argument(
        "--gradient-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="F64, F32 or BF16 for gradients and folds (default: %(default)s)",
    )
    store.add_argument(
        "--factor-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="the same for A and G; rounding to BF16 can make them indefinite "
        "(default: %(default)s)",
    )
    store.add_argument(
        "--fisher-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="the same for the diagonal (default: %(default)s)",
    )
    store.add_argument(
        "--token-dtype",
        choices=STORED_TYPES,
        default="F32",
        metavar="TYPE",
        help="the same for raw captures (default: %(default)s)",
    )
    store.add_argument(
        "--shard-size",
        type=byte_count,
        metavar="SIZE",
        help="for a folder: start a new file after about this much, e.g. 4G",
    )
    store.add_argument(
        "--model-dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type the model computes in (default: %(default)s)",
    )
    store.add_argument(
        "--device", default="cpu", help="where the model runs (default: %(default)s)"
    )
    store.add_argument("--threads", type=positive, help="CPU threads (default: torch's choice)")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """What does not change the result."""
    course = parser.add_argument_group("course of the run")
    course.add_argument(
        "--checkpoint-every",
        type=whole,
        default=16,
        metavar="BATCHES",
        help="save the sums this often in OUTPUT.partial, one file per process; 0 never does "
        "(default: %(default)s)",
    )
    course.add_argument(
        "--no-resume",
        dest="resume",
        action="store_false",
        help="start anew and remove what a killed run left in OUTPUT.partial",
    )
    course.add_argument(
        "--progress",
        action="store_true",
        help="show a bar on standard error even if that is not a terminal",
    )
