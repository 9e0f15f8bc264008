"""The tokenizer's promises: what is copied keeps its tokens, and cuts change nothing."""

import random

import pytest
from tokenizers import Tokenizer

from genprm.arithmetic.problems import Split, exercise
from training.arithmetic.chats import Piece, draw_chat
from training.arithmetic.tokenizer import learn_tokenizer
from training.arithmetic.training import IGNORED, encode


def chat(number: int) -> list[Piece]:
    return draw_chat(exercise(0, number, Split.TRAIN), random.Random(number))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return learn_tokenizer("".join(piece.text for piece in chat(number)) for number in range(150))


def test_text_cut_at_the_drivers_borders_has_the_tokens_of_the_whole(tokenizer: Tokenizer) -> None:
    for number in range(200, 260):
        pieces = chat(number)
        whole = tokenizer.encode("".join(piece.text for piece in pieces)).ids
        assert encode(pieces, tokenizer).ids == whole


def test_text_survives(tokenizer: Tokenizer) -> None:
    text = "Naïve × ÷ 東京\t\n  (A - -3) $\\boxed{Yes}$"
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


def test_judgements_are_single_tokens_after_the_brace(tokenizer: Tokenizer) -> None:
    for word in ("Yes", "No"):
        assert tokenizer.encode(f"$\\boxed{{{word}}}$").tokens[-3:] == [word, "}", "$"]


@pytest.mark.parametrize("number", ["7", "-7", "1260", "16.25"])
def test_a_number_has_the_same_tokens_everywhere(tokenizer: Tokenizer, number: str) -> None:
    bare = tokenizer.encode(number).tokens
    digits = [token for token in bare if token.isdigit()]
    assert digits == [character for character in number if character.isdigit()]
    for text in (f"({number})", f"({number}", f"A{number}", f"\n{number}"):
        assert "".join(bare) in "".join(tokenizer.encode(text).tokens)
        assert [token for token in tokenizer.encode(text).tokens if token.isdigit()] == digits


def test_loss_is_only_on_learned_pieces(tokenizer: Tokenizer) -> None:
    pieces = chat(3)
    encoded = encode(pieces, tokenizer)
    learned = [label for label in encoded.labels if label != IGNORED]
    assert tokenizer.decode(learned, skip_special_tokens=False) == "".join(
        p.text for p in pieces if p.learned
    )
    assert all(
        label in (IGNORED, token) for token, label in zip(encoded.ids, encoded.labels, strict=True)
    )
