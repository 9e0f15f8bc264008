"""The steps of one row as all runs judged them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genprm.evaluate.run import Run
from genprm.report.comparison import Disagreement

StoredRow = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one run said of one step; `analysis` and `code` are of the first vote that agrees.

    They are left out where a page would grow too long.
    """

    run: str
    reward: float | None
    label: bool | None
    votes: tuple[float | None, ...]
    analysis: str = ""
    code: tuple[tuple[str, str], ...] = ()  # (code, its output)


@dataclass(frozen=True, slots=True)
class JudgedStep:
    """A step with its truth: True right, False the first error, None not labelled."""

    text: str
    truth: bool | None
    opinions: tuple[Opinion, ...]


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A disagreement with its steps, and what whole-solution judges wrote."""

    disagreement: Disagreement
    steps: tuple[JudgedStep, ...]
    critiques: tuple[tuple[str, str], ...]  # (run, text)


def judged_rows(
    runs: Sequence[Run], chosen: Sequence[Disagreement], *, rationales: int
) -> list[JudgedRow]:
    """Read the chosen rows' votes out of the runs' folders; the first ones with rationales."""
    wanted = {one.row.id for one in chosen}
    stored = {run.name: _rows(run.stored_rows(), wanted) for run in runs}
    return [
        _judged(one, {name: rows[one.row.id] for name, rows in stored.items()}, index < rationales)
        for index, one in enumerate(chosen)
    ]


def _rows(rows: Iterable[StoredRow], wanted: set[str]) -> dict[str, StoredRow]:
    return {row["id"]: row for row in rows if row["id"] in wanted}


def _judged(
    disagreement: Disagreement, stored: Mapping[str, StoredRow], rationale: bool
) -> JudgedRow:
    row = disagreement.row
    steps = []
    for index, text in enumerate(row.solution.steps):
        opinions = (
            _opinion(run, said["steps"][index], rationale)
            for run, said in stored.items()
            if index < len(said["steps"])
        )
        after = row.wrong and index > row.first_error
        truth = None if after else index != row.first_error
        steps.append(JudgedStep(text, truth, tuple(opinions)))
    critiques = [
        (run, text)
        for run, said in stored.items()
        for text in said.get("critiques", ())[: int(rationale)]
    ]
    return JudgedRow(disagreement, tuple(steps), tuple(critiques))


def _opinion(run: str, step: StoredRow, rationale: bool) -> Opinion:
    votes = step["votes"]
    agreeing = (
        vote
        for vote in votes
        if vote["reward"] is not None and (vote["reward"] >= 0.5) == step["label"]
    )
    shown = next(agreeing, votes[0] if votes else {}) if rationale else {}
    return Opinion(
        run,
        step["reward"],
        step["label"],
        tuple(vote["reward"] for vote in votes),
        shown.get("analysis", ""),
        tuple((block["code"], block["output"]) for block in shown.get("runs", ())),
    )
