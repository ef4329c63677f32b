"""Damage to one file of a run's inputs, and what the run may do then.

Never a signal, never silence, nothing half-written: it refuses with one line, or the output shows
by its fingerprints that the inputs were others, or it is the undisturbed output to the byte.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from apply_runs import Finished, folder_bytes, tool
from damaged_cases import OUTPUT, VERIFY, Case

REFUSALS = frozenset({64, 65, 66, 69, 73, 78})
LIMIT_SECONDS = 20
JOURNALS = shutil.ignore_patterns(f"{OUTPUT}.journal")
CHARACTERS = b'\x00\x01\n\r ",:.-+0123456789eE[]{}\\/ntfuaz\x7f\x80\xc3\xff'
WORDS = (b"null", b"1e999", b"-1", b"NaN", b"9223372036854775807", b"18446744073709551616", b"../")


def damage(bytes_: bytes, chance: random.Random, header_only: bool) -> tuple[bytes, str]:
    """The bytes after one or two small accidents, and what these were."""
    told = []
    for _ in range(chance.choice((1, 1, 1, 2))):
        bytes_, what = accident(bytes_, chance, header_only)
        told.append(what)
    return bytes_, ", ".join(told)


def accident(old: bytes, chance: random.Random, header_only: bool) -> tuple[bytes, str]:
    end = header_length(old) if header_only else len(old)
    at = chance.randrange(end) if end else 0
    count = min(chance.choice((1, 1, 2, 3, 8, 64)), end - at)
    kind = chance.choice(("bit", "byte", "digit", "insert", "word", "delete", "cut", "double"))
    if kind == "digit":
        digits = [n for n in range(end) if 48 <= old[n] <= 57]
        if digits:
            at = chance.choice(digits)
    if not old or kind == "insert":
        new = bytes(chance.choices(CHARACTERS, k=max(1, count)))
        return old[:at] + new + old[at:], f"inserted {new!r} at {at}"
    if kind == "bit":
        new = bytes([old[at] ^ 1 << chance.randrange(8)])
    elif kind == "byte":
        new = bytes([chance.choice(CHARACTERS)])
    elif kind == "digit":
        new = bytes([chance.randrange(48, 58)])
    elif kind == "word":
        new = chance.choice(WORDS)
        return old[:at] + new + old[at + count :], f"{new!r} over {count} at {at}"
    elif kind == "delete":
        return old[:at] + old[at + count :], f"deleted {count} at {at}"
    elif kind == "cut":
        return old[:at], f"cut at {at} of {len(old)}"
    else:
        return old[: at + count] + old[at:], f"doubled {count} at {at}"
    return old[:at] + new + old[at + 1 :], f"{old[at : at + 1]!r} became {new!r} at {at}"


def header_length(old: bytes) -> int:
    """Of a safetensors file the length and the JSON it begins with; of another file all."""
    length = int.from_bytes(old[:8], "little")
    return 8 + length if 0 < length <= len(old) - 8 else len(old)


@dataclass
class Trial:
    """One damaged run: by the same seed, case and number the same."""

    case: Case
    seed: int
    number: int
    ranks: int | None = None
    told: str = ""
    code: int = 0
    # What the run must not have done; empty where it behaved.
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ranks = "" if self.ranks is None else f", {self.ranks} ranks"
        own = f"{self.case.name} {self.seed}:{self.number}{ranks}: {self.told}, code {self.code}"
        return "\n  ".join([own, *self.faults])


@dataclass(frozen=True)
class Undisturbed:
    """What a case leaves and prints without damage."""

    folder: Path
    text: str

    @classmethod
    def of(cls, case: Case, inputs: Path, folder: Path) -> Undisturbed:
        shutil.copytree(inputs, folder, ignore=None if case.inert else JOURNALS)
        done = tool(*case.command, folder=folder)
        assert done.returncode == 0, f"{case.name}: {done.stderr}"
        return cls(folder, done.stdout)


def perform(trial: Trial, inputs: Path, undisturbed: Undisturbed, folder: Path) -> Trial:
    """Copies the inputs to a new folder, damages one, runs the command and judges it."""
    chance = random.Random(f"{trial.seed}:{trial.case.name}:{trial.number}")
    case = trial.case
    shutil.copytree(inputs, folder, ignore=None if case.inert else JOURNALS)
    root = folder / chance.choice(case.damaged)
    files = [root] if root.is_file() else sorted(f for f in root.rglob("*") if f.is_file())
    path = chance.choice(files)
    new, told = damage(path.read_bytes(), chance, header_only=chance.random() < 0.7)
    changed = new != path.read_bytes()
    path.write_bytes(new)
    trial.told = f"{path.relative_to(folder)}: {told}"
    before = names(folder)
    try:
        done = tool(*case.command, ranks=trial.ranks, folder=folder, timeout=LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        trial.faults.append(f"not done after {LIMIT_SECONDS} s")
        return trial
    trial.code = done.returncode
    if done.returncode == 0:
        judge_answer(trial, done, undisturbed, folder, path.relative_to(folder), changed)
    else:
        judge_refusal(trial, done, names(folder) - before)
    return trial


def names(folder: Path) -> set[str]:
    """All that lies in the folder but for journals, which stay after a refusal."""
    found = (str(path.relative_to(folder)) for path in folder.rglob("*"))
    return {name for name in found if ".journal" not in name and ".partial" not in name}


def judge_refusal(trial: Trial, done: Finished, left: set[str]) -> None:
    if done.returncode not in REFUSALS:
        trial.faults.append(f"ended with {done.returncode}: {done.stderr[-400:]}")
    lines = [line for line in done.stderr.splitlines() if line.startswith("layerbudget:")]
    if len(lines) != 1:
        trial.faults.append(f"{len(lines)} lines say why: {done.stderr[-400:]}")
    rest = [
        line
        for line in done.stderr.splitlines()
        if line and not line.startswith(("layerbudget:", "note:"))
    ]
    if rest and trial.ranks is None:
        trial.faults.append(f"more is printed: {rest[:3]}")
    if left:
        trial.faults.append(f"left behind: {sorted(left)}")


def judge_answer(
    trial: Trial, done: Finished, undisturbed: Undisturbed, folder: Path, path: Path, changed: bool
) -> None:
    case = trial.case
    if case.verifies:
        alike = same_document if len(case.arguments) > len(VERIFY) else same_answers
        if str(path) == "plan.json" and not alike(folder / path, undisturbed.folder / path):
            trial.faults.append("verified, though the plan was changed")
        return
    if case.output is None:
        return
    new, old = written(folder / case.output), written(undisturbed.folder / case.output)
    # Beside the tensors a checkpoint's files are copied as they are.
    if path.suffix == ".json":
        new, old = without(new, path.name), without(old, path.name)
    if new == old or not changed:
        if new != old:
            trial.faults.append("the same inputs gave another output")
    elif case.inert:
        trial.faults.append("a damaged journal changed the output")
    elif case.fingerprinted and fingerprints(new) == fingerprints(old):
        trial.faults.append("another output under the same fingerprints of the inputs")


def written(output: Path) -> dict[str, bytes]:
    return folder_bytes(output) if output.is_dir() else {output.name: output.read_bytes()}


def without(files: dict[str, bytes], name: str) -> dict[str, bytes]:
    """The files but one, which the sidecar of a written checkpoint does not mention either."""
    rest = {own: contents for own, contents in files.items() if own != name}
    if sidecar := rest.get("layerbudget-apply.json"):
        document = json.loads(sidecar)
        document["files"] = [own for own in document["files"] if own["name"] != name]
        rest["layerbudget-apply.json"] = json.dumps(document).encode()
    return rest


def fingerprints(files: dict[str, bytes]) -> list[object]:
    documents = [json.loads(own) for name, own in files.items() if name.endswith(".json")]
    return [own["inputs"] for own in documents if "inputs" in own]


def same_document(left: Path, right: Path) -> bool:
    """Whether both hold the same values; what is no JSON is another document."""
    try:
        one, two = (json.loads(path.read_bytes()) for path in (left, right))
    except ValueError:
        return False
    return same(one, two)


def same_answers(left: Path, right: Path) -> bool:
    """Whether two plans say the same of what a plan alone must prove: that it solves its program.

    Another program with the same answer is no fault: a bound that no unit is near, for example.
    """

    def answers(path: Path) -> list[object]:
        plan = json.loads(path.read_bytes())
        own = [plan.get(key) for key in ("price", "spent", "spent_integer", "certificate")]
        keys = ("continuous", "integer", "budget_sensitivity", "bound_worth")
        return own + [[unit.get(key) for key in keys] for unit in plan["units"]]

    return answers(left) == answers(right)


def same(one: object, two: object) -> bool:
    if isinstance(one, dict) and isinstance(two, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list) and isinstance(two, list):
        return len(one) == len(two) and all(map(same, one, two))
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(two, numbers) and bool not in {type(one), type(two)}:
        return one == two and math.copysign(1, one) == math.copysign(1, two)
    return one == two and type(one) is type(two)
