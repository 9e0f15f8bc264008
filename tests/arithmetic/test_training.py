"""The training loop: its clock, its batches, its checkpoints, what it exports."""

import json
import random
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from genprm.arithmetic.problems import Split, exercise
from training.arithmetic.chats import Piece, draw_chat
from training.arithmetic.export import save_checkpoint
from training.arithmetic.muon import orthogonalise
from training.arithmetic.tokenizer import learn_tokenizer
from training.arithmetic.training import (
    IGNORED,
    LONGEST,
    Recipe,
    batches,
    build_model,
    learning_rate,
    train,
)

TINY = Recipe(hidden=64, layers=1, feed_forward=64, batch_tokens=4096, minutes=0.03)


def chat(number: int) -> list[Piece]:
    return draw_chat(exercise(0, number, Split.TRAIN), random.Random(number))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return learn_tokenizer("".join(piece.text for piece in chat(number)) for number in range(60))


def test_the_rate_rises_stays_and_falls_to_zero() -> None:
    recipe = Recipe(peak=1.0, warmup=0.1, decay=0.2)
    rates = [learning_rate(recipe, progress) for progress in (0.0, 0.05, 0.1, 0.5, 0.8, 0.9, 1.0)]
    assert rates == pytest.approx([0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0])


def test_batches_hold_whole_chats_within_their_bounds(tokenizer: Tokenizer) -> None:
    drawn, ids, labels = next(batches(chat, tokenizer, TINY))
    assert drawn > 0
    assert ids.shape == labels.shape
    assert ids.numel() <= max(TINY.batch_tokens, LONGEST)
    learned = labels != IGNORED
    assert learned.any()
    assert torch.equal(ids[learned], labels[learned])


def test_orthogonalised_matrices_have_singular_values_near_one() -> None:
    for shape in ((2, 16, 64), (2, 64, 16)):
        matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        singular = torch.linalg.svdvals(orthogonalise(matrices))
        assert singular.min() > 0.5
        assert singular.max() < 1.5


def test_a_stopped_run_goes_on_where_it_was(tokenizer: Tokenizer, tmp_path: Path) -> None:
    train(chat, tokenizer, TINY, tmp_path)
    before = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    model = train(chat, tokenizer, TINY, tmp_path)  # its time is over: nothing changes
    after = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert before["state"] == after["state"]
    assert before["state"]["step"] > 0
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, before["model"][name])


def test_an_exported_model_loads_everywhere_with_the_same_tokens(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    openvino_genai = pytest.importorskip("openvino_genai")
    gguf = pytest.importorskip("gguf")
    model = build_model(TINY, tokenizer.get_vocab_size())
    names = {name for name, _ in model.named_parameters()}
    save_checkpoint(model, tokenizer, tmp_path / "model")

    assert json.loads((tmp_path / "model" / "config.json").read_text())["eos_token_id"] == 2
    stored = gguf.GGUFReader(tmp_path / "model" / "model.gguf")
    assert len(stored.tensors) == len(names)
    engine = openvino_genai.Tokenizer(tmp_path / "model" / "model.gguf")
    for number in range(20):
        text = "".join(piece.text for piece in chat(number))
        ids = engine.encode(text, add_special_tokens=False).input_ids.data[0].tolist()
        assert ids == tokenizer.encode(text).ids
        assert engine.decode(ids, skip_special_tokens=False) == text
