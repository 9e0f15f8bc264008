"""The funnel of a curation: the counts of each stage, and what happened to the rest."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from genprm.records.chats import ChatRow
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import BatchRow, ConsensusRow, SampleOutcome
from genprm.records.record import Record
from genprm.viewer.curation import objects_of, rows_of, stage_file


class FunnelStage(Record):
    """One bar of the funnel: what is counted, how many, and what happened to the others."""

    name: str
    count: int
    lost: dict[str, int] = Field(default_factory=dict)


def funnel(folder: Path) -> tuple[FunnelStage, ...]:
    """The funnel from problems to chats, with the causes of every loss."""
    problems = sum(1 for _ in objects_of(stage_file(folder, "problems")))
    return (
        FunnelStage(name="problems", count=problems),
        *_sampled(folder),
        *_criticised(folder),
        *_chats(folder),
    )


def _sampled(folder: Path) -> list[FunnelStage]:
    outcomes: Counter[str] = Counter()
    paths: dict[str, Counter[bool]] = {}  # of each problem, correct and incorrect ones
    for row in rows_of(stage_file(folder, "solutions"), BatchRow):
        outcomes.update({str(name): count for name, count in row.outcomes.items()})
        paths.setdefault(row.problem, Counter()).update(path.correct for path in row.paths)
    if not paths:
        return []
    used = {name: own for name, own in paths.items() if own[True] and own[False]}
    lost = Counter(_missing(own) for name, own in paths.items() if name not in used)
    usable = {SampleOutcome.CORRECT, SampleOutcome.INCORRECT}
    return [
        FunnelStage(
            name="samples drawn",
            count=outcomes.total(),
            lost={name: count for name, count in outcomes.items() if name not in usable},
        ),
        FunnelStage(
            name="problems with correct and incorrect paths", count=len(used), lost=dict(lost)
        ),
        FunnelStage(name="paths", count=sum(own.total() for own in used.values())),
    ]


def _missing(own: Counter[bool]) -> str:
    if own[True]:
        return "no incorrect path"
    return "no correct path" if own[False] else "no path"


def _criticised(folder: Path) -> list[FunnelStage]:
    stages = []
    critiques = [row.unreadable for row in rows_of(stage_file(folder, "rationales"), CritiqueRow)]
    if critiques:
        stages.append(_kept("critiques that can be read", critiques))
    causes = [row.cause for row in rows_of(stage_file(folder, "consensus"), ConsensusRow)]
    if causes:
        stages.append(_kept("paths kept by consensus", causes))
    return stages


def _kept(name: str, causes: Sequence[object]) -> FunnelStage:
    lost = Counter(str(cause) for cause in causes if cause)
    return FunnelStage(name=name, count=len(causes) - lost.total(), lost=dict(lost))


def _chats(folder: Path) -> list[FunnelStage]:
    modes = Counter(row.mode for row in rows_of(stage_file(folder, "chats"), ChatRow))
    return [FunnelStage(name=f"chats, {mode}", count=count) for mode, count in modes.items()]
