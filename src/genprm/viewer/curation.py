"""A curation's folder as documents: every path with its scores, labels and rationale; its funnel.

The stages' files are read as they lie, as far as the curation has come. A line that cannot be read
is left out of the joins and shown as unreadable where it is a path of its own.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import Field, ValidationError

from genprm.records.record import Record, Text
from genprm.records.validation import first_fault
from genprm.verdict import Run
from genprm.viewer.documents import CodeRun, Document, StepView, VoteView
from genprm.viewer.evidence import find_evidence

R = TypeVar("R", bound=Record)
STAGES = ("problems", "solutions", "rollouts", "progress", "rationales", "consensus", "chats")


class _Problem(Record):
    id: Text
    text: Text
    answer: Text | None = None


class _Block(Record):
    prose: Text = ""
    code: Text
    output: Text
    status: Text


class _Paragraph(Record):
    analysis: Text
    blocks: tuple[_Block, ...] = ()
    reflection: Text = ""
    right: bool


class _Critique(Record):
    path: Text
    paragraphs: tuple[_Paragraph, ...] = ()
    unreadable: str | None = None
    text: Text = ""


class _ScoredPath(Record):
    key: Text
    problem: Text
    right: bool | None = None
    steps: tuple[Text, ...]
    mc: tuple[float | None, ...] = ()
    progress: tuple[float | None, ...] = ()
    labels: tuple[bool, ...] = ()
    first_error: int | None = None


class FunnelStage(Record):
    """One bar of the funnel: what is counted, how many, and what became of the others."""

    name: str
    count: int
    lost: dict[str, int] = Field(default_factory=dict)


def is_curation(folder: Path) -> bool:
    """Whether a folder was written by `genprm curate`."""
    return (folder / "problems.jsonl.run.json").exists() or (folder / "solutions.jsonl").exists()


def curated_documents(folder: Path) -> Iterator[Document]:
    """One document for each path, in the order of the latest stage that holds all of them."""
    problems = {row.id: row for row in _parsed(folder / "problems.jsonl", _Problem)}
    critiques: dict[str, list[_Critique]] = {}
    for critique in _parsed(folder / "rationales.jsonl", _Critique):
        critiques.setdefault(critique.path, []).append(critique)
    causes = {str(row.get("key")): row.get("cause") for row in _objects(folder / "consensus.jsonl")}
    for index, row in enumerate(_paths(folder)):
        try:
            path = _ScoredPath.model_validate(row)
        except ValidationError as error:
            name = str(row.get("key", f"row {index}"))
            yield Document(kind="unreadable", index=index, id=name, failed=first_fault(error))
            continue
        problem = problems.get(path.problem, _Problem(id=path.problem, text=path.problem))
        own = critiques.get(path.key, [])
        stop = None
        if path.key in causes:
            stop = f"dropped: {causes[path.key]}" if causes[path.key] else "kept by consensus"
        yield Document(
            kind="path",
            index=index,
            id=path.key,
            problem=problem.text,
            answer=problem.answer,
            first_error=path.first_error,
            stop=stop,
            steps=tuple(_step(path, own, number) for number in range(len(path.steps))),
        )


def _step(path: _ScoredPath, critiques: list[_Critique], number: int) -> StepView:
    votes = tuple(
        _vote(critique.paragraphs[number])
        for critique in critiques
        if number < len(critique.paragraphs)
    )
    mc = path.mc[number] if number < len(path.mc) else None
    return StepView(
        text=path.steps[number],
        reward=mc,
        label=path.labels[number] if number < len(path.labels) else None,
        judged=number < len(path.labels) or bool(votes),
        wanted=len(votes),
        votes=votes,
        mc=mc,
        progress=path.progress[number] if number < len(path.progress) else None,
    )


def _vote(paragraph: _Paragraph) -> VoteView:
    runs = [Run(block.code, block.output, block.status) for block in paragraph.blocks]
    return VoteView(
        reward=None,
        label=paragraph.right,
        analysis=paragraph.analysis,
        runs=tuple(CodeRun(code=run.code, output=run.output, status=run.status) for run in runs),
        text=paragraph.reflection,
        evidence=find_evidence(runs, paragraph.right),
        author="teacher",
    )


def funnel(folder: Path) -> tuple[FunnelStage, ...]:
    """From problems to chats, with the causes of every loss."""
    stages = [FunnelStage(name="problems", count=_count(folder / "problems.jsonl"))]
    kinds: dict[str, Counter[bool]] = {}
    samples: Counter[str] = Counter()
    for row in _objects(folder / "solutions.jsonl"):
        own = kinds.setdefault(str(row.get("problem")), Counter())
        own.update(bool(path.get("right")) for path in _mappings(row.get("paths")))
        outcomes = row.get("fates", row.get("outcomes"))
        if isinstance(outcomes, Mapping):
            samples.update({str(k): int(v) for k, v in outcomes.items() if isinstance(v, int)})
    if kinds:
        used = {name: own for name, own in kinds.items() if own[True] and own[False]}
        lost = Counter(_missing(own) for name, own in kinds.items() if name not in used)
        stages += [
            FunnelStage(name="samples drawn", count=samples.total(), lost=dict(samples)),
            FunnelStage(
                name="problems with correct and incorrect paths", count=len(used), lost=dict(lost)
            ),
            FunnelStage(name="paths", count=sum(own.total() for own in used.values())),
        ]
    if rationales := list(_objects(folder / "rationales.jsonl")):
        bad = Counter(str(row["unreadable"]) for row in rationales if row.get("unreadable"))
        stages.append(
            FunnelStage(
                name="critiques that can be read",
                count=len(rationales) - bad.total(),
                lost=dict(bad),
            )
        )
    if decided := list(_objects(folder / "consensus.jsonl")):
        gone = Counter(str(row["cause"]) for row in decided if row.get("cause"))
        stages.append(
            FunnelStage(
                name="paths kept by consensus", count=len(decided) - gone.total(), lost=dict(gone)
            )
        )
    modes = Counter(str(row.get("mode")) for row in _objects(folder / "chats.jsonl"))
    stages += [FunnelStage(name=f"chats, {mode}", count=n) for mode, n in modes.items()]
    return tuple(stages)


def _missing(own: Counter[bool]) -> str:
    if own[True]:
        return "no incorrect path"
    return "no correct path" if own[False] else "no path"


def _paths(folder: Path) -> Iterator[Mapping[str, object]]:
    scored = folder / "progress.jsonl"
    if scored.exists():
        yield from _objects(scored)
        return
    for row in _objects(folder / "solutions.jsonl"):
        for path in _mappings(row.get("paths")):
            yield {"key": path.get("id"), "problem": row.get("problem"), **path}


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _count(file: Path) -> int:
    return sum(1 for _ in _objects(file))


def _objects(file: Path) -> Iterator[Mapping[str, object]]:
    """The JSON objects of a file that is there; torn and foreign lines are left out."""
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


def _parsed(file: Path, record: type[R]) -> Iterator[R]:
    for row in _objects(file):
        try:
            yield record.model_validate(row)
        except ValidationError:
            continue
