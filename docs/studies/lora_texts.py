"""Deal a text's manual pages out to three files: for calibration, for training, held out.

    python docs/studies/lora_texts.py manuals.txt -o SCRATCH/lora

A page goes whole, in the order of the text, to the file that is furthest below its share of all
bytes so far. A page begins with its header, `.TH` or `.Dd`; what stands before one goes with the
page before it.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

SHARES = {"calibration": 0.2, "training": 0.6, "held-out": 0.2}
HEADER = re.compile(rb"^\.(?:TH|Dd)\s", re.MULTILINE)


def pages_of(text: bytes) -> list[bytes]:
    starts = [found.start() for found in HEADER.finditer(text)]
    edges = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]


def dealt(pages: list[bytes], shares: dict[str, float]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {name: [] for name in shares}
    sizes = dict.fromkeys(shares, 0)
    for page in pages:
        name = min(shares, key=lambda one: (sizes[one] + len(page) / 2) / shares[one])
        found[name].append(page)
        sizes[name] += len(page)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    pages = pages_of(options.text.read_bytes())
    options.output.mkdir(parents=True, exist_ok=True)
    for name, own in dealt(pages, SHARES).items():
        (options.output / f"{name}.txt").write_bytes(b"".join(own))
        print(f"{name}: {len(own)} pages, {sum(map(len, own))} bytes")


if __name__ == "__main__":
    main()
