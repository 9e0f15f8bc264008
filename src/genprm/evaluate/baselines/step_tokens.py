"""Where each public discriminative PRM needs its steps marked, and how to read its rewards.

| model | text | reward of a step |
|---|---|---|
| Qwen2.5-Math-PRM | chat: system, problem, steps each ended by `<extra_0>` | P(class 1) there |
| Math-Shepherd | `{problem} Step 1: … ки\\nStep 2: … ки` | P(+) against P(-) at `ки` |
| RLHFlow | chat: problem and step 1, `+`, step 2, `+`, … | P(+) against P(-) before `+` |
| Skywork-o1-Open-PRM | bos, problem, newline, steps each ended by a newline token | sigmoid there |

Each convention turns a solution into token ids and the position at which every step's reward is
read, so that a problem or step that contains a marker's text cannot shift the rewards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp
from typing import TYPE_CHECKING, TypeAlias

from genprm.control_tokens import ControlTokens
from genprm.errors import ModelError
from genprm.problem import Solution

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokenizer: TypeAlias = "PreTrainedTokenizerBase"  # a fast one
QWEN_SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."
QWEN_TAG, SHEPHERD_TAG, GOOD, BAD = "<extra_0>", "ки", "+", "-"


class Head(StrEnum):
    """What a model outputs at a position."""

    CLASSES = "classes"  # two logits: wrong, right
    VOCABULARY = "vocabulary"  # a language model's logits, of which `+` and `-` count
    VALUE = "value"  # one number


@dataclass(frozen=True, slots=True)
class Marked:
    """Token ids [tokens], and for each step the position [steps] of its reward."""

    ids: list[int]
    positions: list[int]


@dataclass(frozen=True, slots=True)
class Convention:
    """The input format of one family of models, and how to read its output."""

    name: str
    head: Head
    marking: Callable[[Tokenizer, Solution], Marked]

    def mark(self, tokenizer: Tokenizer, solution: Solution) -> Marked:
        """The solution with its steps marked; its text cannot become a control token or a mark."""
        added = [str(token) for token in tokenizer.added_tokens_decoder.values()]
        literal = ControlTokens([*tokenizer.all_special_tokens, *added]).literal
        steps = tuple(map(literal, solution.steps))
        return self.marking(
            tokenizer, replace(solution, problem=literal(solution.problem), steps=steps)
        )

    def columns(self, tokenizer: Tokenizer) -> tuple[int, int] | None:
        """Token ids of (bad, good) in the vocabulary, if the head is that of a language model."""
        if self.head is not Head.VOCABULARY:
            return None
        bad, good = (tokenizer.encode(sign, add_special_tokens=False)[-1] for sign in (BAD, GOOD))
        return bad, good


def reward(outputs: Sequence[float]) -> float:
    """The reward of one step from (bad, good) logits, or from one value through a sigmoid."""
    if len(outputs) == 1:
        return _sigmoid(outputs[0])
    bad, good = outputs
    return _sigmoid(good - bad)


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value)) if value >= 0 else exp(value) / (1 + exp(value))


def _mark_qwen(tokenizer: Tokenizer, solution: Solution) -> Marked:
    answer = QWEN_TAG.join([*solution.steps, ""])
    chat = [
        {"role": "system", "content": QWEN_SYSTEM},
        {"role": "user", "content": solution.problem},
        {"role": "assistant", "content": answer},
    ]
    text = str(tokenizer.apply_chat_template(chat, tokenize=False))
    start = text.rfind(answer)
    if start < 0:
        raise ModelError(
            "the chat template changes the steps; "
            "fix: name the model's own tokenizer with --tokenizer"
        )
    return _read_at(tokenizer, text, _ends(text, start, solution.steps, QWEN_TAG), special=False)


def _mark_shepherd(tokenizer: Tokenizer, solution: Solution) -> Marked:
    steps = [
        step if step.startswith("Step ") else f"Step {number}: {step}"
        for number, step in enumerate(solution.steps, 1)
    ]
    tag = f" {SHEPHERD_TAG}"
    text = f"{solution.problem} " + "\n".join(step + tag for step in steps)
    ends = _ends(text, len(solution.problem) + 1, steps, tag)
    return _read_at(tokenizer, text, ends, special=True)


def _mark_rlhflow(tokenizer: Tokenizer, solution: Solution) -> Marked:
    chat: list[dict[str, str]] = []
    ends = []
    for index, step in enumerate(solution.steps):
        content = f"{solution.problem} {step}" if index == 0 else step
        chat.append({"role": "user", "content": content})
        head = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        ends.append(len(head))
        chat.append({"role": "assistant", "content": GOOD})
    text = str(tokenizer.apply_chat_template(chat, tokenize=False))
    return _read_at(tokenizer, text, ends, special=False)


def _mark_skywork(tokenizer: Tokenizer, solution: Solution) -> Marked:
    newline = tokenizer.encode("\n", add_special_tokens=False)[-1]
    bos = tokenizer.bos_token or ""
    ids = list(tokenizer.encode(f"{bos}{solution.problem}\n", add_special_tokens=False))
    positions = []
    for step in solution.steps:
        ids += [*tokenizer.encode(step, add_special_tokens=False), newline]
        positions.append(len(ids) - 1)
    return Marked(ids, positions)


def _ends(text: str, start: int, steps: Sequence[str], tag: str) -> list[int]:
    """Index in `text` after each step's tag, given where the first step starts."""
    ends = []
    for step in steps:
        start = text.index(step + tag, start) + len(step) + len(tag)
        ends.append(start)
    return ends


def _read_at(tokenizer: Tokenizer, text: str, ends: Sequence[int], *, special: bool) -> Marked:
    """Tokenize `text`; the reward after `end` characters is read at the last token before it."""
    encoded = tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)
    spans = encoded["offset_mapping"]
    positions = [
        max(token for token, (first, last) in enumerate(spans) if first < last <= end)
        for end in ends
    ]
    return Marked(list(encoded["input_ids"]), positions)


QWEN = Convention("qwen-prm", Head.CLASSES, _mark_qwen)
MATH_SHEPHERD = Convention("math-shepherd", Head.VOCABULARY, _mark_shepherd)
RLHFLOW = Convention("rlhflow-prm", Head.VOCABULARY, _mark_rlhflow)
SKYWORK = Convention("skywork-prm", Head.VALUE, _mark_skywork)
CONVENTIONS = {one.name: one for one in (QWEN, MATH_SHEPHERD, RLHFLOW, SKYWORK)}
