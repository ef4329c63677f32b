"""Write the two calibration texts of the studies, both from files found on this machine.

The training domain is the held-out text of the example, made by the code that made it. The new
domain is German and French: manual pages as they are stored, comments, repeated lines and pages
that were never translated left out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import sys
from pathlib import Path

LAUNCH = Path(__file__).resolve().parents[2] / "launch"
CONTEXT, TEXT_BYTES, VALIDATION_SHARE = 256, 24_000_000, 0.05  # the defaults of train_example.py
LANGUAGES = ("de", "fr")
THEIR_LETTERS = frozenset("äöüßÄÖÜéèêàçùôîâûëïÉÈÊÀ")
LEAST_SHARE = 0.008  # of the letters of a page; a page in English has next to none
SHORTEST_LINE = 20  # bytes; shorter ones, mostly markup, may repeat


def training_domain() -> bytes:
    """The validation split of `train_example.py` with its defaults."""
    sys.path.insert(0, str(LAUNCH))
    from example_training.corpus import make_corpus

    options = argparse.Namespace(
        text=None, text_bytes=TEXT_BYTES, validation_share=VALIDATION_SHARE, context=CONTEXT
    )
    corpus = make_corpus(options)
    print(
        f"training domain: {corpus.documents} documents, {len(corpus.training)} bytes trained on, "
        f"{len(corpus.validation)} held out"
    )
    return corpus.validation.numpy().tobytes()


def is_translated(page: str) -> bool:
    letters = sum(map(str.isalpha, page))
    return letters > 0 and sum(map(THEIR_LETTERS.__contains__, page)) > LEAST_SHARE * letters


def without_repeats(page: str, seen: set[str]) -> str:
    """The lines that are no comment, and no longer line that was met before."""
    kept = []
    for line in page.splitlines():
        is_long = len(line.encode()) >= SHORTEST_LINE
        if line.startswith(('.\\"', "'\\\"")) or (is_long and line in seen):
            continue
        seen.add(line)
        kept.append(line)
    return "\n".join(kept)


def new_domain() -> bytes:
    seen: set[str] = set()
    pages = []
    folders = (Path("/usr/share/man") / language for language in LANGUAGES)
    for file in (file for folder in folders for file in sorted(folder.glob("man*/*.gz"))):
        page = gzip.decompress(file.read_bytes()).decode("utf-8", errors="replace")
        if not file.is_symlink() and is_translated(page):
            pages.append(without_repeats(page, seen))
    text = "\n".join(pages).encode()
    print(f"new domain: {len(pages)} pages, {len(text)} bytes")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="gets training.txt and manuals.txt")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("training", training_domain()), ("manuals", new_domain())):
        (folder / f"{name}.txt").write_bytes(text)
        print(f"{name}.txt: sha256 {hashlib.sha256(text).hexdigest()}")


if __name__ == "__main__":
    main()
