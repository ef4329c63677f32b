"""Loss and perplexity of a causal language model on a text.

    python launch/evaluate.py MODEL_DIR --text held-out.txt

MODEL_DIR is a Hugging Face folder, as it was or as `layerbudget apply` wrote it; nothing is
downloaded. A folder without a tokenizer and with a vocabulary of 256 reads raw bytes. The text is
tokenised whole and cut into windows of --length predicted tokens, none of which sees what lies
before its window. The loss is the mean cross entropy per token in nats, the perplexity its exp;
the standard error is that of the mean over windows.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from layerbudget_statistics.option_values import check_model_and_text
from layerbudget_statistics.plain_errors import CommandError, Parser
from pruning_comparison.held_out_loss import (
    HeldOut,
    add_text_options,
    perplexity,
    prepare,
    standard_error,
)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = Parser(__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL_DIR")
    add_text_options(parser, windows=512)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    check_model_and_text(options.model, options.text)
    return options


def evaluate(held_out: HeldOut) -> dict[str, object]:
    losses = held_out.losses()
    loss = float(losses.mean())
    return {
        "format": "layerbudget.evaluation/1",
        "loss": loss,
        "standard_error": standard_error(losses),
        "perplexity": perplexity(loss),
        "windows": len(losses),
        "length": held_out.windows.shape[1] - 1,
        "tokens": held_out.windows[:, 1:].numel(),
        "encoder": held_out.encoder,
    }


def described(found: dict[str, object]) -> str:
    error = found["standard_error"]
    margin = "" if error is None else f" ± {error:.4f}"
    return (
        f"loss {found['loss']:.4f}{margin} nats per token, perplexity {found['perplexity']:.3f}; "
        f"{found['windows']} windows of {found['length']} tokens, {found['encoder']}"
    )


def main(arguments: list[str] | None = None) -> int:
    try:
        options = parse_arguments(arguments)
        found = evaluate(prepare(options))
    except CommandError as error:
        print(f"evaluate: error: {error}", file=sys.stderr)
        return error.code
    print(json.dumps(found, indent=2, sort_keys=True) if options.json else described(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
