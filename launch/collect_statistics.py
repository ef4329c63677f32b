"""Collect LayerBudget statistics from a Hugging Face language model and a text file.

For every covered linear module, with x the input and d the gradient of the summed token loss with
respect to the output (one row per token, padding left out), over N sequences holding T tokens:

  <module>.gradient               [out,in]    sum of d x^T / N  (mean per-sequence gradient)
  <module>.gradient_folds         [S,out,in]  the same over S disjoint, equally large folds
  <module>.activation_covariance  [in,in]     sum of x x^T / T  (K-FAC factor A)
  <module>.gradient_covariance    [out,out]   sum of d d^T / T  (K-FAC factor G)
  <module>.fisher_diagonal        [out,in]    sum over sequences of (sum of d x^T)^2 / N
  <module>.token_inputs, <module>.token_output_gradients, <module>.sample_offsets
                                              every x and every d, and where each sequence begins

A module with a bias gets one more column, last: x is extended by a 1. The loss is cross entropy
with the labels of the text, of the next token or (--task masked) of the masked ones, so G and the
diagonal are the empirical Fisher. One sample is one sequence. Batch products are computed in
float32 and summed in float64. Modules that read the same tensor (query, key and value; gate and up)
share one A, found at run time and stored once. All sums of the chosen modules are held in memory
in float64: for a large model collect one part at a time with --modules.

Covered are nn.Linear, GPT-2's Conv1D (written as [out,in]), routers, and experts, fused or not.
Each expert is a module of its own: A and G are means over the <module>.num_tokens tokens that
reached it, gradient and diagonal over all N sequences. Such models run one sequence per pass.

Raw captures (--collect tokens) cost (in + out) x 4 bytes per token and module, in memory and on
disk (2 with --token-dtype BF16); modules that share their input store it once, the input embedding
stores none. The size is printed before the run.

To share the work: torchrun --nproc-per-node K launch/collect_statistics.py ... A run that was
killed goes on where it stood when it is repeated.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from layerbudget_statistics.collection import run
from layerbudget_statistics.option_values import (
    byte_count,
    check_options,
    kinds,
    pattern,
    share,
    whole,
)
from layerbudget_statistics.plain_errors import CommandError, Parser, positive
from layerbudget_statistics.processes import Processes
from layerbudget_statistics.statistics_file import STORED_TYPES


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="Hugging Face folder of a language model; nothing is downloaded",
    )
    parser.add_argument(
        "--text", type=Path, required=True, metavar="FILE", help="calibration text (UTF-8)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE.safetensors|DIR",
        help="one file, or a folder for shards and statistics.index.json",
    )
    parser.add_argument(
        "--from-kronfluence",
        type=Path,
        metavar="FACTORS_DIR",
        help="instead of -o: write only what a kronfluence factors folder lacks into it, the mean "
        "gradients of its modules (mean_gradient.safetensors, and gradient_folds.safetensors "
        "unless --folds 0)",
    )
    add_sample_options(parser)
    add_collect_options(parser)
    add_storage_options(parser)
    options = parser.parse_args(arguments)
    check_options(options)
    return options


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
    add_run_options(parser)


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


def main(arguments: list[str] | None = None) -> int:
    processes: Processes | None = None
    code = 0
    try:
        processes = Processes()
        run(processes.together(lambda: parse_arguments(arguments)), processes)
    except CommandError as error:
        code = error.code
        if processes is None or processes.leads:
            print(f"collect_statistics: error: {error}", file=sys.stderr, flush=True)
    return processes.leave(code) if processes else code


if __name__ == "__main__":
    sys.exit(main())
