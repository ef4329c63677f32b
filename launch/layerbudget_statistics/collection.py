"""From a model and a text to a statistics file: the steps of the command, in order."""

from __future__ import annotations

import argparse
import dataclasses
import math
import os
import sys

import torch
from torch import nn
from transformers.utils import logging as transformers_logging

from .alias_detection import Leaders, Probe, probe
from .checkpoints import Checkpoints, Progress
from .collection_pass import Collected, Pass
from .coverage_table import print_coverage
from .kronfluence_gradients import choose_listed, require_all, write_gradients
from .language_model import check_lengths, choose_task, load_model
from .masked_tokens import masked_samples
from .module_captures import Recorder
from .module_coverage import Coverage, Wanted, choose_modules
from .named_statistics import finish, make_metadata, with_aliases
from .padded_batches import Batch, Sample, make_batch, make_batches, next_token_samples
from .plain_errors import EXIT_DATA, CommandError
from .processes import Processes
from .run_identity import identity
from .running_sums import make_sums
from .statistics_file import STORED_TYPES, write_statistics
from .sum_exchange import add_up_all
from .text_windows import Encoder, choose_sequences, read_sequences
from .token_records import expected_bytes, make_records


@dataclasses.dataclass(frozen=True)
class Prepared:
    """All that is settled before the first batch is added."""

    model: nn.Module
    encoder: Encoder
    recorder: Recorder
    collected: Collected
    batches: list[Batch]
    progress: Progress
    checkpoints: Checkpoints


def run(options: argparse.Namespace, processes: Processes) -> None:
    seen = processes.together(lambda: identity(options, processes.count, with_times=False))
    processes.require_equal(seen, "model or text")
    prepared = processes.together(lambda: prepare(options, processes))
    bar = processes.leads and (options.progress or sys.stderr.isatty())
    work = Pass(prepared.model, prepared.recorder, processes, prepared.checkpoints, bar)
    collected, progress = prepared.collected, prepared.progress
    processes.together(lambda: work.run(collected, prepared.batches, progress))
    prepared.recorder.remove()
    totals = add_up_all(processes, collected, progress)
    processes.together(lambda: write(options, processes, prepared, totals))


def prepare(options: argparse.Namespace, processes: Processes) -> Prepared:
    options.output.parent.mkdir(parents=True, exist_ok=True)  # fails now rather than at the end
    fingerprint = identity(options, processes.count, with_times=True)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.device == "cuda" and "LOCAL_RANK" in os.environ:
        options.device = f"cuda:{os.environ['LOCAL_RANK']}"
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    options.task = choose_task(options)
    model = load_model(options, options.task)
    encoder = Encoder(options.model, int(model.config.get_text_config().vocab_size))
    print(f"tokens: {encoder.description}")
    samples = read_samples(options, encoder)
    check_lengths(model, samples)
    recorder, seen = look(options, model, samples)
    size = 1 if seen.one_by_one else options.batch_size
    if size < options.batch_size:
        print("note: one sequence per pass, as some modules see other rows than the batch's tokens")
    shares = (options.folds, size, options.device, processes.rank, processes.count)
    batches = list(make_batches(samples, *shares))
    collected = make_collected(options, seen.coverage, seen.leaders)
    if collected.records:
        tokens = sum(len(sample.inputs) for sample in samples)
        expected = expected_bytes(collected.records, seen.shares, tokens)
        print(f"raw captures: about {expected} bytes, held in memory until they are written")
    checkpoints = Checkpoints(
        options.output,
        processes.rank,
        processes.count,
        fingerprint,
        options.checkpoint_every,
    )
    progress = resume(options, processes, checkpoints, collected)
    return Prepared(model, encoder, recorder, collected, batches, progress, checkpoints)


def read_samples(options: argparse.Namespace, encoder: Encoder) -> list[Sample]:
    """The chosen samples in fold order, with what is predicted of each."""
    shift = 1 if options.task == "causal" else 0
    sequences = choose_sequences(read_sequences(options, encoder, shift), options)
    if options.task == "causal":
        return next_token_samples(sequences)
    return masked_samples(sequences, encoder, options.mask_share, options.seed)


def look(
    options: argparse.Namespace, model: nn.Module, samples: list[Sample]
) -> tuple[Recorder, Probe]:
    """What is covered, by the options and by one pass over the first samples."""
    folder = options.from_kronfluence
    if folder:
        wanted = choose_listed(model, folder)
    else:
        wanted = choose_modules(model, Wanted.by_options(options))
    per_fold = len(samples) // max(1, options.folds)
    first = make_batch(samples[: min(options.batch_size, per_fold)], 0, options.device)
    recorder = Recorder(model, wanted.maps)
    seen = probe(model, recorder, wanted, first)
    print_coverage(seen.coverage)
    if folder:
        require_all(seen.coverage, wanted, folder)
    if not seen.coverage.maps:
        raise CommandError(EXIT_DATA, "no linear module is covered (the table above says why)")
    return recorder, seen


def make_collected(options: argparse.Namespace, coverage: Coverage, leaders: Leaders) -> Collected:
    sums = {
        name: make_sums(own, options.folds, options.collect, leaders[name] == name)
        for name, own in coverage.maps.items()
    }
    kept = coverage.maps if "tokens" in options.collect else {}
    records = make_records(kept, leaders, STORED_TYPES[options.token_dtype])
    return Collected(coverage.maps, leaders, sums, records)


def resume(
    options: argparse.Namespace,
    processes: Processes,
    checkpoints: Checkpoints,
    collected: Collected,
) -> Progress:
    """Where a killed run of the same kind stood, its sums restored; else the beginning."""
    if not options.resume:
        if processes.leads:
            checkpoints.remove()
        return Progress()
    found = checkpoints.load()
    if found is None:
        return Progress()
    progress, tensors = found
    collected.restore(tensors)
    print(f"resumed after batch {progress.batches} from {checkpoints.folder}")
    return progress


def write(
    options: argparse.Namespace, processes: Processes, prepared: Prepared, totals: Progress
) -> None:
    """By process 0 alone; the others have added what they know."""
    if not processes.leads:
        return
    collected = prepared.collected
    tensors, aliases = finish(collected, totals, options)
    has_bias = any(own.has_bias for own in collected.maps.values())
    metadata = make_metadata(options, totals, prepared.encoder, has_bias)
    if options.from_kronfluence:
        del metadata["format"]
        told = ", ".join(map(str, write_gradients(options, tensors, metadata)))
    else:
        write_statistics(options, tensors, with_aliases(metadata, aliases))
        told = str(options.output)
    prepared.checkpoints.remove()
    print_closing(told, collected, tensors, aliases, totals)


def print_closing(
    told: str,
    collected: Collected,
    tensors: dict[str, torch.Tensor],
    aliases: dict[str, str],
    totals: Progress,
) -> None:
    unseen = [name for name, sums in collected.sums.items() if int(sums.tokens) == 0]
    if unseen:
        print(f"note: no token reached {len(unseen)} modules, written as zeros: {unseen[0]} ...")
    mean = totals.loss / max(1, totals.predicted)
    size = sum(tensor.nbytes for tensor in tensors.values())
    print(
        f"wrote {told}: {len(tensors)} tensors, {len(aliases)} aliases, {size} bytes; "
        f"{totals.samples} sequences, {totals.tokens} tokens, loss {mean:.4f} per token, "
        f"perplexity {math.exp(min(mean, 700)):.3f}"
    )
