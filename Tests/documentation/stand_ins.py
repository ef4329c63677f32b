"""Files and folders that shown commands name and that a reader would bring along, made small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tool_runs import REPOSITORY

LAYERS, EXPERTS, WIDTH = 2, 3, 4


def prepare(folder: Path) -> None:
    """Puts them into a folder that has `docs`."""
    licence = (REPOSITORY / "LICENSE").read_text("utf-8")
    for name in ("calibration", "validation", "new_domain", "own"):
        (folder / f"{name}.txt").write_text(licence)
    (folder / "held-out.txt").write_text(licence[-3000:])
    # Manual pages, which begin with .TH.
    paragraphs = licence.split("\n\n")
    pages = [f".TH PAGE{number}\n{text}\n" for number, text in enumerate(paragraphs)]
    (folder / "manuals.txt").write_text("".join(pages))

    example = folder / "docs" / "example"
    for name in ("MODEL", "MODEL_FOLDER"):
        (folder / name).symlink_to(example / "model")
    statistics = example / "statistics.safetensors"
    (folder / "stats").symlink_to(statistics)
    (folder / "statistics_0.safetensors").symlink_to(statistics)
    (folder / "FOLDER").mkdir()
    for text in ("own", "manuals", "german"):
        for seed in (0, 1):
            (folder / "FOLDER" / f"{text}_{seed}.safetensors").symlink_to(statistics)

    (folder / "hosts").write_text("localhost slots=2\n")
    (folder / "mixtral").mkdir()
    save_file(experts(), folder / "mixtral" / "statistics.safetensors", {"num_samples": "8"})
    # Weights and the one covariance of all of them, as docs/performance/torch_apply.py takes them.
    (folder / "model").mkdir()
    weights = np.arange(WIDTH * WIDTH, dtype=np.float32).reshape(WIDTH, WIDTH)
    save_file({"a.weight": weights}, folder / "model" / "model.safetensors")
    save_file(
        {"a.activation_covariance": np.eye(WIDTH, dtype=np.float32)}, folder / "s.safetensors"
    )


def experts() -> dict[str, np.ndarray]:
    """Statistics of experts that saw different numbers of tokens."""
    drawn = np.random.default_rng(0)
    tensors: dict[str, np.ndarray] = {}
    for layer in range(LAYERS):
        for expert in range(EXPERTS):
            module = f"model.layers.{layer}.mlp.experts.{expert}.down_proj"
            gradient = drawn.standard_normal((WIDTH, WIDTH)).astype(np.float32)
            tensors[f"{module}.gradient"] = gradient
            for name in ("activation_covariance", "gradient_covariance"):
                tensors[f"{module}.{name}"] = np.eye(WIDTH, dtype=np.float32)
            tensors[f"{module}.num_samples"] = np.array([8])
            tensors[f"{module}.num_tokens"] = np.array([64 * (expert + 1)])
    return tensors
