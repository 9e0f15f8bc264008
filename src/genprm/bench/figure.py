"""A benchmark's report as a figure."""

from pathlib import Path

from genprm.bench.run import Report
from genprm.figure import drawn


def bench_figure(report: Report, path: Path) -> None:
    """Draw the solutions that are judged in a minute by each way: medians and ranges.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    rates = report.solutions_per_minute
    ways = [
        ("reference's control flow", rates.reference),
        ("genprm", rates.ours),
        ("the engine alone, the same requests", rates.engine),
        ("genprm, adaptive votes, stop at first error", rates.adaptive),
    ]
    with drawn(7.2, 2.4, path) as figure:
        panel = figure.subplots()
        middles = [spread.median for _, spread in ways]
        ranges = [
            [spread.median - spread.least for _, spread in ways],
            [spread.most - spread.median for _, spread in ways],
        ]
        bars = panel.barh([way for way, _ in ways], middles, xerr=ranges, color="tab:blue")
        panel.bar_label(bars, [f"{middle:,.1f}" for middle in middles], padding=6)
        panel.margins(x=0.12)
        panel.set_xlabel(f"solutions judged in a minute, {report.votes} votes on each step")
        panel.set_title(f"{report.model} by {report.engine}, {report.machine}", fontsize=8)
