"""The steps of one row as every run judged them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genprm.evaluate.run import EvaluationRun
from genprm.records.evaluations import EvaluatedRow
from genprm.records.verdicts import StepRow
from genprm.report.comparison import RowDisagreement


@dataclass(frozen=True, slots=True)
class Opinion:
    """One run's verdict on one step; `analysis` and `code` are from the first vote that agrees.

    They are left out if the page would become too long.
    """

    run: str
    reward: float | None
    label: bool | None
    votes: tuple[float | None, ...]
    analysis: str = ""
    code: tuple[tuple[str, str], ...] = ()  # (code, its output)


@dataclass(frozen=True, slots=True)
class JudgedStep:
    """A step with its truth: True for correct, False for the first error, None for no label."""

    text: str
    truth: bool | None
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A disagreement with its steps, and the texts of judges of whole solutions."""

    disagreement: RowDisagreement
    steps: tuple[JudgedStep, ...]
    critiques: tuple[tuple[str, str], ...]  # (run, text)


def judged_rows(
    runs: Sequence[EvaluationRun], chosen: Sequence[RowDisagreement], *, rationales: int
) -> list[JudgedRow]:
    """Read the chosen rows' votes out of the runs' folders; the first ones with rationales."""
    wanted = {one.row.id for one in chosen}
    stored = {run.name: _rows(run.stored_rows(), wanted) for run in runs}
    return [
        _judged(one, {name: rows[one.row.id] for name, rows in stored.items()}, index < rationales)
        for index, one in enumerate(chosen)
    ]


def _rows(rows: Iterable[EvaluatedRow], wanted: set[str]) -> dict[str, EvaluatedRow]:
    return {row.id: row for row in rows if row.id in wanted}


def _judged(
    disagreement: RowDisagreement, stored: Mapping[str, EvaluatedRow], rationale: bool
) -> JudgedRow:
    row = disagreement.row
    steps = []
    for index, text in enumerate(row.solution.steps):
        opinions = (
            _opinion(run, said.steps[index], rationale)
            for run, said in stored.items()
            if index < len(said.steps)
        )
        after = row.has_error and index > row.first_error
        truth = None if after else index != row.first_error
        steps.append(JudgedStep(text, truth, tuple(opinions)))
    critiques = [
        (run, text) for run, said in stored.items() for text in said.critiques[: int(rationale)]
    ]
    return JudgedRow(disagreement, tuple(steps), tuple(critiques))


def _opinion(run: str, step: StepRow, rationale: bool) -> Opinion:
    agreeing = (vote for vote in step.votes if vote.label is not None and vote.label == step.label)
    shown = next(agreeing, step.votes[0] if step.votes else None) if rationale else None
    return Opinion(
        run,
        step.reward,
        step.label,
        tuple(vote.reward for vote in step.votes),
        shown.analysis if shown else "",
        tuple((block.code, block.output) for block in shown.runs) if shown else (),
    )
