"""Spans of steps, in characters and in the tokens of three tokenizers."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.rewards.completion import Completion, JudgedCompletion, find_steps
from genprm.rewards.judges import CompletionVerdict

tokenizers = pytest.importorskip("tokenizers")

WORDS = st.text(st.sampled_from("ab1+= é数\U0001f600.$\\"), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip()) and "$$" not in text
)
STEPS = st.lists(WORDS, min_size=1, max_size=6)
GAPS = st.sampled_from(["\n\n", "\n \n", "\n\n\n"])
CORPUS = ["a b 1 + 1 = 2. Step 1: the answer is é 数. \n\n ab ba $x$ \\ 😀"] * 3


class Rust:
    """A `tokenizers` tokenizer under the names of transformers."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def encode(self, text: str, /, **_: object) -> list[int]:
        return list(self.inner.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int], /, **_: object) -> str:
        return str(self.inner.decode(list(ids), skip_special_tokens=False))


def byte_level() -> Rust:
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet()
    )
    inner.train_from_iterator(CORPUS, trainer)
    return Rust(inner)


def byte_fallback() -> Rust:
    """Llama's way: spaces are a letter, and what is not in the vocabulary is bytes."""
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    vocabulary |= {piece: 256 + index for index, piece in enumerate("▁ab1+=.$\\")}
    model = tokenizers.models.BPE(vocab=vocabulary, merges=[], byte_fallback=True)
    inner = tokenizers.Tokenizer(model)
    inner.normalizer = tokenizers.normalizers.Replace(" ", "▁")
    inner.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.Replace("▁", " "),
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Fuse(),
        ]
    )
    return Rust(inner)


def pieces() -> Rust:
    """SentencePiece's way: scored pieces, with bytes for what has none."""
    vocabulary = [("<unk>", 0.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256))]
    vocabulary += [(piece, -1.0) for piece in ("▁a", "ab", "1+1", "é", "=.", *"▁ab1+=.$\\")]
    inner = tokenizers.Tokenizer(
        tokenizers.models.Unigram(vocabulary, unk_id=0, byte_fallback=True)
    )
    inner.normalizer = tokenizers.normalizers.Replace(" ", "▁")
    inner.decoder = byte_fallback().inner.decoder
    return Rust(inner)


@pytest.fixture(scope="module", params=[byte_level, byte_fallback, pieces])
def tokenizer(request: pytest.FixtureRequest) -> Rust:
    make: Callable[[], Rust] = request.param
    return make()


def judged(text: str, prefix: str = "") -> tuple[Completion, JudgedCompletion]:
    completion = Completion.read("?", text, response_prefix=prefix)
    rewards = tuple(0.25 for _ in completion.steps)
    return completion, JudgedCompletion.of(completion, CompletionVerdict(rewards, -1))


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(STEPS, GAPS)
def test_spans_hold_their_steps_in_order_and_leave_out_only_white_space(
    steps: list[str], gap: str
) -> None:
    text = gap.join(steps)
    completion, one = judged(text)
    assert len(completion.spans) == len(completion.steps)
    for step, (start, end) in zip(completion.steps, completion.spans, strict=True):
        assert squeezed(text[start:end]) == squeezed(step)
    assert squeezed("".join(text[step.start : step.end] for step in one.steps)) == squeezed(text)
    starts = [step.start for step in one.steps]
    assert starts == sorted(starts)


@settings(deadline=None, max_examples=60)
@given(STEPS, GAPS)
def test_token_spans_decode_back_to_their_steps(
    tokenizer: Rust, steps: list[str], gap: str
) -> None:
    completion, one = judged(gap.join(steps))
    ids = tokenizer.encode(one.text)
    spans = one.token_spans(tokenizer, ids)
    assert spans == one.token_spans(tokenizer)
    for step, (start, end) in zip(completion.steps, spans, strict=True):
        assert squeezed(step) in squeezed(tokenizer.decode(ids[start:end]))
        assert squeezed(step) not in squeezed(tokenizer.decode(ids[start + 1 : end]))
        assert squeezed(step) not in squeezed(tokenizer.decode(ids[start : end - 1]))


def test_each_step_is_rewarded_at_its_last_token(tokenizer: Rust) -> None:
    _, one = judged("1 + 1 = 2.\n\na b.")
    ids = tokenizer.encode(one.text)
    rewards = one.token_rewards(tokenizer, ids)
    assert sum(rewards) == 0.5
    assert rewards[-1] == 0.25


def test_a_prefix_of_the_prompt_is_in_the_step_and_in_no_span() -> None:
    text = " a.\n\nStep 2: b."
    completion, _ = judged(text, prefix="Step 1:")
    assert completion.steps == ("Step 1: a.", "Step 2: b.")
    assert [text[start:end].strip() for start, end in completion.spans] == ["a.", "Step 2: b."]


def test_thinking_aloud_is_not_judged() -> None:
    completion, _ = judged("<think>hm\n\nno</think>\n\na\n\nb")
    assert completion.steps == ("a", "b")
    assert judged("<think>hm\n\nno")[0].steps == ()


def test_a_step_that_is_not_in_the_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a part"):
        find_steps("a b", ["a c"])
