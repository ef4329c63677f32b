"""From text to a trained model in a folder: the steps of the command, in order."""

from __future__ import annotations

import argparse
import json
import math
import time

import torch
from transformers.utils import logging as transformers_logging

from .byte_llama import make_model, validation_loss
from .corpus import make_corpus, write_atomically
from .training_loop import train


def run(options: argparse.Namespace) -> None:
    torch.set_num_threads(options.threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    corpus = make_corpus(options)
    print(
        f"text: {corpus.documents} documents, {len(corpus.training)} bytes to train on, "
        f"{len(corpus.validation)} held out"
    )
    if options.validation_out:
        write_atomically(options.validation_out, corpus.validation.numpy().tobytes())
    model = make_model(options)
    print(
        f"model: {sum(p.numel() for p in model.parameters())} parameters, {options.layers} blocks, "
        f"hidden {options.hidden}, intermediate {options.intermediate}"
    )
    began = time.monotonic()
    steps, training = train(model, corpus, options)
    seconds = time.monotonic() - began
    saved = model.to(getattr(torch, options.dtype))
    held_out = validation_loss(saved, corpus.validation, options.context, 512)
    options.output.mkdir(parents=True, exist_ok=True)
    saved.save_pretrained(options.output)
    print(
        json.dumps(
            {
                "steps": steps,
                "seconds": round(seconds, 1),
                "parameters": saved.num_parameters(),
                "training_loss": round(training, 4),
                "training_perplexity": round(math.exp(training), 3),
                "validation_loss": round(held_out, 4),
                "validation_perplexity": round(math.exp(held_out), 3),
            }
        )
    )
