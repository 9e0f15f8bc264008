"""The paper's Figure 4, and accuracy by tokens for each method."""

from collections.abc import Sequence
from pathlib import Path

from genprm.evaluate.budgets import Point
from genprm.evaluate.intervals import Interval
from genprm.evaluate.selection import BEST, MAJORITY, PASS, Curve, Selection
from genprm.figure import drawn
from genprm.verify.aggregate import Aggregate


def figure_4(
    selections: Sequence[Selection], path: Path, *, aggregate: Aggregate = Aggregate.LAST
) -> None:
    """Draw Pass@N, majority, and each scorer's Best-of-N; the file's ending picks its format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    with drawn(4.2 * len(selections), 3.6, path) as figure:
        panels = figure.subplots(1, len(selections), squeeze=False)[0]
        for panel, selection in zip(panels, selections, strict=True):
            counts = [n for n in (2**k for k in range(16)) if n <= selection.samples]
            for curve, style in _shown(selection, aggregate):
                points = [n - 1 for n in counts]
                (line,) = panel.plot(
                    counts, [curve.mean[n] for n in points], style, label=_label(curve), ms=4
                )
                panel.fill_between(
                    counts,
                    [curve.low[n] for n in points],
                    [curve.high[n] for n in points],
                    color=line.get_color(),
                    alpha=0.08,
                    linewidth=0,
                )
            panel.set_xscale("log", base=2)
            panel.set_xticks(counts, [str(n) for n in counts])
            panel.set_xlabel("N samples")
            panel.set_title(f"{selection.name} ({selection.problems} problems)")
            panel.grid(alpha=0.25)
            panel.legend(fontsize=7)
        panels[0].set_ylabel("accuracy (%)")


def _shown(selection: Selection, aggregate: Aggregate) -> list[tuple[Curve, str]]:
    shown = [(selection.curve(PASS), "k--"), (selection.curve(MAJORITY), "k:o")]
    return shown + [
        (curve, "-o")
        for curve in selection.curves
        if curve.method == BEST and curve.aggregate == aggregate.value
    ]


def _label(curve: Curve) -> str:
    return curve.scorer or curve.method


def scaling_figure(points: Sequence[Point], path: Path) -> None:
    """Draw accuracy over tokens, a curve per method; the file's ending picks its format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    methods: dict[str, list[Point]] = {}
    for point in points:
        methods.setdefault(point.method, []).append(point)
    with drawn(7.2, 4.6, path) as figure:
        panel = figure.subplots()
        for method, own in methods.items():
            own.sort(key=lambda point: point.tokens)
            style = "k--" if method.startswith("Pass@N") else "-o"
            tokens = [point.tokens for point in own]
            (line,) = panel.plot(tokens, [p.accuracy for p in own], style, label=method, ms=4)
            bands = [point.band or Interval(point.accuracy, point.accuracy) for point in own]
            panel.fill_between(
                tokens,
                [band.low for band in bands],
                [band.high for band in bands],
                color=line.get_color(),
                alpha=0.06,
                linewidth=0,
            )
        panel.set_xscale("log", base=2)
        panel.set_xlabel("generated tokens a problem (policy + verifier)")
        panel.set_ylabel("accuracy (%)")
        panel.grid(alpha=0.25)
        panel.legend(fontsize=7)
