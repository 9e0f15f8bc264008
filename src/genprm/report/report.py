"""A report: runs side by side, gathered once, then written as a page and as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genprm.errors import InputError
from genprm.evaluate.run import ROWS, SUMMARY, EvaluationRun, read_run
from genprm.evaluate.selection import FILE as SELECTIONS
from genprm.evaluate.selection import Selection, read_selections
from genprm.evaluate.summary import summarise_judgements
from genprm.records.summaries import Summary
from genprm.report import numbers
from genprm.report.charts import run_charts, selection_charts
from genprm.report.comparison import RowDisagreement, difference_table, disagreements
from genprm.report.rationales import JudgedRow, judged_rows
from genprm.report.svg import Chart
from genprm.report.tables import Table


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a page shows.

    `appendix` holds the tables that are long; `details` the steps of each disagreement.
    """

    runs: Sequence[EvaluationRun]
    selections: Sequence[Selection]
    tables: Sequence[Table]
    breakdowns: Sequence[Table]
    appendix: Sequence[Table]
    charts: Sequence[Chart]
    disagreements: Sequence[RowDisagreement]
    details: Sequence[JudgedRow]

    def markdown(self) -> str:
        """All tables."""
        return "## genprm report\n\n" + "\n".join(table.markdown() for table in self._all())

    def csv(self) -> Mapping[str, str]:
        """All tables by a name fit for a file."""
        return {
            "".join(c if c.isalnum() else "-" for c in table.title.lower()).strip("-"): table.csv()
            for table in self._all()
        }

    def _all(self) -> list[Table]:
        return [*self.tables, *self.breakdowns, *self.appendix]


def gather(folders: Sequence[Path], *, rationales: int = 100) -> Report:
    """Read run folders of `genprm evaluate` and compare them.

    The first `rationales` disagreements include what was written about their steps.

    Raises:
        InputError: a folder contains no run, or the runs cannot be compared.
    """
    runs, selections = _read(folders)
    summaries = {run.name: _summary(run) for run in runs}
    tables, breakdowns, charts = _about_runs(runs, summaries) if runs else ([], [], [])
    disagreed = disagreements(runs) if runs else []
    return Report(
        runs,
        selections,
        tables,
        breakdowns,
        [numbers.selection_table(selection) for selection in selections],
        [*charts, *selection_charts(selections)],
        disagreed,
        judged_rows(runs, disagreed, rationales=rationales),
    )


def _about_runs(
    runs: Sequence[EvaluationRun], summaries: numbers.Summaries
) -> tuple[list[Table], list[Table], list[Chart]]:
    tables = [
        numbers.f1_table(summaries),
        difference_table(runs),
        numbers.votes_table(summaries),
        numbers.cost_table(summaries),
        numbers.calibration_table(summaries),
        numbers.detail_table(summaries),
    ]
    shown = [table for table in tables if table is not None]
    return shown, numbers.breakdown_tables(summaries), run_charts(summaries)


def _read(folders: Sequence[Path]) -> tuple[list[EvaluationRun], list[Selection]]:
    runs: list[EvaluationRun] = []
    selections: list[Selection] = []
    for folder in folders:
        if (folder / SELECTIONS).exists():
            selections += read_selections(folder / SELECTIONS)
        elif (folder / ROWS).exists() or not folder.exists():
            runs.append(read_run(folder))
        else:
            raise InputError(
                f"{folder}: the folder contains no run; "
                "fix: name folders that genprm evaluate --output wrote"
            )
    return _distinct(runs), selections


def _distinct(runs: Sequence[EvaluationRun]) -> list[EvaluationRun]:
    """Names for the runs; folders of the same name get those of their parents as well."""
    names = [run.name for run in runs]
    return [
        replace(run, name=str(run.folder)) if names.count(run.name) > 1 else run for run in runs
    ]


def _summary(run: EvaluationRun) -> Summary:
    """The summary that a finished run stored; an unfinished one is summarised as far as it got."""
    path = run.folder / SUMMARY
    if path.exists():
        summary = Summary.model_validate_json(path.read_bytes())
        if summary.rows == len(run.rows):
            return summary
    return summarise_judgements(run.rows, run.judgements)
