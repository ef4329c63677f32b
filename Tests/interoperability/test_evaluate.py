"""`evaluate.py` against plain torch, on the example and on a tiny model with a tokenizer."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import pytest
import torch
from collector_models import save_llama
from collector_reference import causal_loss, windows, write_bytes
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "docs" / "example" / "model"
sys.path.insert(0, str(REPOSITORY / "launch"))

import evaluate  # noqa: E402
from pruning_comparison.held_out_loss import choose_windows  # noqa: E402

Capture = pytest.CaptureFixture[str]


def run(capture: Capture, *arguments: object) -> dict[str, object]:
    code = evaluate.main([*map(str, arguments), "--threads", "1", "--json"])
    printed = capture.readouterr()
    assert code == 0, printed.err
    return json.loads(printed.out)


def test_loss_of_the_example_equals_plain_torch(tmp_path: Path, capsys: Capture) -> None:
    length, count = 40, 5
    text = write_bytes(tmp_path / "text.txt", length * count + 1)
    model = AutoModelForCausalLM.from_pretrained(EXAMPLE, dtype=torch.float32).eval()
    with torch.no_grad():
        each = [float(causal_loss(model, one)) / length for one in windows(text, length, count)]
    found = run(capsys, EXAMPLE, "--text", text, "--length", length, "--batch-size", 2)
    mean = sum(each) / count
    spread = math.sqrt(sum((one - mean) ** 2 for one in each) / (count - 1))
    assert found["loss"] == pytest.approx(mean, rel=1e-5)
    assert found["perplexity"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert found["standard_error"] == pytest.approx(spread / math.sqrt(count), rel=1e-4)
    assert (found["windows"], found["tokens"]) == (count, count * length)
    assert "raw bytes" in str(found["encoder"])


def test_the_folders_own_tokenizer_is_used(tmp_path: Path, capsys: Capture) -> None:
    """Two letters per token, so that bytes would give other windows."""
    folder = save_llama(tmp_path / "model", vocabulary=20)
    words = {
        f"{first}{second}": 4 * i + j
        for i, first in enumerate("abcd")
        for j, second in enumerate("wxyz")
    } | {"?": 16}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="?").save_pretrained(folder)
    text = tmp_path / "text.txt"
    text.write_text("aw bx cy dz az by cx dw aw aw bx bx cy")
    tokens = torch.tensor([words[word] for word in text.read_text().split()])
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        each = [float(causal_loss(model, tokens[i : i + 5])) / 4 for i in (0, 4, 8)]
    found = run(capsys, folder, "--text", text, "--length", 4)
    assert found["loss"] == pytest.approx(sum(each) / 3, rel=1e-5)
    assert found["windows"] == 3 and "tokenizer" in str(found["encoder"])


def starts(found: torch.Tensor) -> list[int]:
    return found[:, 0].tolist()


def test_windows_spread_evenly_reach_both_ends_and_do_not_overlap() -> None:
    tokens = torch.arange(103)
    found = starts(choose_windows(tokens, 10, 7, None))
    assert found[0] == 0 and found[-1] == 92 and len(found) == 7
    assert min(b - a for a, b in zip(found, found[1:], strict=False)) >= 10


def test_windows_drawn_by_seed_are_repeatable_and_do_not_overlap() -> None:
    tokens = torch.arange(1003)
    first, again, other = (starts(choose_windows(tokens, 10, 30, seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 30 and all(start % 10 == 0 for start in first)


def test_a_text_gives_no_more_windows_than_it_has() -> None:
    assert starts(choose_windows(torch.arange(31), 10, 99, 0)) == [0, 10, 20]
    assert starts(choose_windows(torch.arange(31), 10, 99, None)) == [0, 10, 20]


@pytest.mark.parametrize(
    ("code", "told", "arguments"),
    [
        (66, "is not a folder", ("none", "--text", __file__)),
        (66, "is not a file", (EXAMPLE, "--text", "none")),
        (65, "too few for one window", (EXAMPLE, "--text", __file__, "--length", 10**6)),
        (64, "--length 300 is more than", (EXAMPLE, "--text", __file__, "--length", 300)),
        (64, "required: --text", (EXAMPLE,)),
    ],
)
def test_failures_take_one_line(
    capsys: Capture, code: int, told: str, arguments: tuple[object, ...]
) -> None:
    assert evaluate.main([*map(str, arguments)]) == code
    printed = capsys.readouterr().err
    assert told in printed and printed.count("\n") == 1
