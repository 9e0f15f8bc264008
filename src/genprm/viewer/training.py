"""Corrections as data: chats for `genprm train`, labelled rows for `genprm evaluate`.

A corrected solution is used up to its first error, like other training data. Each step's rationale
is that of a vote with the corrected judgement. If there is no such vote, the person's reason
becomes the analysis. A chat with such a reason has the form of the mode `cot`, because a person's
sentence cannot replace code that was run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from genprm.curate.chats import Piece, chat, chat_of
from genprm.records.chats import Author, ChatRow
from genprm.records.record import Record, Text
from genprm.verify import format as wire
from genprm.verify.format import Mode
from genprm.viewer.corrections import Correction
from genprm.viewer.documents import Document, StepView, VoteView


class LabelledRow(Record):
    """A row for `genprm evaluate`: `label` is the index of the first error from 0, -1 for none."""

    id: Text
    problem: Text
    steps: tuple[Text, ...]
    label: int
    generator: str
    note: Text


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A corrected solution that produces no row, and why."""

    index: int
    cause: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """A solution with its labels, some of which were corrected; all three are [steps]."""

    document: Document
    path: tuple[int, ...]
    labels: tuple[bool | None, ...]
    corrections: Mapping[int, Correction]  # by place in the path

    @property
    def key(self) -> str:
        """The key, unique in the run."""
        name = self.document.id or str(self.document.index)
        whole = len(self.path) == len(self.document.steps)
        return name if whole else f"{name}/{self.path[-1]}"

    @property
    def steps(self) -> tuple[StepView, ...]:
        """The solution's steps."""
        return tuple(self.document.steps[step] for step in self.path)

    @property
    def first_error(self) -> int | None:
        """Index from 0, -1 for none, None if an earlier step or all steps lack a label."""
        wrong = self.labels.index(False) if False in self.labels else len(self.labels)
        if None in self.labels[:wrong]:
            return None
        return wrong if wrong < len(self.labels) else -1


def corrected_solutions(
    document: Document, corrections: Sequence[Correction]
) -> Iterator[Corrected]:
    """The corrected solutions of one row; labels by people in the row count as well."""
    paths: dict[tuple[int, ...], dict[int, Correction]] = {}
    for correction in corrections:
        if correction.step < len(document.steps):
            path = document.path_of(correction.step)
            paths.setdefault(path, {})[path.index(correction.step)] = correction
    for path, own in paths.items():
        labels = [document.steps[step].label for step in path]
        if document.label is not None and document.kind == "solution":
            known = document.label if document.label >= 0 else len(labels)
            labels[:known] = [True] * min(known, len(labels))
            labels[known : known + 1] = [False] * len(labels[known : known + 1])
        for place, correction in own.items():
            labels[place] = correction.label
        yield Corrected(document, path, tuple(labels), own)


def labelled_row(solution: Corrected, run: str) -> LabelledRow | LeftOut:
    """The solution with its first error."""
    error = solution.first_error
    if error is None:
        return LeftOut(
            solution.document.index,
            f"{solution.key}: a step before the first error has no label; fix: correct "
            "that step, too",
        )
    return LabelledRow(
        id=solution.key,
        problem=solution.document.problem,
        steps=tuple(step.text for step in solution.steps),
        label=error,
        generator=run,
        note="\n".join(c.reason for c in solution.corrections.values() if c.reason),
    )


def chat_row(solution: Corrected) -> ChatRow | LeftOut:
    """The solution as a chat with its corrected judgements."""
    error = solution.first_error
    if error is None:
        return LeftOut(solution.document.index, f"{solution.key}: its first error is not known")
    judged = error + 1 if error >= 0 else len(solution.path)
    labels = [label is True for label in solution.labels[:judged]]
    votes = [_agreeing(solution.steps[at], label) for at, label in enumerate(labels)]
    mode, answers = _whole_turns(votes)
    if answers is None:
        analyses = [_analysis(solution, at, vote) for at, vote in enumerate(votes)]
        if missing := [str(at + 1) for at, text in enumerate(analyses) if not text]:
            return LeftOut(
                solution.document.index,
                f"{solution.key}: no vote and no reason supports the label of step "
                f"{', '.join(missing)}; fix: say why in the correction",
            )
        mode = Mode.COT
        answers = [
            _spoken(text, at, label)
            for at, (text, label) in enumerate(zip(analyses, labels, strict=True), 1)
        ]
    texts = [step.text for step in solution.steps]
    return chat_of(
        key=f"{solution.key}~corrected",
        solution=solution.key,
        problem=solution.document.problem,
        mode=mode,
        labels=labels,
        messages=chat(solution.document.problem, texts, answers, mode),
    )


def _agreeing(step: StepView, label: bool) -> VoteView | None:
    return next((vote for vote in step.votes if vote.label is label), None)


def _analysis(solution: Corrected, at: int, vote: VoteView | None) -> str:
    correction = solution.corrections.get(at)
    said = correction.reason.strip() if correction else ""
    return said or (vote.analysis.strip() if vote else "")


def _whole_turns(
    votes: Sequence[VoteView | None],
) -> tuple[Mode, list[list[Piece]] | None]:
    """The votes' own turns, if every step has one of the same form."""
    turns = [vote and split_turn(vote, at) for at, vote in enumerate(votes, 1)]
    whole = [turn for turn in turns if turn]
    if len(whole) < len(turns):
        return Mode.COT, None
    coded = {any(piece.author is Author.SANDBOX for piece in turn) for turn in whole}
    return (Mode.GENPRM if coded == {True} else Mode.COT), (whole if len(coded) == 1 else None)


def split_turn(vote: VoteView, step: int) -> list[Piece] | None:
    """A vote's turn on step `step` (from 1) in pieces by author; None if its form differs."""
    opening = wire.analyze_open(step)
    label = wire.YES if vote.label else wire.NO
    ending = f"{wire.JUDGEMENT_OPEN}{label}{wire.JUDGEMENT_CLOSE}"
    if not (vote.text.startswith(opening) and vote.text.endswith(ending)):
        return None
    pieces = [Piece(Author.DRIVER, opening)]
    rest = vote.text[len(opening) : -len(ending)]
    analysis, close, rest = rest.partition(wire.ANALYZE_CLOSE)
    pieces.append(Piece(Author.MODEL, analysis + close))
    if rest:
        if not rest.startswith(wire.VERIFY_OPEN):
            return None
        pieces.append(Piece(Author.DRIVER, wire.VERIFY_OPEN))
        rest = rest[len(wire.VERIFY_OPEN) :]
        for run in vote.runs:
            output = wire.code_output(run.output)
            before, found, rest = rest.partition(output)
            if not found:
                return None
            pieces += [Piece(Author.MODEL, before), Piece(Author.SANDBOX, output)]
        pieces.append(Piece(Author.MODEL, rest))
    return [
        *(piece for piece in pieces if piece.text),
        Piece(Author.DRIVER, wire.JUDGEMENT_OPEN),
        Piece(Author.MODEL, label),
        Piece(Author.DRIVER, wire.JUDGEMENT_CLOSE),
    ]


def _spoken(analysis: str, step: int, label: bool) -> list[Piece]:
    return [
        Piece(Author.DRIVER, wire.analyze_open(step)),
        Piece(Author.MODEL, f"{analysis}\n{wire.ANALYZE_CLOSE}"),
        Piece(Author.DRIVER, wire.JUDGEMENT_OPEN),
        Piece(Author.MODEL, wire.YES if label else wire.NO),
        Piece(Author.DRIVER, wire.JUDGEMENT_CLOSE),
    ]
