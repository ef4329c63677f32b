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
from layerbudget_statistics.command_options import (
    add_collect_options,
    add_run_options,
    add_sample_options,
    add_storage_options,
)
from layerbudget_statistics.option_values import check_options
from layerbudget_statistics.plain_errors import CommandError, Parser
from layerbudget_statistics.processes import Processes


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
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
    add_run_options(parser)
    options = parser.parse_args(arguments)
    check_options(options)
    return options


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
