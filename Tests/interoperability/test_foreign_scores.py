"""Scores as NumPy, json and Python's printing write them give the plan that a CSV table gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from apply_runs import Finished, tool

DATA, USAGE = 65, 64
# Layer 10 and 11 stand before layer 2 in the alphabet.
VALUES = [0.1 + 0.37 * ((5 * n) % 12) for n in range(12)]
NAMES = [f"model.layers.{n}" for n in range(12)]


def allocate(scores: Path, *options: object, ranks: int | None = None) -> Finished:
    arguments = ("--budget", 40, "--integer", "-o", scores.parent / "plan.json", "--quiet")
    return tool("allocate", "--scores", scores, *arguments, *options, ranks=ranks)


def units(scores: Path, *options: object, ranks: int | None = None) -> list[dict]:
    done = allocate(scores, *options, ranks=ranks)
    assert done.returncode == 0, done.stderr
    return json.loads((scores.parent / "plan.json").read_text())["units"]


def plan(scores: Path) -> dict:
    return json.loads((scores.parent / "plan.json").read_text())


def refused(scores: Path, *options: object) -> str:
    done = allocate(scores, *options)
    assert done.returncode == DATA, done.stderr
    assert str(scores) in done.stderr
    return done.stderr


@pytest.fixture
def expected(tmp_path: Path) -> list[dict]:
    table = tmp_path / "table.csv"
    rows = [f"{name},{value!r}\n" for name, value in zip(NAMES, VALUES, strict=True)]
    table.write_text("name,gain\n" + "".join(reversed(rows)))
    return units(table)


def save_versions(folder: Path, values: np.ndarray) -> list[Path]:
    """The same row in every version of the format that NumPy writes."""
    files = []
    for version in ((1, 0), (2, 0), (3, 0)):
        path = folder / f"scores{version[0]}.npy"
        with path.open("wb") as opened:
            np.lib.format.write_array(opened, values, version=version)
        files.append(path)
    return files


def test_values_without_names_are_layers_in_their_order(
    tmp_path: Path, expected: list[dict]
) -> None:
    files = save_versions(tmp_path, np.array(VALUES))
    files += [tmp_path / name for name in ("big.npy", "list.json", "printed.txt", "lines.txt")]
    np.save(files[3], np.array(VALUES).astype(">f8"))
    files[4].write_text(json.dumps(VALUES, indent=1))
    files[5].write_text(str(VALUES))
    np.savetxt(files[6], VALUES, fmt="%.17g")
    for file in files:
        for ranks in (None, 3):
            assert units(file, ranks=ranks) == expected, file
        assert any("name no units" in note for note in plan(file)["notes"])
        assert str(tmp_path) not in json.dumps(plan(file))
    inspected = tool("inspect", files[0])
    assert inspected.returncode == 0, inspected.stderr
    assert "scores of 12 units" in inspected.stdout


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<i4", ">i4", "<i8", ">i8"])
def test_other_types_hold_the_same_numbers(tmp_path: Path, kind: str) -> None:
    whole = np.array([7, 3, 1 << 20, 0]).astype(kind)
    path = tmp_path / "scores.npy"
    np.save(path, whole)
    assert [own["gain"] for own in units(path)] == whole.tolist()
    # Neither order nor the shape of a row changes what it holds.
    np.save(path, np.asfortranarray(whole)[::-1])
    assert [own["gain"] for own in units(path)] == whole.tolist()[::-1]


def test_names_come_with_the_values_or_beside_them(tmp_path: Path, expected: list[dict]) -> None:
    pairs = dict(zip(NAMES, VALUES, strict=True))
    by_name, records = tmp_path / "object.json", tmp_path / "records.json"
    by_name.write_text(json.dumps(dict(reversed(pairs.items()))))
    records.write_text(json.dumps([{"name": n, "gain": v} for n, v in pairs.items()]))
    assert units(by_name) == expected
    assert plan(by_name)["notes"] == []
    assert units(records) == expected

    row, names = tmp_path / "row.npy", tmp_path / "names.txt"
    np.save(row, np.array(VALUES)[::-1])
    names.write_text("\n".join(reversed(NAMES)))
    assert units(row, "--score-names", names) == expected
    assert plan(row)["notes"] == []
    assert set(plan(row)["inputs"]) == {"scores", "score_names"}
    names.write_text("\n".join(NAMES[1:]))
    assert "12 values" in refused(row, "--score-names", names)
    names.write_text("\n".join([NAMES[0], *NAMES[:-1]]))
    assert "twice" in refused(row, "--score-names", names)
    assert "--score-names" in refused(by_name, "--score-names", names)


def test_a_higher_score_is_more_worth_keeping(tmp_path: Path) -> None:
    """Pruning needs sizes, which come with the names; a larger value then loses fewer weights."""
    row, names = tmp_path / "row.npy", tmp_path / "names.csv"
    np.save(row, np.array([1.0, 2.0, 4.0]))
    arguments = ("prune", "--scores", row, "--sparsity", 0.5, "-o", tmp_path / "plan.json")
    done = tool(*arguments)
    assert done.returncode == DATA
    assert "parameters" in done.stderr
    names.write_text("name,parameters\na,1000\nb,1000\nc,1000\n")
    done = tool(*arguments, "--score-names", names)
    assert done.returncode == 0, done.stderr
    removed = [own["integer"] for own in plan(row)["units"]]
    assert sum(removed) == 1500
    assert removed[0] > removed[1] > removed[2]


def test_what_is_no_row_of_scores_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.npy"
    for array, hint in (
        (np.ones((3, 4)), "(3, 4)"),
        (np.float64(3), "()"),
        (np.ones(3, dtype=complex), "<c16"),
        (np.ones(3, dtype=np.float16), "<f2"),
        (np.ones(3, dtype=bool), "|b1"),
        (np.array(["a"]), "<U1"),
        (np.array([{}], dtype=object), "|O"),
        (np.array([1, np.nan]), "nan"),
        (np.array([1, np.inf]), "inf"),
        (np.array([1, -0.5]), "-0.5"),
        (np.array([]), "no unit"),
    ):
        np.save(path, array, allow_pickle=True)
        assert hint in refused(path), array
    np.save(path, np.ones(3))
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole + b"\0", whole[:20], whole[:8], b"\x93NUMPY\x09" + whole[7:]):
        path.write_bytes(spoilt)
        refused(path)
    for text, hint in (
        ("[1, NaN]", "nan"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"units": [{"name": "a", "gain": 1}]}', "format"),
        (str([np.float64(1)]), "expected a number"),
        (str(np.array([1.0, 2.0])), "expected a comma"),
    ):
        file = tmp_path / "scores.json"
        file.write_text(text)
        assert hint in refused(file), text
    done = tool("allocate", "--statistics", path, "--score-names", path, "--budget", 1, "-o", path)
    assert done.returncode == USAGE
