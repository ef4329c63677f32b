"""Checkpoints as they are published: types, shards, other files, and models that load again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from apply_models import matrices, plan_blocks, small_llama
from apply_reference import Reference, same_bits
from apply_runs import (
    SIDECAR,
    Tensors,
    applied,
    folder_bytes,
    header,
    outputs_of,
    random_covariance,
    read_checkpoint,
    stored_bytes,
    unit,
    write_checkpoint,
    write_plan,
    write_statistics,
    zeros,
)
from safetensors.torch import save_file
from torch import nn
from transformers import AutoModelForCausalLM, LlamaModel
from xxhash64 import xxh64

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
IDS = torch.arange(40).reshape(2, 20) * 5 % 256


def units_of(plan: Path) -> list[dict]:
    return json.loads(plan.read_text())["units"]


def expected(folder: Path, plan: Path, method: str = "magnitude", **options: object) -> Tensors:
    return Reference(method, **options).checkpoint(read_checkpoint(folder), units_of(plan))


def check_bits(output: Path, wanted: Tensors) -> None:
    found = read_checkpoint(output)
    assert set(found) == set(wanted)
    for name, tensor in wanted.items():
        assert same_bits(found[name], tensor), name


def logits(model: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=IDS).logits


def loaded(folder: Path) -> nn.Module:
    return AutoModelForCausalLM.from_pretrained(folder, dtype="auto")


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_keeps_its_bits_where_nothing_is_removed(tmp_path: Path, kind: str) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().to(TYPES[kind]).save_pretrained(folder)
    plan = plan_blocks(folder, tmp_path / "plan.json")
    names, generator = list(matrices(folder)), np.random.default_rng(31)
    before = read_checkpoint(folder)
    a = {n: random_covariance(generator, before[f"{n}.weight"].shape[1]) for n in names}
    statistics = write_statistics(tmp_path / "s.safetensors", a, outputs_of(before))
    applied(plan, folder, output, "--statistics", statistics)
    check_bits(output, expected(folder, plan, "wanda", covariances=a))
    assert header(output / "model.safetensors") == header(folder / "model.safetensors")
    assert read_checkpoint(output)["lm_head.weight"].dtype == TYPES[kind]


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_sparsegpt_is_rounded_once_to_the_stored_type(tmp_path: Path, kind: str) -> None:
    generator = np.random.default_rng(32)
    weight = torch.tensor(generator.normal(size=(20, 150)), dtype=TYPES[kind])
    folder = write_checkpoint(tmp_path / "model", {"m.weight": weight})
    plan = write_plan(tmp_path / "plan.json", [unit("m", 1500, 3000, ["m"])])
    a = {"m": random_covariance(generator, 150)}
    statistics = write_statistics(tmp_path / "s.safetensors", a, {"m": 20})
    options = ("--method", "sparsegpt", "--precision", "double", "--statistics", statistics)
    applied(plan, folder, tmp_path / "out", *options)
    found = read_checkpoint(tmp_path / "out")["m.weight"]
    wanted = expected(folder, plan, "sparsegpt", covariances=a)["m.weight"]
    assert zeros(found) == 1500 and torch.equal(found == 0, wanted == 0)
    # A value a hair beside the middle of two may go either way.
    assert float((found != wanted).float().mean()) < 1e-3
    torch.testing.assert_close(found, wanted, rtol=2**-7, atol=0)


def test_subnormal_and_huge_weights_are_ranked_as_they_are(tmp_path: Path) -> None:
    values = torch.tensor([[6e-8, -3e-5, 65504, -6e-8], [1e-7, 2.0, -65504, 1.0]])
    folder = write_checkpoint(tmp_path / "model", {"m.weight": values.half()})
    plan = write_plan(tmp_path / "plan.json", [unit("m", 4, 8, ["m"])])
    applied(plan, folder, tmp_path / "out")
    check_bits(tmp_path / "out", expected(folder, plan))


def add_other_files(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """What is copied, and the names of what is left out."""
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "README.md").write_text("a model\n")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "modeling_own.py").write_text("print()\n")
    left_out = [f"weights.{end}" for end in ("bin", "pth", "gguf", "h5", "msgpack", "onnx", "pt")]
    for name in left_out:
        (folder / name).write_bytes(b"weights in another format")
    copied = {
        name: contents
        for name, contents in folder_bytes(folder).items()
        if name not in left_out and not name.endswith(".safetensors")
    }
    return copied, left_out


@pytest.mark.parametrize("shards", ["one", "many"])
def test_files_headers_and_index_are_kept(tmp_path: Path, shards: str) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder, max_shard_size="9KB" if shards == "many" else "1GB")
    assert (len(list(folder.glob("*.safetensors"))) > 3) == (shards == "many")
    copied, left_out = add_other_files(folder)
    before = folder_bytes(folder)
    plan = plan_blocks(folder, tmp_path / "plan.json")
    sidecar = applied(plan, folder, output)
    after = folder_bytes(output)
    assert set(after) == set(before) - set(left_out) | {SIDECAR}
    assert {name: after[name] for name in copied} == copied
    assert any(f"{len(left_out)} files" in note for note in sidecar["notes"])
    assert any("weights.bin" in note for note in sidecar["notes"])
    described = {own["name"]: (own["bytes"], own["contents"]) for own in sidecar["files"]}
    assert described == {name: (len(text), xxh64(text)) for name, text in copied.items()}
    for file in folder.glob("*.safetensors"):
        assert header(output / file.name) == header(file)
        assert len(after[file.name]) == len(before[file.name])
    check_bits(output, expected(folder, plan))
    assert folder_bytes(folder) == before


@pytest.mark.parametrize("max_shard_size", ["9KB", "1GB"])
def test_it_loads_and_gives_the_logits_of_the_masked_model(
    tmp_path: Path, max_shard_size: str
) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder, max_shard_size=max_shard_size)
    plan = plan_blocks(folder, tmp_path / "plan.json", 0.6)
    applied(plan, folder, output)
    model, wanted = loaded(folder), expected(folder, plan)
    dense = logits(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.mul_(wanted[name] != 0)
    assert torch.equal(logits(loaded(output)), logits(model))
    assert not torch.allclose(logits(model), dense, atol=1e-2)


def test_the_order_of_tensors_in_a_file_does_not_matter(tmp_path: Path) -> None:
    """Bytes that no header names in order: tensors of mixed types, written as they come."""
    generator = torch.Generator().manual_seed(33)
    tensors = {
        "z.weight": torch.randn(8, 6, generator=generator),
        "a.weight": torch.randn(8, 6, generator=generator).bfloat16(),
        "m.count": torch.arange(5),
        "b.weight": torch.randn(4, 10, generator=generator).half(),
        "empty": torch.zeros(0, 4),
        "scalar": torch.tensor(2.5),
    }
    folder = write_checkpoint(tmp_path / "model", tensors)
    units = [unit(name, 20, len(tensors[f"{name}.weight"].flatten()), [name]) for name in "zab"]
    plan = write_plan(tmp_path / "plan.json", units)
    applied(plan, folder, tmp_path / "out")
    check_bits(tmp_path / "out", expected(folder, plan))
    assert header(folder / "model.safetensors") == header(tmp_path / "out/model.safetensors")


def test_another_copy_beside_an_indexed_checkpoint_does_not_come_along(tmp_path: Path) -> None:
    """Mistral's consolidated.safetensors has the same weights, dense, under other names."""
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder, max_shard_size="9KB")
    other = {"layers.0.attention.wq.weight": torch.randn(16, 16)}
    save_file(other, folder / "consolidated.safetensors")
    plan = plan_blocks(folder, tmp_path / "plan.json")
    sidecar = applied(plan, folder, output)
    check_bits(output, expected(folder, plan))
    assert not (output / "consolidated.safetensors").exists()
    assert any("consolidated.safetensors" in note for note in sidecar["notes"])


def test_a_tied_head_is_the_input_embedding_once(tmp_path: Path) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama(tied=True).save_pretrained(folder)
    before = read_checkpoint(folder)
    assert "lm_head.weight" not in before
    generator = np.random.default_rng(34)
    a = {"lm_head": random_covariance(generator, 16)}
    statistics = write_statistics(tmp_path / "s.safetensors", a, {"lm_head": 256})
    plan = write_plan(tmp_path / "plan.json", [unit("lm_head", 1500, 4096, ["lm_head"])])
    sidecar = applied(plan, folder, output, "--statistics", statistics)
    renamed = before | {"lm_head.weight": before["model.embed_tokens.weight"]}
    wanted = Reference("wanda", covariances=a).checkpoint(renamed, units_of(plan))
    found = read_checkpoint(output)
    assert same_bits(found["model.embed_tokens.weight"], wanted["lm_head.weight"])
    assert sidecar["modules"][0]["tensors"] == ["model.embed_tokens.weight"]
    model = loaded(output)
    assert zeros(model.lm_head.weight) == zeros(model.model.embed_tokens.weight) == 1500


def test_an_untied_head_leaves_the_embedding_alone(tmp_path: Path) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder)
    plan = write_plan(tmp_path / "plan.json", [unit("lm_head", 1500, 4096, ["lm_head"])])
    applied(plan, folder, output)
    check_bits(output, expected(folder, plan))
    assert zeros(read_checkpoint(output)["model.embed_tokens.weight"]) == 0


def test_an_embedding_is_pruned_as_the_statistics_see_it(tmp_path: Path) -> None:
    """Its inputs are the tokens, its A the diagonal of their frequencies."""
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder)
    before, name = read_checkpoint(folder), "model.embed_tokens"
    frequencies = np.random.default_rng(35).uniform(0, 1, 256)
    a = {name: frequencies}
    statistics = write_statistics(tmp_path / "s.safetensors", a, {name: 16})
    plan = write_plan(tmp_path / "plan.json", [unit(name, 2000, 4096, [name])])
    applied(plan, folder, output, "--statistics", statistics)
    key = f"{name}.weight"
    turned = before | {key: before[key].T.contiguous()}
    wanted = Reference("wanda", covariances=a)
    assert same_bits(read_checkpoint(output)[key], wanted.checkpoint(turned, units_of(plan))[key].T)


def test_a_diagonal_covariance_serves_wanda(tmp_path: Path) -> None:
    generator = np.random.default_rng(36)
    weight = torch.tensor(generator.normal(size=(9, 14)), dtype=torch.float32)
    folder = write_checkpoint(tmp_path / "model", {"m.weight": weight})
    a = {"m": generator.uniform(1, 3, 14)}
    statistics = write_statistics(tmp_path / "s.safetensors", a, {"m": 9})
    plan = write_plan(tmp_path / "plan.json", [unit("m", 60, 126, ["m"])])
    applied(plan, folder, tmp_path / "out", "--statistics", statistics)
    found = read_checkpoint(tmp_path / "out")["m.weight"]
    assert torch.equal(found, expected(folder, plan, "wanda", covariances=a)["m.weight"])


@pytest.mark.parametrize("stored", ["with model.", "without"])
def test_a_leading_part_of_the_names_may_be_missing(tmp_path: Path, stored: str) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder)
    names = matrices(folder)
    if stored == "without":
        LlamaModel.from_pretrained(folder).save_pretrained(folder)
        assert "layers.0.mlp.up_proj.weight" in read_checkpoint(folder)
    else:
        names = {name.removeprefix("model."): size for name, size in names.items()}
    size = sum(names.values())
    plan = write_plan(tmp_path / "plan.json", [unit("all", size // 2, size, list(names))])
    sidecar = applied(plan, folder, output)
    found = read_checkpoint(output)
    assert sum(map(zeros, found.values())) == size // 2 == sidecar["zeros"]
    assert [own["name"] for own in sidecar["modules"]] == list(names)


def test_units_of_another_method_are_modules_or_blocks(tmp_path: Path) -> None:
    """Names and sizes alone, as a CSV of scores gives them."""
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama(layers=11).save_pretrained(folder)
    sizes = matrices(folder)
    inside = [n for n in sizes if n.startswith("model.layers.1.")]
    block = sum(sizes[name] for name in inside)
    module = "model.layers.10.mlp.up_proj"
    units = [unit("model.layers.1", 500, block), unit(module, 50, sizes[module])]
    plan = write_plan(tmp_path / "plan.json", units)
    sidecar = applied(plan, folder, output)
    assert {own["name"] for own in sidecar["modules"]} == {module, *inside}
    found, before = read_checkpoint(output), read_checkpoint(folder)
    assert sum(zeros(found[f"{name}.weight"]) for name in inside) == 500
    assert zeros(found[f"{module}.weight"]) == 50
    for name, tensor in before.items():
        if name.removesuffix(".weight") not in {module, *inside}:
            assert torch.equal(found[name], tensor), name


def test_an_empty_folder_is_a_target_and_links_are_followed(tmp_path: Path) -> None:
    """Folders of a download cache hold links into a store."""
    folder, store, output = tmp_path / "model", tmp_path / "store", tmp_path / "out"
    small_llama().save_pretrained(store)
    folder.mkdir()
    for file in store.iterdir():
        (folder / file.name).symlink_to(file)
    output.mkdir()
    before = folder_bytes(store)
    plan = plan_blocks(folder, tmp_path / "plan.json")
    applied(plan, folder, output)
    check_bits(output, expected(folder, plan))
    assert not any(file.is_symlink() for file in output.iterdir())
    assert folder_bytes(store) == before


def test_plans_without_zeros_copy_the_checkpoint(tmp_path: Path) -> None:
    folder, output = tmp_path / "model", tmp_path / "out"
    small_llama().save_pretrained(folder, max_shard_size="9KB")
    plan = plan_blocks(folder, tmp_path / "plan.json", 0)
    applied(plan, folder, output)
    for file in folder.glob("*.safetensors"):
        assert stored_bytes(output / file.name) == stored_bytes(file)
        assert (output / file.name).read_bytes() == file.read_bytes()
