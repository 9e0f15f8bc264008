"""A problem, a solution in steps, and how a text becomes steps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MARKED_STEP = re.compile(r"(?m)^(?=(?:\*\*|#+ )?Step \d+\b)")
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem `x` with its gold answer `q*` where one is known."""

    id: str
    text: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """A problem with the steps `a_1 … a_T` of one solution, as they will be judged."""

    problem: str
    steps: tuple[str, ...]
    id: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)  # the row's other fields, passed through


def split_steps(text: str) -> tuple[str, ...]:
    r"""Split a solution into steps.

    At `Step k` markers where there are at least two; else at blank lines (ProcessBench's
    convention), keeping display math whole; else at line ends. No text is lost but the white
    space between steps.
    """
    text = text.strip()
    marked = _stripped(_MARKED_STEP.split(text))
    if len(_MARKED_STEP.findall(text)) >= 2:
        return marked
    paragraphs = _whole_math(_stripped(_BLANK_LINE.split(text)))
    return paragraphs if len(paragraphs) > 1 else _whole_math(_stripped(text.splitlines()), "\n")


def _stripped(parts: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in parts if part.strip())


def _whole_math(parts: tuple[str, ...], glue: str = "\n\n") -> tuple[str, ...]:
    """Join parts again where a split fell inside `\\[ … \\]`, `$$ … $$` or an environment."""
    whole: list[str] = []
    for part in parts:
        if whole and _open_math(whole[-1]):
            whole[-1] += glue + part
        else:
            whole.append(part)
    return tuple(whole)


def _open_math(text: str) -> bool:
    return (
        text.count(r"\[") > text.count(r"\]")
        or text.count("$$") % 2 == 1
        or text.count(r"\begin{") > text.count(r"\end{")
    )
