"""The numbers of runs as tables: one summary by name in, one table out."""

from collections.abc import Mapping

from genprm.evaluate.selection import Selection
from genprm.records.summaries import GroupScores, Majority, SubsetScores, Summary
from genprm.report.tables import Table, number, with_interval

Summaries = Mapping[str, Summary]  # by the run's name

METRICS = {"error_accuracy": "error acc.", "correct_accuracy": "correct acc.", "f1": "F1"}


def f1_table(runs: Summaries) -> Table:
    """F1 by subset, and the average: the table that papers print."""
    subsets = _subsets(runs)
    rows = [
        [
            name,
            *(_f1(summary.subsets.get(subset)) for subset in subsets),
            with_interval(summary.average_f1, summary.average_f1_interval),
            str(summary.abstained),
        ]
        for name, summary in runs.items()
    ]
    note = "F1 in percent [95 % bootstrap interval]. Abstained rows count as misses."
    return Table("F1", ["run", *subsets, "average", "abstained"], rows, note)


def detail_table(runs: Summaries) -> Table:
    """Both accuracies and F1 by run and subset."""
    rows = [
        [
            name,
            subset,
            *(with_interval(getattr(own, key), getattr(own.interval, key)) for key in METRICS),
            str(own.errors),
            str(own.corrects),
            str(own.abstained),
        ]
        for name, summary in runs.items()
        for subset, own in summary.subsets.items()
    ]
    columns = ["run", "subset", *METRICS.values(), "wrong", "right", "abstained"]
    return Table("By subset", columns, rows)


def votes_table(runs: Summaries) -> Table | None:
    """Pass@1 and Maj@k, average F1, from the votes of one run each."""
    ks = sorted({int(k) for run in runs.values() for k in run.majority})
    if ks in ([], [1]):
        return None
    rows = []
    for name, summary in runs.items():
        majority, single = summary.majority, summary.pass_at_1
        spread = f" ± {number(single.spread)}" if single and single.spread else ""
        rows.append(
            [
                name,
                number(single.average_f1 if single else None) + spread,
                *(_average_f1(majority.get(str(k))) for k in ks),
            ]
        )
    note = (
        "Average F1. Pass@1 is the mean over single votes ± their standard deviation; Maj@k is "
        "the mean over all k-subsets of the votes."
    )
    return Table("Votes", ["run", "Pass@1", *(f"Maj@{k}" for k in ks)], rows, note)


def cost_table(runs: Summaries) -> Table | None:
    """Tokens, executions and seconds per solution."""
    costs = {name: run.cost for name, run in runs.items() if run.cost}
    if not any(cost.seconds or cost.tokens_out for cost in costs.values()):
        return None
    fields = ("tokens_in", "tokens_cached", "tokens_out", "executions", "seconds")
    rows = [
        [name, *(number(getattr(cost, field)) for field in fields)] for name, cost in costs.items()
    ]
    columns = ["run", *(field.replace("_", " ") for field in fields)]
    return Table("Cost per solution", columns, rows, "Seconds overlap when rows run concurrently.")


def calibration_table(runs: Summaries) -> Table | None:
    """Calibration of step rewards, and risk against coverage."""
    rows = [
        [
            name,
            str(calibration.steps),
            number(calibration.ece, 3),
            number(calibration.brier, 3),
            number(run.risk_coverage.area if run.risk_coverage else None, 3),
        ]
        for name, run in runs.items()
        if (calibration := run.calibration)
    ]
    columns = ["run", "labelled steps", "ECE", "Brier", "area under risk–coverage"]
    return Table("Calibration", columns, rows) if rows else None


def breakdown_tables(runs: Summaries) -> list[Table]:
    """F1 or accuracy of every part of the rows, runs side by side."""
    titles = {
        "generator": "By generator model",
        "error_position": "By position of the first error (from 0)",
        "steps": "By number of steps",
        "process": "Rows with an error, by their final answer",
    }
    tables = []
    for key, title in titles.items():
        groups = list(
            dict.fromkeys(group for run in runs.values() for group in run.breakdowns.get(key, {}))
        )
        metric = "f1" if key in ("generator", "steps") else "error_accuracy"
        rows = [
            [
                group,
                str(_rows(runs, key, group)),
                *(
                    number(getattr(run.breakdowns.get(key, {}).get(group), metric, None))
                    for run in runs.values()
                ),
            ]
            for group in groups
        ]
        if rows:
            note = METRICS[metric] + ", percent."
            tables.append(Table(title, ["part", "rows", *runs], rows, note))
    return tables


def selection_table(selection: Selection) -> Table:
    """Accuracy of every way of choosing, for N in powers of two."""
    counts = [n for n in (2**k for k in range(16)) if n <= selection.samples]
    rows = [
        [
            curve.name,
            *(
                with_interval(curve.mean[n - 1], (curve.low[n - 1], curve.high[n - 1]))
                for n in counts
            ),
        ]
        for curve in selection.curves
    ]
    note = (
        f"Accuracy in percent over {selection.problems} problems, the mean over all N-subsets of "
        "the samples [95 % bootstrap interval over problems]."
    )
    title = f"Choosing among N samples: {selection.name}"
    return Table(title, ["method", *(f"N = {n}" for n in counts)], rows, note)


def _subsets(runs: Summaries) -> list[str]:
    return list(dict.fromkeys(subset for run in runs.values() for subset in run.subsets))


def _f1(subset: SubsetScores | None) -> str:
    return with_interval(subset.f1, subset.interval.f1) if subset else "—"


def _average_f1(majority: Majority | None) -> str:
    if majority is None:
        return "—"
    return with_interval(majority.average_f1, majority.average_f1_interval)


def _rows(runs: Summaries, key: str, group: str) -> int:
    first: GroupScores = next(
        part for run in runs.values() if (part := run.breakdowns.get(key, {}).get(group))
    )
    return first.errors + first.corrects
