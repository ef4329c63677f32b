"""From a model and a text to a statistics file: the steps of the command, in order."""

from __future__ import annotations

import argparse
import math

import torch
from transformers.utils import logging as transformers_logging

from .alias_detection import probe
from .causal_model import check_lengths, load_model
from .module_captures import Recorder
from .module_coverage import choose_modules, print_coverage
from .named_statistics import finish, make_metadata
from .padded_batches import make_batches
from .plain_errors import EXIT_DATA, CommandError
from .running_sums import Sums, collect
from .statistics_file import write_statistics
from .text_windows import Encoder, choose_sequences, read_sequences


def run(options: argparse.Namespace) -> None:
    if options.threads:
        torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model = load_model(options)
    encoder = Encoder(options.model, int(model.config.get_text_config().vocab_size))
    print(f"tokens: {encoder.description}")
    sequences = choose_sequences(read_sequences(options, encoder), options)
    check_lengths(model, sequences)
    batches = list(make_batches(sequences, options.folds, options.batch_size, options.device))
    wanted = choose_modules(model, options)
    recorder = Recorder(model, wanted.modules)
    coverage, leaders = probe(model, recorder, wanted, batches[0])
    print_coverage(coverage)
    if not coverage.modules:
        raise CommandError(EXIT_DATA, "no linear module is covered (the table above says why)")
    sums = {
        name: Sums(module, options.folds, options.collect, leaders[name] == name)
        for name, module in coverage.modules.items()
    }
    totals = collect(model, recorder, leaders, sums, batches)
    recorder.remove()
    tensors, aliases = finish(sums, leaders, totals, options)
    has_bias = any(own.has_bias for own in sums.values())
    write_statistics(options, tensors, make_metadata(options, totals, aliases, encoder, has_bias))
    mean = totals.loss / totals.tokens
    size = sum(tensor.nbytes for tensor in tensors.values())
    print(
        f"wrote {options.output}: {len(tensors)} tensors, {len(aliases)} aliases, {size} bytes; "
        f"{totals.samples} sequences, {totals.tokens} tokens, loss {mean:.4f} per token, "
        f"perplexity {math.exp(min(mean, 700)):.3f}"
    )
