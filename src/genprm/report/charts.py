"""The curves of a report."""

from collections.abc import Callable, Mapping, Sequence

from genprm.evaluate.selection import BEST, MAJORITY, PASS, Selection
from genprm.records.summaries import RunCost
from genprm.report.numbers import Summaries
from genprm.report.svg import Chart, Series
from genprm.verify.aggregate import Aggregate

_COSTS: Mapping[str, Callable[[RunCost], float]] = {
    "generated tokens": lambda cost: cost.tokens_out,
    "seconds": lambda cost: cost.seconds,
}


def run_charts(runs: Summaries) -> list[Chart]:
    """Charts of votes, cost, reliability, and risk against coverage, as far as runs have data."""
    costs = (_f1_over(runs, what) for what in _COSTS)
    charts = [_majorities(runs), *costs, _reliability(runs), _risk_coverage(runs)]
    return [chart for chart in charts if chart.series]


def selection_charts(selections: Sequence[Selection]) -> list[Chart]:
    """The paper's Figure 4: a chart for each set of problems and way to score a solution."""
    return [_selection(selection, aggregate) for selection in selections for aggregate in Aggregate]


def _majorities(runs: Summaries) -> Chart:
    series = []
    for color, (name, run) in enumerate(runs.items()):
        points = [(int(k), one) for k, one in run.majority.items() if one]
        points = [(k, one) for k, one in points if one.average_f1 is not None]
        if len(points) > 1:
            bands = [one.average_f1_interval or (0.0, 0.0) for _, one in points]
            series.append(
                Series(
                    name,
                    color,
                    [k for k, _ in points],
                    [one.average_f1 or 0.0 for _, one in points],
                    [band[0] for band in bands],
                    [band[1] for band in bands],
                )
            )
    return Chart("Average F1 over votes", "votes", "average F1 (%)", series, log=True)


def _f1_over(runs: Summaries, what: str) -> Chart:
    """A point for each number of votes, at its share of the cost of all; else one for the run.

    A run with votes on every step can so be compared with one that reviews whole solutions.
    """
    series = []
    for color, (name, run) in enumerate(runs.items()):
        spent = _COSTS[what](run.cost) if run.cost else None
        f1 = {int(k): one.average_f1 for k, one in run.majority.items() if one}
        f1 = f1 or {1: run.average_f1}
        points = [(spent * k / max(f1), y) for k, y in f1.items() if spent and y is not None]
        if points:
            series.append(Series(name, color, [x for x, _ in points], [y for _, y in points]))
    if sum(len(one.x) for one in series) < 2:
        series = []
    x_label = f"{what} for each solution"
    return Chart(f"Average F1 over {what}", x_label, "average F1 (%)", series, log=True)


def _reliability(runs: Summaries) -> Chart:
    series = []
    for color, (name, run) in enumerate(runs.items()):
        if calibration := run.calibration:
            bins = [one for one in calibration.bins if one.count]
            x = [one.reward for one in bins if one.reward is not None]
            y = [one.right for one in bins if one.right is not None]
            series.append(Series(name, color, x, y))
    return Chart(
        "Reliability of step rewards", "mean reward", "share of right steps", series, diagonal=True
    )


def _risk_coverage(runs: Summaries) -> Chart:
    series = [
        Series(name, color, curve.coverage, curve.risk)
        for color, (name, run) in enumerate(runs.items())
        if run.calibration and (curve := run.risk_coverage)
    ]
    return Chart("Risk against coverage", "share of rows answered", "share wrong", series)


def _selection(selection: Selection, aggregate: Aggregate) -> Chart:
    wanted = [selection.curve(PASS), selection.curve(MAJORITY)] + [
        curve
        for curve in selection.curves
        if curve.method == BEST and curve.aggregate == aggregate.value
    ]
    counts = [n for n in (2**k for k in range(16)) if n <= selection.samples]
    series = [
        Series(
            curve.scorer or curve.method,
            color,
            counts,
            [curve.mean[n - 1] for n in counts],
            [curve.low[n - 1] for n in counts],
            [curve.high[n - 1] for n in counts],
            dashed=curve.scorer is None,
        )
        for color, curve in enumerate(wanted)
    ]
    title = (
        f"{selection.name}: Best-of-N by {aggregate.value} reward, {selection.problems} problems"
    )
    return Chart(title, "N samples", "accuracy (%)", series, log=True)
