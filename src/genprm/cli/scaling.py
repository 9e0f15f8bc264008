"""`genprm evaluate scaling`: accuracy against tokens, and which method wins at which budget."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from genprm.cli import options as cli
from genprm.cli.stored import rows_of, settings_of
from genprm.errors import InputError
from genprm.evaluate.budgets import (
    Point,
    Winner,
    ranking_points,
    refinement_points,
    search_point,
    winners,
)
from genprm.evaluate.figures import scaling_figure
from genprm.verify.aggregate import Aggregate

Row = dict[str, Any]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def scaling(
    runs: Annotated[list[Path], typer.Argument(help="Outputs of genprm rank, refine and search.")],
    figure: Annotated[Path | None, typer.Option(help="Draw it here (.svg, .png or .pdf).")] = None,
    score: cli.Score = Aggregate.MIN,
    as_json: AsJson = False,
) -> None:
    """Put every method on one scale: mean tokens a problem against accuracy, with intervals."""
    points = read_points(runs, score)
    best = winners(points)
    if figure is not None:
        scaling_figure(points, figure)
    if as_json:
        typer.echo(json.dumps({"points": list(map(_point, points)), "winners": _wins(best)}))
    else:
        _print(points, best)


def read_points(runs: Sequence[Path], score: Aggregate) -> list[Point]:
    """The points of all runs, over the problems that every run has answered.

    Raises:
        InputError: a run is of another command, has no gold answers, or shares no problem.
    """
    rows = {run: {row["id"]: row for row in _graded(run)} for run in runs}
    shared = sorted(set.intersection(*(set(of_run) for of_run in rows.values())))
    if not shared:
        raise InputError(
            f"{', '.join(map(str, runs))}: no problem is in every run; fix: the same problems"
        )
    return [
        point
        for run, of_run in rows.items()
        for point in _points(run, [of_run[id] for id in shared], score)
    ]


def _points(run: Path, rows: Sequence[Row], score: Aggregate) -> list[Point]:
    settings = settings_of(run)
    match settings.get("command"):
        case "rank":
            if settings["early_abandon"]:
                raise InputError(f"{run}: some samples were abandoned; fix: rank them all")
            return ranking_points(rows, score)
        case "refine":
            asked = settings["refine"]
            name = f"refine ({asked['critic']}, {asked['rewrite']}, keep {asked['keep']})"
            keep_best = asked["keep"] == "best" and asked["critic"] != "self"
            return refinement_points(rows, name, keep_best=keep_best)
        case "search":
            asked = settings["search"]
            ahead = f", lookahead {asked['lookahead']}" if asked["lookahead"] else ""
            setting = f"{asked['beams']} x {asked['branch']}"
            return [search_point(rows, f"search ({asked['strategy']}{ahead})", setting)]
        case command:
            raise InputError(f"{run}: a run of {command}; fix: one of rank, refine or search")


def _graded(run: Path) -> list[Row]:
    rows = [row for row in rows_of(run) if "correct" in row]
    if not rows:
        raise InputError(f"{run}: no gold answers; fix: problems with the field answer")
    return rows


def _point(point: Point) -> Row:
    band = point.band
    return {
        "method": point.method,
        "setting": point.setting,
        "tokens": point.tokens,
        "accuracy": point.accuracy,
        "interval": band and [band.low, band.high],
    }


def _wins(best: Sequence[Winner]) -> list[Row]:
    return [
        {
            "budget": win.budget,
            "best": _point(win.point),
            "next": win.second and _point(win.second),
            "lead": win.lead and asdict(win.lead),
        }
        for win in best
    ]


def _print(points: Sequence[Point], best: Sequence[Winner]) -> None:
    console = Console(highlight=False)
    table = Table("method", "setting", "tokens", "accuracy %", "95 %", box=SIMPLE)
    for point in points:
        band = point.band
        table.add_row(
            point.method,
            point.setting,
            f"{point.tokens:,.0f}",
            f"{point.accuracy:.1f}",
            f"{band.low:.1f} – {band.high:.1f}" if band else "",
        )
    console.print(table)
    table = Table("tokens up to", "best", "accuracy %", "ahead of", "by (95 %)", box=SIMPLE)
    for win in best:
        second = f"{win.second.method}, {win.second.setting}" if win.second else ""
        table.add_row(
            f"{win.budget:,}",
            f"{win.point.method}, {win.point.setting}",
            f"{win.point.accuracy:.1f}",
            second,
            f"{win.lead.low:+.1f} – {win.lead.high:+.1f}" if win.lead else "",
        )
    console.print(table)
