"""`--from-kronfluence` on folders that kronfluence itself wrote, against autograd."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from collector_models import save_llama
from collector_reference import (
    Tensors,
    causal_loss,
    collect,
    collected,
    each_gradient,
    read,
    windows,
    write_bytes,
)
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional
from transformers import LlamaForCausalLM

# launch/requirements-kronfluence.txt says how to install it.
pytest.importorskip("kronfluence")

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 3)
ATTENTION = [f"model.layers.0.self_attn.{part}_proj" for part in "qv"]


@dataclasses.dataclass(frozen=True)
class Made:
    """A model, a text, and factors of its sequences in the order of the text."""

    model: Path
    text: Path
    factors: Path


def make_factors(folder: Path, strategy: str, tracked: list[str] | None, parts: int) -> Made:
    from kronfluence.analyzer import Analyzer, prepare_model
    from kronfluence.arguments import FactorArguments
    from kronfluence.task import Task

    class NextToken(Task):
        def compute_train_loss(
            self, batch: torch.Tensor, model: nn.Module, sample: bool = False
        ) -> torch.Tensor:
            logits = model(input_ids=batch[:, :-1]).logits
            return functional.cross_entropy(
                logits.flatten(0, 1), batch[:, 1:].flatten(), reduction="sum"
            )

        def compute_measurement(self, batch: torch.Tensor, model: nn.Module) -> torch.Tensor:
            return self.compute_train_loss(batch, model)

        def get_influence_tracked_modules(self) -> list[str] | None:
            return tracked

    saved, text = save_llama(folder / "m"), write_bytes(folder / "text", 97)
    task = NextToken()
    model = prepare_model(LlamaForCausalLM.from_pretrained(saved), task)
    analyzer = Analyzer(
        "analysis", model, task, cpu=True, disable_tqdm=True, output_dir=str(folder / "results")
    )
    arguments = FactorArguments(
        strategy=strategy,
        use_empirical_fisher=True,
        covariance_module_partitions=parts,
        lambda_module_partitions=parts,
    )
    analyzer.fit_all_factors(
        factors_name=strategy,
        dataset=torch.stack(windows(text, LENGTH, SEQUENCES)),
        per_device_batch_size=4,
        factor_args=arguments,
    )
    return Made(saved, text, folder / "results" / "analysis" / f"factors_{strategy}")


def run(made: Made, *more: object) -> str:
    common = ("--model", made.model, "--text", made.text, "--fold-order", "text", *SIZES)
    return collected(*common, "--from-kronfluence", made.factors, *more)


def linear_gradients(model: nn.Module) -> Tensors:
    """All linear modules, the head too."""
    found: Tensors = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            columns = [module.weight.grad]
            columns += [] if module.bias is None else [module.bias.grad[:, None]]
            found[name] = torch.cat(columns, 1)
    return found


def check(made: Made, modules: set[str] | None) -> None:
    """Both files against autograd, for exactly these modules (all where None)."""
    model = LlamaForCausalLM.from_pretrained(made.model).eval()
    sequences = windows(made.text, LENGTH, SEQUENCES)
    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    each = each_gradient(model, losses, linear_gradients)
    mean = load_file(made.factors / "mean_gradient.safetensors")
    folds = load_file(made.factors / "gradient_folds.safetensors")
    assert set(mean) == set(folds) == (set(each) if modules is None else modules)
    for name, gradient in mean.items():
        wanted = each[name].unflatten(0, (FOLDS, -1)).mean(1).float()
        torch.testing.assert_close(gradient, each[name].mean(0).float(), rtol=2e-5, atol=1e-6)
        torch.testing.assert_close(folds[name], wanted, rtol=2e-5, atol=1e-6)


def test_ekfac_folder_gets_the_gradient_of_its_modules(tmp_path: Path) -> None:
    made = make_factors(tmp_path, "ekfac", None, parts=1)
    before = {file.name for file in made.factors.iterdir()}
    printed = run(made)
    factors = load_file(made.factors / "activation_covariance.safetensors")
    assert "lm_head" in factors  # kronfluence covers it, so its gradient is wanted too
    check(made, set(factors))
    mean, metadata = read(made.factors / "mean_gradient.safetensors")
    assert metadata["num_samples"] == str(SEQUENCES) and "format" not in metadata
    for name, gradient in mean.items():
        assert gradient.shape[1] == len(factors[name])
    after = {file.name for file in made.factors.iterdir()}
    assert after - before == {"mean_gradient.safetensors", "gradient_folds.safetensors"}
    assert "wrote" in printed and "gradient_folds.safetensors" in printed
    scale = factors["model.layers.0.self_attn.q_proj"][-1, -1]
    assert float(scale) == SEQUENCES * LENGTH  # both mean the same tokens


def test_diagonal_strategy_of_chosen_modules(tmp_path: Path) -> None:
    made = make_factors(tmp_path, "diagonal", ATTENTION, parts=1)
    run(made)
    assert not (made.factors / "activation_covariance.safetensors").exists()
    check(made, set(ATTENTION))


def test_parts_without_a_whole(tmp_path: Path) -> None:
    made = make_factors(tmp_path, "kfac", ATTENTION, parts=2)
    parts = sorted(made.factors.glob("activation_covariance_data_partition*"))
    assert len(parts) == 2
    (made.factors / "activation_covariance.safetensors").unlink()
    run(made)
    check(made, set(ATTENTION))


def test_identity_means_all_linear_modules_and_folds_can_be_left_out(tmp_path: Path) -> None:
    made = make_factors(tmp_path, "identity", None, parts=1)
    assert {file.suffix for file in made.factors.iterdir()} == {".json"}
    run(made)
    check(made, None)
    shutil.copytree(made.factors, tmp_path / "again")
    again = dataclasses.replace(made, factors=tmp_path / "again")
    assert (again.factors / "gradient_folds.safetensors").exists()  # soon of an earlier run
    run(again, "--folds", 0)
    assert not (again.factors / "gradient_folds.safetensors").exists()


def test_factors_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    saved, text = save_llama(tmp_path / "m"), write_bytes(tmp_path / "text", 97)
    common = ("--model", saved, "--text", text, *SIZES)
    factors = tmp_path / "factors"
    factors.mkdir()
    for code, words, tensors, more in (
        (66, "no kronfluence factors", None, ()),
        (65, "lists model.layers.7.mlp.up_proj", {"model.layers.7.mlp.up_proj": 16}, ()),
        (65, "lists model.norm", {"model.norm": 16}, ()),
        (65, "16 columns, the model's has 17", {"model.layers.0.self_attn.q_proj": 16}, ()),
        (64, "-o", {"model.layers.0.mlp.up_proj": 16}, ("-o", tmp_path / "s.safetensors")),
        (64, "--collect", {"model.layers.0.mlp.up_proj": 16}, ("--collect", "kfac")),
    ):
        if tensors:
            eyes = {name: torch.eye(size) for name, size in tensors.items()}
            save_file(eyes, factors / "activation_covariance.safetensors")
        done = collect(*common, "--from-kronfluence", factors, *more)
        assert done.returncode == code, done.stderr
        assert words in done.stderr and done.stderr.count("\n") == 1
        assert not (factors / "mean_gradient.safetensors").exists()
    done = collect(*common, "--from-kronfluence", tmp_path / "none")
    assert done.returncode == 66 and "is not a folder" in done.stderr
    assert collect(*common).returncode == 64
