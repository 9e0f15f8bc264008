"""How `genprm evaluate scaling` reads its runs and shows accuracy by tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from genprm.cli.runs import rows_of, spec_of
from genprm.errors import InputError
from genprm.evaluate.budgets import (
    Point,
    Winner,
    ranking_points,
    refinement_points,
    search_point,
)
from genprm.records.pools import ProblemRow
from genprm.records.rankings import RankingRow
from genprm.records.record import JsonObject, json_object
from genprm.records.refinements import RefinementRow
from genprm.records.searches import SearchRow
from genprm.verify.aggregate import Aggregate

P = TypeVar("P", bound=ProblemRow)
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def read_points(runs: Sequence[Path], score: Aggregate) -> list[Point]:
    """The points of all runs, over the problems that every run has answered.

    Raises:
        InputError: a run is of another command, has no gold answers, or shares no problem.
    """
    read = {run: _read(run) for run in runs}
    shared = sorted(set.intersection(*({row.id for row in one.rows} for one in read.values())))
    if not shared:
        raise InputError(
            f"{', '.join(map(str, runs))}: no problem is in every run; "
            "fix: name runs over the same problems"
        )
    return [point for one in read.values() for point in one.points(shared, score)]


@dataclass(frozen=True, slots=True)
class _Rankings:
    rows: Sequence[RankingRow]

    def points(self, ids: Sequence[str], score: Aggregate) -> list[Point]:
        return ranking_points(_only(self.rows, ids), score)


@dataclass(frozen=True, slots=True)
class _Refinements:
    rows: Sequence[RefinementRow]
    asked: JsonObject

    def points(self, ids: Sequence[str], score: Aggregate) -> list[Point]:
        asked = self.asked
        name = f"refine ({asked['critic']}, {asked['rewrite']}, keep {asked['keep']})"
        keep_best = asked["keep"] == "best" and asked["critic"] != "self"
        return refinement_points(_only(self.rows, ids), name, keep_best=keep_best)


@dataclass(frozen=True, slots=True)
class _Searches:
    rows: Sequence[SearchRow]
    asked: JsonObject

    def points(self, ids: Sequence[str], score: Aggregate) -> list[Point]:
        asked = self.asked
        ahead = f", lookahead {asked['lookahead']}" if asked["lookahead"] else ""
        name, setting = (
            f"search ({asked['strategy']}{ahead})",
            f"{asked['beams']} x {asked['branch']}",
        )
        return [search_point(_only(self.rows, ids), name, setting)]


def _read(run: Path) -> _Rankings | _Refinements | _Searches:
    spec = spec_of(run)
    match spec.command:
        case "rank":
            if spec.settings["early_abandon"]:
                raise InputError(
                    f"{run}: some samples were abandoned; "
                    "fix: rank all of them, without --early-abandon"
                )
            return _Rankings(_graded(run, RankingRow))
        case "refine":
            return _Refinements(_graded(run, RefinementRow), spec.settings)
        case "search":
            return _Searches(_graded(run, SearchRow), spec.settings)
        case command:
            raise InputError(
                f"{run}: this is a run of {command}; fix: name a run of rank, refine or search"
            )


def _graded(run: Path, row_type: type[P]) -> list[P]:
    rows = [row for row in rows_of(run, row_type) if row.correct is not None]
    if not rows:
        raise InputError(
            f"{run}: the rows have no gold answers; fix: give the problems the field answer"
        )
    return rows


def _only(rows: Sequence[P], ids: Sequence[str]) -> list[P]:
    by_id = {row.id: row for row in rows}
    return [by_id[id] for id in ids]


def point_object(point: Point) -> JsonObject:
    """A point as JSON."""
    band = point.band
    return {
        "method": point.method,
        "setting": point.setting,
        "tokens": point.tokens,
        "accuracy": point.accuracy,
        "interval": [band.low, band.high] if band else None,
    }


def wins(best: Sequence[Winner]) -> list[JsonObject]:
    """The best point within each budget, as JSON."""
    return [
        {
            "budget": win.budget,
            "best": point_object(win.point),
            "next": point_object(win.second) if win.second else None,
            "lead": json_object(win.lead) if win.lead else None,
        }
        for win in best
    ]


def print_points(points: Sequence[Point], best: Sequence[Winner]) -> None:
    """The points and the winners as two tables."""
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
