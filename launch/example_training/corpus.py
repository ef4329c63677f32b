"""The text the example is trained on: found on this machine or named, paragraphs without repeats.

A share of whole documents is held out for validation.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import hashlib
import os
import random
import sysconfig
from pathlib import Path

import numpy as np
import torch
from layerbudget_statistics.plain_errors import EXIT_DATA, EXIT_INPUT, CommandError

LARGEST_FILE = 96 * 1024  # bytes kept of one file, so that no single source dominates
SHORTEST_DOCUMENT = 512


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Training and validation text as flat byte tensors (uint8, one dimension)."""

    training: torch.Tensor
    validation: torch.Tensor
    documents: int


def found_files() -> list[Path]:
    """Documentation, licences and Python sources of this machine, sorted: the default text."""
    documentation = Path("/usr/share/doc")
    patterns = ["*/copyright", "**/*.txt", "**/*.md", "**/*.txt.gz", "**/*.md.gz", "**/*.rst"]
    files = [file for pattern in patterns for file in documentation.glob(pattern)]
    files += Path("/usr/share/common-licenses").glob("*")
    files += Path("/usr/share/perl").glob("**/*.pod")
    files += Path("/usr/share").glob("vim/*/doc/*.txt")
    standard_library = Path(sysconfig.get_path("stdlib"))
    files += standard_library.glob("*.py")
    for package in ("asyncio", "concurrent", "email", "http", "json", "logging", "unittest"):
        files += standard_library.glob(f"{package}/**/*.py")
    return sorted({file for file in files if is_wanted(file)})


def is_wanted(file: Path) -> bool:
    """Change logs are left out: their commit hashes cannot be predicted."""
    return file.is_file() and not file.is_symlink() and "changelog" not in str(file).lower()


def read_document(file: Path) -> bytes:
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rb") as stream:
        return stream.read(LARGEST_FILE)


def without_repeats(document: bytes, seen: set[bytes]) -> bytes:
    """The paragraphs not met before: licences repeat and would leak into validation."""
    kept = []
    for paragraph in document.split(b"\n\n"):
        key = hashlib.sha256(b" ".join(paragraph.split())).digest()
        if key not in seen:
            seen.add(key)
            kept.append(paragraph)
    return b"\n\n".join(kept)


def found_documents(limit: int) -> list[bytes]:
    seen: set[bytes] = set()
    documents: list[bytes] = []
    for file in found_files():
        try:
            raw = read_document(file)
        except (OSError, EOFError):
            continue  # unreadable or damaged: other files will do
        document = without_repeats(raw, seen)
        if len(document) >= SHORTEST_DOCUMENT and b"\0" not in document:
            documents.append(document)
    random.Random(0).shuffle(documents)
    ends = np.cumsum([len(document) for document in documents])
    return documents[: int(np.searchsorted(ends, limit)) + 1]


def named_documents(files: list[Path], limit: int) -> list[bytes]:
    """The given files, each cut into pieces of at most 64 KiB so that a share can be held out."""
    documents: list[bytes] = []
    for file in files:
        try:
            data = file.read_bytes()[:limit]
        except OSError as error:
            raise CommandError(EXIT_INPUT, f"cannot read {file}: {error.strerror}") from None
        size = max(1, min(65536, len(data) // 32))
        documents += [data[at : at + size] for at in range(0, len(data), size)]
        limit -= len(data)
    random.Random(0).shuffle(documents)
    return documents


def make_corpus(options: argparse.Namespace) -> Corpus:
    """Whole documents are held out, never parts of one that is trained on (with the found text)."""
    if options.text:
        documents = named_documents(options.text, options.text_bytes)
    else:
        documents = found_documents(options.text_bytes)
    wanted = options.validation_share * sum(map(len, documents))
    held_out, total = 0, 0
    while held_out < len(documents) and total < wanted:
        total += len(documents[held_out])
        held_out += 1
    validation, training = documents[:held_out], documents[held_out:]
    shortest = options.context + 2
    if total < shortest or sum(map(len, training)) < shortest:
        raise CommandError(
            EXIT_DATA,
            f"too little text: {sum(map(len, documents))} bytes give no window "
            f"of {shortest} bytes for both training and validation; use --text",
        )
    return Corpus(as_bytes(training), as_bytes(validation), len(documents))


def as_bytes(documents: list[bytes]) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(b"\n\n".join(documents), dtype=np.uint8).copy())


def write_atomically(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
