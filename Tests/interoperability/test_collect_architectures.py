"""GPT-2's Conv1D, BERT's masked tokens, embeddings and heads, against autograd and hand loops."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from collector_reference import (
    F64,
    Tensors,
    causal_loss,
    check_factors,
    check_gradients,
    collect,
    collected,
    each_gradient,
    hooked_rows,
    read,
    save,
    windows,
    write_bytes,
    write_lines,
)
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

SEQUENCES, LENGTH, FOLDS = 8, 12, 4
SIZES = ("--sequences", SEQUENCES, "--length", LENGTH, "--folds", FOLDS, "--batch-size", 3)


def save_gpt2(folder: Path) -> Path:
    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=256,
        n_positions=32,
        n_embd=16,
        n_layer=2,
        n_head=4,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return save(GPT2LMHeadModel(config), folder)


def conv1d_gradients(model: nn.Module) -> Tensors:
    """[out, in + 1] from a weight that is stored [in, out]."""
    return {
        name: torch.cat([module.weight.grad.T, module.bias.grad[:, None]], 1)
        for name, module in model.named_modules()
        if type(module).__name__ == "Conv1D"
    }


def test_conv1d_is_written_out_in_with_its_bias_last(tmp_path: Path) -> None:
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64)
    tensors, metadata = read(output)
    model = GPT2LMHeadModel.from_pretrained(folder).eval()
    losses = [
        lambda sequence=sequence: causal_loss(model, sequence)
        for sequence in windows(text, LENGTH, SEQUENCES)
    ]
    check_gradients(tensors, each_gradient(model, losses, conv1d_gradients), FOLDS)
    assert metadata["weight_layout"] == "out_in" and metadata["bias"] == "appended"
    assert tensors["transformer.h.0.attn.c_attn.gradient"].shape == (48, 17)
    for name in ("transformer.h.0.attn.c_attn", "transformer.h.1.mlp.c_proj"):
        rows, stop = hooked_rows(model, name)
        for loss in losses:
            loss().backward()
        stop()
        check_factors(tensors, name, *rows.taken(has_bias=True))
    assert "covered [48, 16] and bias, Conv1D" in printed


def test_tied_embeddings_are_counted_once_and_skipped(tmp_path: Path) -> None:
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--include-head", "--include-embeddings")
    printed = collected("--model", folder, "--text", text, "-o", output, *SIZES, *options)
    tied = [line.split() for line in printed.splitlines() if "its weight is tied to" in line]
    assert {row[0]: int(row[2]) for row in tied} == {"lm_head": 256 * 16, "transformer.wte": 0}
    total = sum(p.numel() for p in GPT2LMHeadModel.from_pretrained(folder).parameters())
    assert f"of {total} parameters" in printed
    tensors, _ = read(output)
    assert not any(key.startswith(("lm_head", "transformer.wte")) for key in tensors)


def save_untied_llama(folder: Path) -> Path:
    torch.manual_seed(4)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=8,
        intermediate_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        initializer_range=0.3,
        bos_token_id=None,
        eos_token_id=None,
    )
    return save(LlamaForCausalLM(config), folder)


def test_untied_embedding_and_head_equal_autograd(tmp_path: Path) -> None:
    folder, text = save_untied_llama(tmp_path / "llama"), write_bytes(tmp_path / "text", 97)
    output = tmp_path / "s.safetensors"
    options = ("--include-head", "--include-embeddings", "--modules", "lm_head|embed")
    collected("--model", folder, "--text", text, "-o", output, *SIZES, *F64, *options)
    tensors, _ = read(output)
    model = LlamaForCausalLM.from_pretrained(folder).eval()
    sequences = windows(text, LENGTH, SEQUENCES)

    def gradients(model: nn.Module) -> Tensors:
        return {
            "lm_head": model.lm_head.weight.grad,
            "model.embed_tokens": model.model.embed_tokens.weight.grad.T,
        }

    losses = [lambda sequence=sequence: causal_loss(model, sequence) for sequence in sequences]
    check_gradients(tensors, each_gradient(model, losses, gradients), FOLDS)
    rows, stop = hooked_rows(model, "model.embed_tokens")
    head, stop_head = hooked_rows(model, "lm_head")
    for loss in losses:
        loss().backward()
    stop()
    stop_head()
    check_factors(tensors, "lm_head", *head.taken(has_bias=False))
    tokens = torch.cat([sequence[:-1] for sequence in sequences])
    one_hot = functional.one_hot(tokens, 256).double()
    gradient = torch.cat([y.grad[0] for y in rows.y]).double()
    check_factors(tensors, "model.embed_tokens", one_hot, gradient)
    assert tensors["model.embed_tokens.activation_covariance"].shape == (256,)
    assert "model.embed_tokens.num_tokens" not in tensors


@pytest.mark.parametrize("split", ["windows", "lines"])
def test_large_factors_are_skipped_made_diagonal_or_refused(tmp_path: Path, split: str) -> None:
    folder, text = save_untied_llama(tmp_path / "llama"), tmp_path / "text"
    write_lines(text, [13, 5, 9, 13, 3, 11, 13, 13, 13, 13])
    common = ("--model", folder, "--text", text, "--include-head", *SIZES, *F64, "--split", split)
    dense, diagonal = tmp_path / "dense.safetensors", tmp_path / "diagonal.safetensors"
    collected(*common, "-o", dense)
    limit = ("--large-limit", 11)
    collected(*common, "-o", diagonal, "--large-modules", "diagonal", *limit)
    wanted, _ = read(dense)
    found, _ = read(diagonal)
    assert set(found) == set(wanted)
    for key, tensor in wanted.items():
        if key.endswith("covariance") and len(tensor) > 11:
            tensor = tensor.diagonal()
        torch.testing.assert_close(found[key], tensor, rtol=1e-6, atol=1e-12)
    assert found["lm_head.gradient_covariance"].shape == (256,)
    assert found["lm_head.activation_covariance"].shape == (8, 8)
    skipped = tmp_path / "skipped.safetensors"
    printed = collected(*common, "-o", skipped, *limit)
    assert "its G would be 256 x 256, above --large-limit 11" in printed
    assert not any(key.startswith(("lm_head", "model.layers.0.mlp")) for key in read(skipped)[0])
    done = collect(*common, "-o", tmp_path / "no", "--large-modules", "error", *limit)
    assert done.returncode == 65 and "lm_head: its G would be" in done.stderr
    gradients_only = tmp_path / "gradients.safetensors"
    collected(*common, "-o", gradients_only, *limit, "--collect", "gradient")
    assert "lm_head.gradient" in read(gradients_only)[0]


def save_bert(folder: Path, *, tied: bool = True) -> Path:
    """A BERT of one-character words, with special symbols around each line."""
    torch.manual_seed(5)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(33, 127))]
    numbers = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    ends = [("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])]
    tokenizer.post_processor = processors.BertProcessing(ends[1], ends[0])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=24,
        max_position_embeddings=32,
        initializer_range=0.3,
        tie_word_embeddings=tied,
    )
    return save(BertForMaskedLM(config), folder)


LINES = [20, 7, 12, 1, 16, 9, 3, 18]


def bert_batches(folder: Path, text: Path) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """(inputs, labels) of every line, unpadded, by the collector's own seeded masking."""
    from layerbudget_statistics.masked_tokens import masked_samples
    from layerbudget_statistics.text_windows import Encoder

    encoder = Encoder(folder, 99)
    lines = [encoder.encode(line, whole=True) for line in text.read_bytes().splitlines()]
    assert [len(line) for line in lines] == [n + 2 for n in LINES]
    samples = masked_samples(lines, encoder, 0.3, 7)
    for line, sample in zip(lines, samples, strict=True):
        hidden = sample.labels != -100
        assert int(hidden.sum()) == max(1, round(0.3 * (len(line) - 2)))
        assert not hidden[0] and not hidden[-1]
        assert torch.equal(sample.labels[hidden], line[hidden])
        assert (sample.inputs[hidden] == 4).all()
        assert torch.equal(sample.inputs[~hidden], line[~hidden])
    return [(sample.inputs, sample.labels) for sample in samples]


def linear_gradients(model: nn.Module) -> Tensors:
    return {
        name: torch.cat([module.weight.grad, module.bias.grad[:, None]], 1)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and not name.endswith("decoder")
    }


def test_masked_model_equals_unpadded_autograd(tmp_path: Path) -> None:
    """Lines of unequal lengths in padded batches against one unpadded line at a time."""
    folder, text = save_bert(tmp_path / "bert"), write_lines(tmp_path / "lines", LINES)
    output = tmp_path / "s.safetensors"
    options = ("--split", "lines", "--mask-share", 0.3, "--seed", 7, "--length", 30, "--folds", 2)
    sizes = ("--sequences", len(LINES), "--batch-size", 3)
    collected("--model", folder, "--text", text, "-o", output, *options, *sizes, *F64)
    tensors, metadata = read(output)
    assert metadata["num_tokens"] == str(sum(LINES) + 2 * len(LINES))
    assert "masked" in metadata["loss"] and metadata["mask_share"] == "0.3"
    model = BertForMaskedLM.from_pretrained(folder).eval()
    batches = bert_batches(folder, text)

    def loss(inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits = model(input_ids=inputs[None]).logits[0]
        return functional.cross_entropy(logits, labels, reduction="sum")

    losses = [lambda batch=batch: loss(*batch) for batch in batches]
    tolerance = {"rtol": 1e-4, "atol": 2e-6}
    check_gradients(tensors, each_gradient(model, losses, linear_gradients), 2, **tolerance)
    for name in (
        "bert.encoder.layer.0.attention.self.query",
        "bert.encoder.layer.1.output.dense",
        "cls.predictions.transform.dense",
    ):
        rows, stop = hooked_rows(model, name)
        for one in losses:
            one().backward()
        stop()
        x, d = rows.taken(has_bias=True)
        assert len(x) == sum(LINES) + 2 * len(LINES)
        check_factors(tensors, name, x, d, **tolerance)


def test_untied_masked_head_is_covered_and_parameters_count_once(tmp_path: Path) -> None:
    folder = save_bert(tmp_path / "bert", tied=False)
    text, output = write_lines(tmp_path / "lines", LINES), tmp_path / "s.safetensors"
    common = ("--model", folder, "--text", text, "--split", "lines", "--folds", 0)
    printed = collected(*common, "-o", output, "--include-head")
    total = sum(p.numel() for p in BertForMaskedLM.from_pretrained(folder).parameters())
    assert f"of {total} parameters" in printed
    assert read(output)[0]["cls.predictions.decoder.gradient"].shape == (99, 17)


def test_masking_does_not_depend_on_batches_and_needs_a_mask_token(tmp_path: Path) -> None:
    folder, text = save_bert(tmp_path / "bert"), write_lines(tmp_path / "lines", LINES)
    common = ("--model", folder, "--text", text, "--split", "lines", "--folds", 0)
    one, four = tmp_path / "one.safetensors", tmp_path / "four.safetensors"
    collected(*common, "-o", one, "--batch-size", 1)
    collected(*common, "-o", four, "--batch-size", 4)
    for key, tensor in read(one)[0].items():
        torch.testing.assert_close(read(four)[0][key], tensor, rtol=1e-4, atol=1e-5)
    gpt2 = save_gpt2(tmp_path / "gpt2")
    done = collect("--model", gpt2, "--text", text, "-o", tmp_path / "s", "--task", "masked")
    assert done.returncode == 65 and "masked" in done.stderr
    bare = save_bert(tmp_path / "bare")
    for file in bare.glob("tokenizer*"):
        file.unlink()
    done = collect("--model", bare, "--text", text, "-o", tmp_path / "s")
    assert done.returncode == 65 and "tokenizer" in done.stderr


def test_a_folder_without_the_head_is_refused(tmp_path: Path) -> None:
    """A head that transformers would start at random gives statistics of nothing."""
    folder, text = save_gpt2(tmp_path / "gpt2"), write_bytes(tmp_path / "text", 97)
    bert = save_bert(tmp_path / "bert")
    BertForMaskedLM.from_pretrained(bert).bert.save_pretrained(bert)
    common = ("--text", text, "-o", tmp_path / "s.safetensors", *SIZES)
    done = collect("--model", bert, "--task", "masked", *common)
    assert done.returncode == 65 and "has no weights for" in done.stderr
    collected("--model", folder, *common)
