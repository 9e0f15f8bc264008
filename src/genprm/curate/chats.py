"""Stage 6, chats: kept rationales as the multi-turn chats of the wire format.

Every piece of an assistant's turn has an author: the model, the driver that appends the constant
parts, or the sandbox. The text is what `verify.session` would have produced, so the model is
trained on what it will see when it judges. Executed output and the turns of system and user have no
loss.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from genprm.model import Message
from genprm.records.chats import Author, ChatRow, MessageRow, PieceRow
from genprm.records.critiques import Critique, Paragraph
from genprm.records.curation import ConsensusRow
from genprm.verdict import first_error
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one message. Parts of one author stay separate where the model takes over."""

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
    yield Piece(Author.MODEL, wire.YES if paragraph.correct else wire.NO)
    yield Piece(Author.DRIVER, wire.JUDGEMENT_CLOSE)


def direct_turn(*, correct: bool) -> Iterator[Piece]:
    """The assistant's turn without a rationale (eq. 3)."""
    yield Piece(Author.DRIVER, wire.DIRECT_OPEN)
    yield Piece(Author.MODEL, wire.YES if correct else wire.NO)
    yield Piece(Author.DRIVER, wire.DIRECT_CLOSE)


def _verification(paragraph: Paragraph, *, executes: bool) -> Iterator[Piece]:
    """Blocks, outputs and reflection; without execution only the blocks.

    The driver opens the first block itself, so the teacher's text before it is left out.
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
    """Whether a critique has what the mode needs: modes with code need code on every step."""
    return not mode.codes or all(paragraph.blocks for paragraph in critique.paragraphs)


def turns(critique: Critique, labels: Sequence[bool], mode: Mode) -> list[list[Piece]]:
    """The assistant's turns of a chat.

    A rationale ends with the teacher's judgement. The direct mode does not use the teacher, but the
    labels [T] from the scores, up to the first error.
    """
    if mode is Mode.DIRECT:
        error = first_error(labels)
        return [list(direct_turn(correct=label)) for label in labels[: error + 1 or None]]
    return [list(turn(part, step, mode)) for step, part in enumerate(critique.paragraphs, 1)]


def chat(
    problem: str, steps: Sequence[str], answers: Sequence[Sequence[Piece]], mode: Mode
) -> list[tuple[Message, list[Piece]]]:
    """The messages of a chat, each with its pieces."""
    texts = ["".join(piece.text for piece in pieces) for pieces in answers]
    opening = PromptFormat().messages(problem, steps, texts[:-1], mode=mode)
    waiting = iter(answers)
    messages: list[tuple[Message, list[Piece]]] = [
        (m, list(next(waiting)) if m["role"] == "assistant" else [Piece(Author.USER, m["content"])])
        for m in opening
    ]
    return [*messages, ({"role": "assistant", "content": texts[-1]}, list(answers[-1]))]


def chat_rows(
    kept: Iterable[ConsensusRow], problems: Mapping[str, str], modes: Sequence[Mode]
) -> Iterator[ChatRow]:
    """One row for each kept solution and mode, from the consensus stage's rows."""
    for row in kept:
        if row.critique is None:
            continue
        for mode in modes:
            if usable(row.critique, mode):
                answers = turns(row.critique, row.labels, mode)
                yield _chat_row(row, problems[row.problem], answers, mode)


def _chat_row(
    row: ConsensusRow, problem: str, answers: Sequence[Sequence[Piece]], mode: Mode
) -> ChatRow:
    return chat_of(
        key=f"{row.key}~{mode.value}",
        solution=row.key,
        problem=row.problem,
        mode=mode,
        labels=[pieces[-2].text == wire.YES for pieces in answers],
        messages=chat(problem, row.steps, answers, mode),
    )


def chat_of(
    *,
    key: str,
    solution: str,
    problem: str,
    mode: Mode,
    labels: Iterable[bool],
    messages: Sequence[tuple[Message, Sequence[Piece]]],
) -> ChatRow:
    """The row of a chat; `labels` are the judgements of its turns."""
    return ChatRow(
        key=key,
        solution=solution,
        problem=problem,
        mode=mode.value,
        labels=tuple(labels),
        messages=tuple(MessageRow(**message) for message, _ in messages),
        pieces=tuple(
            tuple(PieceRow(author=one.author, characters=len(one.text)) for one in pieces)
            for _, pieces in messages
        ),
    )
