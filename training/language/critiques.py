"""What a verifier of people's text learns from: the calculation first, then the step's claim.

The first turn on a solution writes the whole problem as lines of Python, before any later step is
seen; each turn then compares what its step states with one of those lines, and execution decides.
There is no sentence in it that could be worded in another way. A turn in the mode `genprm` says the
lines in its analysis before it writes them as code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genprm.arithmetic.teacher import run
from genprm.curate.chats import Piece, chat, chat_of
from genprm.records.chats import Author, ChatRow
from genprm.verify import format as wire
from genprm.verify.format import Mode

_MASKED = re.compile(r"\$?\(?\d[\d.,\s$%+\-*/x×÷()]*=\s*(?=\$?-?\d)")


@dataclass(frozen=True, slots=True)
class Stated:
    """A number that a step states, and the line of the problem that it stands for."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A problem as lines of Python, and a solution up to its first wrong step."""

    problem: str
    steps: tuple[str, ...]
    lines: tuple[str, ...]  # `name = expression`, in order
    stated: tuple[tuple[Stated, ...], ...]  # of each judged step


def masked(step: str) -> str:
    """The step without the calculations that it prints, so that none can be copied."""
    return _MASKED.sub("", step)


def critique(worked: Worked, key: str, mode: Mode) -> ChatRow:
    """The chat on a solution.

    Raises:
        ValueError: a line cannot be run, or a step before the last does not hold.
    """
    namespace: dict[str, object] = {}
    turns: list[list[Piece]] = []
    labels: list[bool] = []
    for index, stated in enumerate(worked.stated):
        lines = worked.lines if index == 0 else ()
        code = "\n".join((*lines, comparison(stated)))
        try:
            output = run(code, namespace)
        except (ArithmeticError, NameError, SyntaxError, TypeError) as error:
            raise ValueError(str(error)) from error
        labels.append("False" not in output)
        turns.append(list(_turn(index + 1, lines, stated, code, output, mode)))
        if not labels[-1] and index + 1 < len(worked.stated):
            raise ValueError("a step before the last one does not hold")
    steps = worked.steps[: len(turns)]
    return chat_of(
        key=f"{key}~{mode.value}",
        solution=key,
        problem=key,
        mode=mode,
        labels=labels,
        messages=chat(worked.problem, steps, turns, mode),
    )


def comparison(stated: Sequence[Stated]) -> str:
    """The line that holds what a step states against the problem's lines."""
    tests = ", ".join(f"abs({one.name} - {one.number}) < 0.01" for one in stated)
    return f"print({tests})"


def _turn(
    number: int, lines: Sequence[str], stated: Sequence[Stated], code: str, output: str, mode: Mode
) -> Iterator[Piece]:
    if mode.analyses:
        derived = f"The problem says {', '.join(lines)}. " if lines else ""
        claims = ", ".join(f"{one.name} is {one.number}" for one in stated)
        yield Piece(Author.DRIVER, wire.analyze_open(number))
        said = f"{derived}This paragraph says {claims}."
        yield Piece(Author.MODEL, f"{said}\n{wire.ANALYZE_CLOSE}")
    yield Piece(Author.DRIVER, wire.VERIFY_OPEN)
    yield Piece(Author.MODEL, code + wire.FENCE_CLOSE)
    yield Piece(Author.SANDBOX, wire.code_output(output))
    yield Piece(Author.MODEL, wire.VERIFY_CLOSE)
    yield Piece(Author.DRIVER, wire.JUDGEMENT_OPEN)
    yield Piece(Author.MODEL, wire.NO if "False" in output else wire.YES)
    yield Piece(Author.DRIVER, wire.JUDGEMENT_CLOSE)
