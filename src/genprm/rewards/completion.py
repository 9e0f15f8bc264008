"""One judged completion: a reward for each step, and where the step is in the text.

A span is half open, `(start, end)`: characters of the completion's text, or tokens of its ids.
The steps are those that the judge saw. Their spans are in order and do not overlap; each covers its
whole step without the white space around it. A token that two steps share belongs to both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from genprm.problem import Solution, split_steps
from genprm.rewards.judges import CompletionVerdict

Span = tuple[int, int]
_THOUGHT_END = "</think>"
_THOUGHT_BEGIN = "<think>"
_SPLIT = 3  # tokens that may hold only a part of a character: UTF-8 has at most four bytes


class Tokenizer(Protocol):
    """The part of a Hugging Face tokenizer that is used here."""

    def decode(
        self, ids: list[int], /, *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool
    ) -> str:
        """The text of these tokens."""

    def encode(self, text: str, /, *, add_special_tokens: bool) -> list[int]:
        """The tokens of this text."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A completion as it will be judged.

    `spans` [steps] are the steps' characters in `text`. If the text has a thought in `<think>`, it
    is judged from the end of the thought; if the thought never ends, there are no steps.
    """

    problem: str
    text: str
    steps: tuple[str, ...]
    spans: tuple[Span, ...]

    @classmethod
    def read(cls, problem: str, text: str, *, response_prefix: str = "") -> "Completion":
        """Split a completion into steps.

        `response_prefix` is text at the end of the prompt with which the solution begins; it
        belongs to the first step, but not to any span.
        """
        start = _answer_start(text)
        whole = response_prefix + text[start:]
        steps = split_steps(whole) if text[start:].strip() else ()
        shift = start - len(response_prefix)
        spans = tuple(
            (max(first + shift, start), max(last + shift, start))
            for first, last in find_steps(whole, steps)
        )
        return cls(problem, text, steps, spans)

    @property
    def solution(self) -> Solution:
        """What the judge is shown."""
        return Solution(self.problem, self.steps)


@dataclass(frozen=True, slots=True)
class StepReward:
    """One step's reward, None if all its votes abstained, and its characters in the text."""

    reward: float | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class JudgedCompletion:
    """A completion's step rewards, up to where judging stopped.

    `first_error` is the index of the first wrong step, -1 for none, None if it is unknown; `cause`
    says why there is no verdict.
    """

    text: str
    steps: tuple[StepReward, ...]
    first_error: int | None = None
    cause: str | None = None

    @classmethod
    def of(cls, completion: Completion | None, judged: CompletionVerdict) -> "JudgedCompletion":
        """A verdict, placed in the text."""
        if completion is None:
            return cls("", (), None, judged.cause)
        pairs = zip(judged.rewards, completion.spans, strict=False)
        steps = tuple(StepReward(reward, *span) for reward, span in pairs)
        return cls(completion.text, steps, judged.first_error, judged.cause)

    @property
    def rewards(self) -> tuple[float | None, ...]:
        """The step rewards alone."""
        return tuple(step.reward for step in self.steps)

    def token_spans(self, tokenizer: Tokenizer, ids: Sequence[int] | None = None) -> list[Span]:
        """Each step's tokens [steps].

        `ids` are the completion's tokens as they were sampled; without them, those that the
        tokenizer makes of the text.
        """
        if ids is None:
            ids = tokenizer.encode(self.text, add_special_tokens=False)
        lengths = _Lengths(tokenizer, ids)
        return [(lengths.token_at(step.start), lengths.tokens_to(step.end)) for step in self.steps]

    def token_rewards(self, tokenizer: Tokenizer, ids: Sequence[int]) -> list[float]:
        """[tokens] Each step's reward at its last token, 0 elsewhere and for abstentions."""
        rewards = [0.0] * len(ids)
        spans = self.token_spans(tokenizer, ids)
        for step, (_, end) in zip(self.steps, spans, strict=True):
            if step.reward is not None and 0 < end <= len(rewards):
                rewards[end - 1] += step.reward
        return rewards


def find_steps(text: str, steps: Sequence[str]) -> list[Span]:
    """The span of each step in the text that was split; only white space may differ."""
    spans = []
    at = 0
    for step in steps:
        first = None
        for character in step:
            if character.isspace():
                continue
            while at < len(text) and text[at].isspace():
                at += 1
            if at == len(text) or text[at] != character:
                raise ValueError(f"the step {step[:40]!r} is not a part of its text")
            first = at if first is None else first
            at += 1
        spans.append((at if first is None else first, at))
    return spans


def _answer_start(text: str) -> int:
    end = text.rfind(_THOUGHT_END)
    if end >= 0:
        return end + len(_THOUGHT_END)
    return len(text) if text.lstrip().startswith(_THOUGHT_BEGIN) else 0


class _Lengths:
    """The number of characters in the first k tokens, found by decoding; it grows with k."""

    def __init__(self, tokenizer: Tokenizer, ids: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ids = ids
        self._known: dict[int, int] = {0: 0}
        whole = self._decode(len(ids))
        self._known[len(ids)] = len(whole)

    def token_at(self, character: int) -> int:
        """The token in which this character begins."""
        count = self.tokens_to(character)
        return count if self._length(count) == character else count - 1

    def tokens_to(self, character: int) -> int:
        """The smallest number of tokens that contain all characters before this one."""
        low, high = 0, len(self._ids)
        while low < high:
            middle = (low + high) // 2
            if self._length(middle) >= character:
                high = middle
            else:
                low = middle + 1
        return low

    def _length(self, count: int) -> int:
        """The length; a character that spans several tokens counts only with the last of them."""
        if count not in self._known:
            texts = (self._decode(count - less) for less in range(min(_SPLIT, count) + 1))
            whole = next((text for text in texts if not text.endswith("\ufffd")), None)
            self._known[count] = len(self._decode(count) if whole is None else whole)
        return self._known[count]

    def _decode(self, count: int) -> str:
        return self._tokenizer.decode(
            list(self._ids[:count]),
            skip_special_tokens=False,
            clean_up_tokenization_spaces=False,
        )
