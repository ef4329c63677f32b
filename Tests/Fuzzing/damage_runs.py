#!/usr/bin/env python3
"""Damages inputs of whole runs for some time, and prints what was run and what went wrong.

    python Tests/Fuzzing/damage_runs.py SECONDS [--seed N] [--case NAME] [--ranked SHARE]
    python Tests/Fuzzing/damage_runs.py --seed N --case NAME --number N --keep FOLDER

The second form repeats one run and leaves its folder. LAYERBUDGET names the command (default: the
debug build). Needs the packages of Tests/interoperability. Ends with 1 where a run misbehaved.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interoperability"))

from damage import Trial, Undisturbed, perform  # noqa: E402
from damaged_cases import CASES, Case, make_inputs  # noqa: E402


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES])
    parser.add_argument("--number", type=int, help="repeat this run only")
    parser.add_argument("--ranked", type=float, default=0.05, help="share of runs on 2 ranks")
    parser.add_argument("--keep", type=Path, help="a new folder for what a repeated run leaves")
    return parser.parse_args()


def main() -> int:
    own = arguments()
    cases = [case for case in CASES if own.case is None or case.name in own.case]
    with tempfile.TemporaryDirectory(prefix="damage-") as made:
        base = Path(made)
        inputs = make_inputs(base / "inputs")
        wanted = {case.name: Undisturbed.of(case, inputs, base / case.name) for case in cases}
        if own.number is not None:
            return repeat(own, cases, inputs, wanted, base)
        return campaign(own, cases, inputs, wanted, base)


def repeat(
    own: argparse.Namespace,
    cases: list[Case],
    inputs: Path,
    wanted: dict[str, Undisturbed],
    base: Path,
) -> int:
    faults = 0
    for case in cases:
        folder = (own.keep or base) / f"{case.name}-{own.number}"
        trial = Trial(case, own.seed, own.number, ranks_of(own, case, own.number))
        trial = perform(trial, inputs, wanted[case.name], folder)
        print(trial)
        faults += bool(trial.faults)
    return min(faults, 1)


def campaign(
    own: argparse.Namespace,
    cases: list[Case],
    inputs: Path,
    wanted: dict[str, Undisturbed],
    base: Path,
) -> int:
    """Every case in turn, until the time is over."""
    codes: dict[str, Counter[int]] = {case.name: Counter() for case in cases}
    start, number, faults, ranked = time.monotonic(), 0, 0, 0
    while time.monotonic() - start < own.seconds:
        for case in cases:
            with tempfile.TemporaryDirectory(dir=base) as folder:
                trial = Trial(case, own.seed, number, ranks_of(own, case, number))
                perform(trial, inputs, wanted[case.name], Path(folder) / "run")
            codes[case.name][trial.code] += 1
            ranked += trial.ranks is not None
            if trial.faults:
                faults += 1
                print(trial, flush=True)
        number += 1
    for name, counted in codes.items():
        told = ", ".join(f"{count} with {code}" for code, count in sorted(counted.items()))
        print(f"{name}: {told}")
    total = sum(sum(counted.values()) for counted in codes.values())
    refused = total - sum(counted[0] for counted in codes.values())
    seconds = time.monotonic() - start
    print(
        f"{total} runs ({ranked} on 2 ranks) in {seconds:.0f} s, seed {own.seed}: "
        f"{refused} refused, {total - refused} answered, {faults} misbehaved"
    )
    return 1 if faults else 0


def ranks_of(own: argparse.Namespace, case: Case, number: int) -> int | None:
    """The same for the same seed, case and number."""
    chance = random.Random(f"{own.seed}:{case.name}:{number}:ranks")
    return 2 if chance.random() < own.ranked else None


if __name__ == "__main__":
    sys.exit(main())
