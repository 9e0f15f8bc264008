"""Stage 6, chats: kept rationales as the multi-turn chats of the wire format.

Every piece of an assistant's turn has an author: the model, the driver that appends the constant
parts, or the sandbox. The text is what `verify.session` would have written, so training sees what
judging will. Executed output carries no loss, nor does any turn of system and user.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from genprm.curate.folder import KEY, Row
from genprm.curate.progress import first_error
from genprm.curate.teacher import Critique, Paragraph
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat


class Author(StrEnum):
    """Who writes a piece when the trained model judges."""

    USER = "user"  # and system: the prompt
    DRIVER = "driver"  # constant parts of the wire format
    MODEL = "model"
    SANDBOX = "sandbox"  # executed output


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one message. Neighbours of one author stay apart where the driver hands over."""

    author: Author
    text: str


def turn(paragraph: Paragraph, step: int, mode: Mode) -> Iterator[Piece]:
    """The assistant's turn on step `step` (from 1) in a mode with a rationale."""
    if mode.analyses:
        yield Piece(Author.DRIVER, wire.analyze_open(step))
        yield Piece(Author.MODEL, f"{paragraph.analysis}\n{wire.ANALYZE_CLOSE}")
    if mode.codes:
        yield from _verification(paragraph, executes=mode.executes)
    yield Piece(Author.DRIVER, wire.JUDGEMENT_OPEN)
    yield Piece(Author.MODEL, wire.YES if paragraph.right else wire.NO)
    yield Piece(Author.DRIVER, wire.JUDGEMENT_CLOSE)


def direct_turn(*, right: bool) -> Iterator[Piece]:
    """The assistant's turn without a rationale (eq. 3)."""
    yield Piece(Author.DRIVER, wire.DIRECT_OPEN)
    yield Piece(Author.MODEL, wire.YES if right else wire.NO)
    yield Piece(Author.DRIVER, wire.DIRECT_CLOSE)


def _verification(paragraph: Paragraph, *, executes: bool) -> Iterator[Piece]:
    """Blocks, outputs and reflection; without execution the blocks alone: the rest speaks of it.

    The driver opens the first block itself, so what the teacher said before it is left out.
    """
    yield Piece(Author.DRIVER, wire.VERIFY_OPEN)
    for number, block in enumerate(paragraph.blocks):
        prose = f"{block.prose}\n" if block.prose and executes else ""
        opening = prose + wire.FENCE_OPEN if number else ""
        yield Piece(Author.MODEL, opening + block.code + wire.FENCE_CLOSE)
        if executes:
            yield Piece(Author.SANDBOX, wire.code_output(block.output))
    reflection = f"{paragraph.reflection}\n" if paragraph.reflection and executes else ""
    yield Piece(Author.MODEL, reflection + wire.VERIFY_CLOSE)


def usable(critique: Critique, mode: Mode) -> bool:
    """Whether a critique has what the mode needs: modes with code need some on every step."""
    return not mode.codes or all(paragraph.blocks for paragraph in critique.paragraphs)


def turns(critique: Critique, labels: Sequence[bool], mode: Mode) -> list[list[Piece]]:
    """The assistant's turns of a chat.

    A rationale ends in its teacher's judgement; direct mode has no teacher and takes the scores'
    labels [T], up to the first error.
    """
    if mode is Mode.DIRECT:
        error = first_error(labels)
        return [list(direct_turn(right=right)) for right in labels[: error + 1 or None]]
    return [list(turn(part, step, mode)) for step, part in enumerate(critique.paragraphs, 1)]


def chat(
    problem: str, steps: Sequence[str], answers: Sequence[Sequence[Piece]], mode: Mode
) -> list[tuple[str, list[Piece]]]:
    """(role, pieces) of every message of a chat."""
    texts = ["".join(piece.text for piece in pieces) for pieces in answers]
    opening = PromptFormat().messages(problem, steps, texts[:-1], mode=mode)
    waiting = iter(answers)
    messages = [
        (m["role"], list(next(waiting)))
        if m["role"] == "assistant"
        else (m["role"], [Piece(Author.USER, m["content"])])
        for m in opening
    ]
    return [*messages, ("assistant", list(answers[-1]))]


def chat_rows(
    kept: Iterable[Row], problems: Mapping[str, str], modes: Sequence[Mode]
) -> Iterator[Row]:
    """One row for each kept solution and mode, from the consensus stage's rows.

    `pieces` holds, for each message, authors and numbers of characters; they sum to its content.
    """
    for row in kept:
        if row["critique"] is None:
            continue
        critique = Critique.from_row(row["critique"])
        for mode in modes:
            if not usable(critique, mode):
                continue
            answers = turns(critique, row["labels"], mode)
            messages = chat(problems[row["problem"]], row["steps"], answers, mode)
            yield {
                KEY: f"{row[KEY]}~{mode.value}",
                "solution": row[KEY],
                "problem": row["problem"],
                "mode": mode.value,
                "labels": [pieces[-2].text == wire.YES for pieces in answers],
                "messages": [
                    {"role": role, "content": "".join(piece.text for piece in pieces)}
                    for role, pieces in messages
                ],
                "pieces": [
                    [{"author": p.author.value, "characters": len(p.text)} for p in pieces]
                    for _, pieces in messages
                ],
            }
