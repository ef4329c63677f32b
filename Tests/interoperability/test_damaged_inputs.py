"""Whole runs over damaged inputs: a seeded sample of the runs of Tests/Fuzzing/damage_runs.py.

A failure names case, seed and number, by which that command repeats it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from damage import Trial, Undisturbed, perform, same_document
from damaged_cases import CASES, Case, make_inputs

SEED, TRIALS = 2026, 6
RANKED = ("score", "score-shards", "score-journal", "prune-measured", "apply", "place", "verify")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_inputs(tmp_path_factory.mktemp("damaged") / "inputs")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_damage_is_refused_or_told(case: Case, inputs: Path, tmp_path: Path) -> None:
    undisturbed = Undisturbed.of(case, inputs, tmp_path / "undisturbed")
    trials = [Trial(case, SEED, number) for number in range(TRIALS)]
    if case.name in RANKED:
        trials.append(Trial(case, SEED, TRIALS, ranks=2))
    for trial in trials:
        perform(trial, inputs, undisturbed, tmp_path / f"run{trial.number}")
    faulty = [str(trial) for trial in trials if trial.faults]
    assert not faulty, "\n".join(faulty)
    # Damage that no run ever notices would be no test.
    assert any(trial.code for trial in trials) or case.inert


def test_documents_are_compared_by_value(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    left.write_text('{"a": [1, 0.5, null], "b": "x"}')
    for text, equal in (
        ('{ "b":"x", "a":[1.0,5e-1,null] }', True),
        ('{"a": [1, 0.5, null], "b": "x", "c": 1}', False),
        ('{"a": [true, 0.5, null], "b": "x"}', False),
        ('{"a": [1, 0.50001, null], "b": "x"}', False),
        ('{"a": [1, 0.5, null], "b": "x"', False),
    ):
        right.write_text(text)
        assert same_document(left, right) == equal, text
