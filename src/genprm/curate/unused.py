"""Examples of what a curation did not use, by cause, for people who look for the reason."""

from collections import defaultdict
from dataclasses import dataclass

from genprm.curate.folder import Folder
from genprm.curate.stages import Stage
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import BatchRow, ConsensusRow

_EACH = 3  # examples of a cause


@dataclass(frozen=True, slots=True)
class Example:
    """A text that was not used; `id` names its problem or its critique."""

    cause: str
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class DroppedSolution:
    """A solution that consensus dropped.

    `steps` are (text, label from the scores, label from the teacher or None if it did not judge).
    """

    id: str
    cause: str
    steps: tuple[tuple[str, bool, bool | None], ...]
    text: str


def unused_samples(folder: Folder) -> list[Example]:
    """The first few samples of each kind that cannot be a path."""
    shown: dict[str, list[Example]] = defaultdict(list)
    for row in folder.rows(Stage.SOLUTIONS, BatchRow):
        for outcome, text in row.examples.items():
            if len(shown[outcome.value]) < _EACH:
                shown[outcome.value].append(Example(outcome.value, row.problem, text))
    return [example for own in shown.values() for example in own]


def unreadable_critiques(folder: Folder) -> list[Example]:
    """The first few critiques of each fault that makes them unreadable."""
    shown: dict[str, list[Example]] = defaultdict(list)
    for row in folder.rows(Stage.RATIONALES, CritiqueRow):
        if row.unreadable and len(shown[row.unreadable.value]) < _EACH:
            text = row.text or row.failed or ""
            shown[row.unreadable.value].append(Example(row.unreadable.value, row.key, text))
    return [example for own in shown.values() for example in own]


def dropped_solutions(folder: Folder) -> list[DroppedSolution]:
    """The first few solutions that consensus dropped for each cause."""
    chosen: dict[str, list[ConsensusRow]] = defaultdict(list)
    for row in folder.rows(Stage.CONSENSUS, ConsensusRow):
        if row.cause and len(chosen[row.cause.value]) < _EACH:
            chosen[row.cause.value].append(row)
    wanted = {row.key for own in chosen.values() for row in own}
    critiques = {
        row.path: row
        for row in folder.rows(Stage.RATIONALES, CritiqueRow)
        if row.sample == 0 and row.path in wanted
    }
    return [
        _dropped(cause, row, critiques[row.key]) for cause, own in chosen.items() for row in own
    ]


def _dropped(cause: str, row: ConsensusRow, critique: CritiqueRow) -> DroppedSolution:
    taught = critique.critique.labels
    padded = [*taught, *[None] * (len(row.steps) - len(taught))]
    steps = zip(row.steps, row.labels, padded, strict=True)
    return DroppedSolution(row.key, cause, tuple(steps), critique.text)
