"""A curation's folder as documents: every path with its scores, labels and rationale.

The files of the stages are read directly, as far as the curation has come. A line that cannot be
read is left out of the joins; if it is a path, it is shown as unreadable.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from genprm.records.critiques import CritiqueRow, Paragraph
from genprm.records.curation import BatchRow, ConsensusRow, GoldProblemRow, LabelledPathRow
from genprm.records.record import Row
from genprm.records.validation import first_fault
from genprm.viewer.documents import CodeRun, Document, StepView, VoteView

R = TypeVar("R", bound=Row)
STAGES = ("problems", "solutions", "rollouts", "progress", "rationales", "consensus", "chats")


def is_curation(folder: Path) -> bool:
    """Whether a folder was written by `genprm curate`."""
    return any(
        str(spec.get("command", "curate")).startswith("curate")  # version 0.1 names no command
        for stage in ("problems", "solutions")
        for spec in _spec(folder / f"{stage}.jsonl.run.json")
    )


def _spec(file: Path) -> Iterator[Mapping[str, object]]:
    """The spec of a stage's journal, if there is one."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return
    if isinstance(found, Mapping):
        yield found


def stage_file(folder: Path, stage: str) -> Path:
    """The file with a stage's rows."""
    return folder / f"{stage}.jsonl"


def curated_documents(folder: Path) -> Iterator[Document]:
    """One document for each path, in the order of the latest stage that holds all of them."""
    joined = _Joined(folder)
    scored = stage_file(folder, "progress")
    documents = _scored(scored, joined) if scored.exists() else _sampled(folder, joined)
    for index, document in enumerate(documents):
        yield document.model_copy(update={"index": index})


class _Joined:
    """What the other stages say about a path."""

    def __init__(self, folder: Path) -> None:
        self.problems = {
            row.id: row for row in rows_of(stage_file(folder, "problems"), GoldProblemRow)
        }
        self.critiques: dict[str, list[CritiqueRow]] = {}
        for critique in rows_of(stage_file(folder, "rationales"), CritiqueRow):
            self.critiques.setdefault(critique.path, []).append(critique)
        self.decisions = {
            row.key: row for row in rows_of(stage_file(folder, "consensus"), ConsensusRow)
        }

    def document(self, key: str, problem: str, steps: tuple[StepView, ...]) -> Document:
        """A path's document."""
        known = self.problems.get(problem)
        return Document(
            kind="path",
            id=key,
            problem=known.text if known else problem,
            answer=known.answer if known else None,
            stop=self._stop(key),
            steps=steps,
        )

    def _stop(self, key: str) -> str | None:
        decision = self.decisions.get(key)
        if decision is None:
            return None
        return f"dropped: {decision.cause}" if decision.cause else "kept by consensus"


def _scored(file: Path, joined: _Joined) -> Iterator[Document]:
    for fields in objects_of(file):
        try:
            row = LabelledPathRow.model_validate(fields)
        except ValidationError as error:
            yield _unreadable(fields, error)
            continue
        critiques = joined.critiques.get(row.key, [])
        steps = tuple(_step(row, critiques, number) for number in range(len(row.steps)))
        document = joined.document(row.key, row.problem, steps)
        yield document.model_copy(update={"first_error": row.first_error})


def _sampled(folder: Path, joined: _Joined) -> Iterator[Document]:
    """The paths, before they have scores."""
    for fields in objects_of(stage_file(folder, "solutions")):
        try:
            row = BatchRow.model_validate(fields)
        except ValidationError as error:
            yield _unreadable(fields, error)
            continue
        for path in row.paths:
            steps = tuple(StepView(text=text, judged=False) for text in path.steps)
            yield joined.document(path.id, row.problem, steps)


def _unreadable(fields: Mapping[str, object], error: ValidationError) -> Document:
    return Document(kind="unreadable", id=str(fields.get("key", "")), failed=first_fault(error))


def _step(row: LabelledPathRow, critiques: list[CritiqueRow], number: int) -> StepView:
    votes = tuple(
        _vote(critique.paragraphs[number])
        for critique in critiques
        if number < len(critique.paragraphs)
    )
    score = _at(row.mc, number)
    return StepView(
        text=row.steps[number],
        reward=score,
        label=row.labels[number] if number < len(row.labels) else None,
        judged=number < len(row.labels) or bool(votes),
        wanted=len(votes),
        votes=votes,
        mc=score,
        progress=_at(row.progress, number),
    )


def _at(scores: tuple[float | None, ...], number: int) -> float | None:
    return scores[number] if number < len(scores) else None


def _vote(paragraph: Paragraph) -> VoteView:
    runs = (CodeRun(code=b.code, output=b.output, status=b.status) for b in paragraph.blocks)
    return VoteView(
        reward=None,
        label=paragraph.correct,
        analysis=paragraph.analysis,
        runs=tuple(runs),
        text=paragraph.reflection,
        author="teacher",
    )


def objects_of(file: Path) -> Iterator[Mapping[str, object]]:
    """The JSON objects of a file, if it exists, without incomplete and foreign lines."""
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(row, Mapping):
                yield row


def rows_of(file: Path, row_type: type[R]) -> Iterator[R]:
    """The rows of one kind, without others."""
    for fields in objects_of(file):
        try:
            yield row_type.model_validate(fields)
        except ValidationError:
            continue
