"""Compares runs: paired differences, and the rows on which they disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genprm.errors import InputError
from genprm.evaluate.intervals import Floats, bounds
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.metrics import average, score_subsets
from genprm.evaluate.run import EvaluationRun
from genprm.evaluate.summary import average_draws, subset_draws
from genprm.report.tables import Table, signed


@dataclass(frozen=True, slots=True)
class RowDisagreement:
    """A row whose first error some runs name correctly and others do not."""

    row: LabelledSolution
    predictions: Mapping[str, int | None]  # by run

    @property
    def anchor(self) -> str:
        """The id of its place in the page."""
        return "row-" + "".join(c if c.isalnum() else "-" for c in self.row.id)

    def hit(self, run: str) -> bool:
        """Whether this run named the first error correctly."""
        return self.predictions[run] == self.row.first_error


def shared_rows(runs: Sequence[EvaluationRun]) -> list[LabelledSolution]:
    """The rows that all runs judged, in the order of the first run.

    Raises:
        InputError: two runs label a row differently, or have no row in common.
    """
    labels = [{row.id: row.first_error for row in run.rows} for run in runs]
    rows = [row for row in runs[0].rows if all(row.id in known for known in labels)]
    for row in rows:
        if len({known[row.id] for known in labels}) > 1:
            raise InputError(
                f"row {row.id!r} is labelled differently by {', '.join(r.name for r in runs)}; "
                "fix: compare runs over the same data"
            )
    if not rows:
        raise InputError("these runs have no row in common; fix: make a report on each of them")
    return rows


def difference_table(runs: Sequence[EvaluationRun]) -> Table | None:
    """F1 of every run minus that of the first, resampled together; None for a single run."""
    if len(runs) < 2:
        return None
    rows = shared_rows(runs)
    first, *others = runs
    subsets = list(score_subsets(rows, {}))
    base_draws, base = _draws(rows, first), _points(rows, first)
    lines = []
    for run in others:
        draws, points = _draws(rows, run), _points(rows, run)
        cells = [
            _difference(points[name], base[name], draws[name] - base_draws[name])
            for name in [*subsets, "average"]
        ]
        lines.append([f"{run.name} − {first.name}", *cells])
    note = (
        f"Difference of F1 over the {len(rows)} rows that all runs judged [95 % paired bootstrap "
        "interval]; * where it leaves out 0."
    )
    return Table("Differences", ["runs", *subsets, "average"], lines, note)


def disagreements(runs: Sequence[EvaluationRun]) -> list[RowDisagreement]:
    """Rows that at least one run hits and at least one misses."""
    if len(runs) < 2:
        return []
    found = []
    for row in shared_rows(runs):
        predictions = {run.name: run.predictions.get(row.id) for run in runs}
        if len({predicted == row.first_error for predicted in predictions.values()}) > 1:
            found.append(RowDisagreement(row, predictions))
    return found


def _draws(rows: Sequence[LabelledSolution], run: EvaluationRun) -> dict[str, Floats]:
    draws = subset_draws(rows, run.predictions)
    return {name: own.f1 for name, own in draws.items()} | {"average": average_draws(draws)}


def _points(rows: Sequence[LabelledSolution], run: EvaluationRun) -> dict[str, float | None]:
    points = {name: own.f1 for name, own in score_subsets(rows, run.predictions).items()}
    return points | {"average": average(list(points.values()))}


def _difference(one: float | None, other: float | None, draws: Floats) -> str:
    if one is None or other is None:
        return "—"
    return signed(one - other, bounds(draws))
