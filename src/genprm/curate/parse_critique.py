r"""Parses what a teacher wrote, strictly: a critique of every judged paragraph, or the fault.

A critique is accepted if it is as `dialogue.INSTRUCTION` demands: the paragraphs from 1 on in
order, each with one `<analyze>` and at most one `<verify>` part, and a conclusion in `\boxed{}` at
the end.
"""

import re
from collections.abc import Sequence

from genprm.curate.dialogue import Draft
from genprm.records.critiques import Block, Critique, Paragraph, Unreadable
from genprm.verdict import Run
from genprm.verify import format as wire

_PARAGRAPH_OPEN = re.compile(r"(?m)^### Paragraph (\d+)[ \t]*\n")
_OUTPUT_MARK = "[Code Output]"
_CONCLUSION = re.compile(r"\\boxed\{\s*(-?\d+)\s*\}")
_ANALYSIS = re.compile(r"<analyze>\s*(.*?)\s*</analyze>", re.DOTALL)
_VERIFICATION = re.compile(r"<verify>\s*(.*?)\s*</verify>", re.DOTALL)
_PREAMBLE = re.compile(
    r"\A(?:Let's analyze the Paragraph \d+ step by step:|"
    r"Let's use python code to find any potential error:)\s*"
)
_FENCE = re.compile(r"```(?:python|py)[ \t]*\n", re.IGNORECASE)
_RUN_MARK = "\0"  # stands for an executed block's output while a draft is read


def parse_critique(draft: Draft, steps: int) -> Critique:
    """Parse a draft as a critique of a solution with `steps` steps, or say why it is not one."""
    try:
        if draft.cut is not None:
            raise _UnreadableError(draft.cut)
        error = _conclusion(draft, steps)
        judged = steps if error is None else error
        sections = _sections(draft)
        if [number for number, _ in sections[:judged]] != list(range(1, judged + 1)):
            raise _UnreadableError(Unreadable.PARAGRAPHS)
        paragraphs = tuple(
            _paragraph(section, draft.runs, correct=number != error)
            for number, section in sections[:judged]
        )
    except _UnreadableError as fault:
        return Critique((), fault.cause, draft.text, draft.usage)
    return Critique(paragraphs, None, draft.text, draft.usage)


class _UnreadableError(Exception):
    def __init__(self, cause: Unreadable) -> None:
        self.cause = cause


def _conclusion(draft: Draft, steps: int) -> int | None:
    """The number (from 1) of the first incorrect paragraph; None for no error."""
    found = _CONCLUSION.findall(draft.pieces[-1].rsplit("</verify>", 1)[-1])
    if not found:
        raise _UnreadableError(Unreadable.NO_CONCLUSION)
    number = int(found[-1])
    if number != -1 and not 1 <= number <= steps:
        raise _UnreadableError(Unreadable.BAD_CONCLUSION)
    return None if number == -1 else number


def _sections(draft: Draft) -> list[tuple[int, str]]:
    """(number, text) of each paragraph's part, with a mark in place of each block's output."""
    if any(_OUTPUT_MARK in piece or _RUN_MARK in piece for piece in draft.pieces):
        raise _UnreadableError(Unreadable.INVENTED_OUTPUT)
    if any(wire.OUTPUT_OPEN in piece for piece in draft.pieces):
        raise _UnreadableError(Unreadable.JUDGEMENT)
    marked = draft.pieces[0] + "".join(
        f"{_RUN_MARK}{index}\n{piece}" for index, piece in enumerate(draft.pieces[1:])
    )
    parts = _PARAGRAPH_OPEN.split(marked)[1:]
    return [(int(number), text) for number, text in zip(parts[::2], parts[1::2], strict=True)]


def _paragraph(section: str, runs: Sequence[Run], *, correct: bool) -> Paragraph:
    analyses, verifications = _ANALYSIS.findall(section), _VERIFICATION.findall(section)
    if len(analyses) != 1 or _RUN_MARK in analyses[0] or section.count("<analyze>") != 1:
        raise _UnreadableError(Unreadable.ANALYSIS)
    if len(verifications) > 1 or section.count("<verify>") != len(verifications):
        raise _UnreadableError(Unreadable.VERIFICATION)
    analysis = _PREAMBLE.sub("", analyses[0])
    if not analysis:
        raise _UnreadableError(Unreadable.ANALYSIS)
    blocks, reflection = _blocks(verifications[0] if verifications else "", runs)
    return Paragraph(analysis, blocks, reflection, correct)


def _blocks(verification: str, runs: Sequence[Run]) -> tuple[tuple[Block, ...], str]:
    blocks: list[Block] = []
    *before, reflection = re.split(rf"{_RUN_MARK}(\d+)\n", verification)
    for text, index in zip(before[::2], before[1::2], strict=True):
        run = runs[int(index)]
        prose, *code = _FENCE.split(text)
        if len(code) != 1 or "```" in prose:
            raise _UnreadableError(Unreadable.VERIFICATION)
        blocks.append(Block(_PREAMBLE.sub("", prose.strip()), run.code, run.output, run.status))
    if "```" in reflection:
        raise _UnreadableError(Unreadable.VERIFICATION)
    return tuple(blocks), reflection.strip()
