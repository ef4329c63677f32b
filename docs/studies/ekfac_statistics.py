"""EK-FAC statistics of a model by kronfluence, with the mean gradients that it does not store.

    python docs/studies/ekfac_statistics.py --model MODEL --text calibration.txt -o FOLDER

The sequences are those that the collector chooses with the same seed. Prints the folder to be
given to `layerbudget --statistics`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from kind_data import chosen_sequences, fit_kronfluence
from study_tools import THREADS, collect


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True, help="calibration text")
    parser.add_argument("--sequences", type=int, default=256)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    text, count, seed = options.text, options.sequences, options.seed
    sequences = chosen_sequences(options.model, text, count, seed)
    factors = fit_kronfluence(options.model, sequences, options.output)
    collect(options.model, text, ("--from-kronfluence", factors), count, None, seed)
    print(factors)


if __name__ == "__main__":
    main()
