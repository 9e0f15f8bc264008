"""`genprm evaluate cascade`: fit when a cheap judge is unsure, and show what that costs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from genprm.cli.screening import Screening
from genprm.cli.stored import rows_of, settings_of, verdicts_of
from genprm.errors import InputError
from genprm.evaluate.metrics import score
from genprm.verify.cascade import Band, JudgedTwice, fit, outcome

Row = dict[str, Any]
ALLOWED = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)  # shares of differing first errors, for the curve


def cascade(
    cheap: Annotated[Path, typer.Argument(help="Output of genprm verify, the cheap judge.")],
    strong: Annotated[Path, typer.Argument(help="Output of genprm verify, the strong judge.")],
    disagreement: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of solutions that may end otherwise than strong's."),
    ] = 0.01,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the file for --cascade here.")
    ] = None,
    label_field: Annotated[
        str, typer.Option(help="Field of the index of the first error, where rows have it.")
    ] = "label",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fit the band of unsure rewards on every second solution; the others give the curve."""
    pairs, labels = _paired(cheap, strong, label_field)
    validation, test = pairs[::2], pairs[1::2]
    curve = [
        _tested(allowed, fit(validation, disagreement=allowed), test, labels[1::2])
        for allowed in ALLOWED
    ]
    if output is not None:
        band = fit(validation, disagreement=disagreement)
        output.write_text(_screening(cheap, strong, band).model_dump_json(indent=1) + "\n")
    if as_json:
        typer.echo(json.dumps(curve))
    else:
        Console(highlight=False).print(_table(curve))


def _paired(cheap: Path, strong: Path, label_field: str) -> tuple[list[JudgedTwice], list[Any]]:
    first, second = rows_of(cheap), rows_of(strong)
    if [_text(row) for row in first] != [_text(row) for row in second]:
        raise InputError(f"{cheap} and {strong} judge different solutions; fix: the same input")
    pairs = list(map(JudgedTwice, verdicts_of(cheap), verdicts_of(strong)))
    return pairs, [row.get(label_field) for row in second]


def _text(row: Row) -> list[str]:
    return [row["problem"], *(step["text"] for step in row["steps"]), *row["unjudged_steps"]]


def _tested(allowed: float, band: Band, pairs: Sequence[JudgedTwice], labels: Sequence[Any]) -> Row:
    outcomes = [outcome(pair, band) for pair in pairs]
    spent = sum(one.cheap.tokens_out + one.strong.tokens_out for one in outcomes)
    alone = sum(_until_error(pair) for pair in pairs)
    same = sum(
        one.first_error == pair.strong.first_error
        for one, pair in zip(outcomes, pairs, strict=True)
    )
    labelled = all(isinstance(label, int) for label in labels)
    return {
        "allowed": allowed,
        "low": band.low,
        "high": band.high,
        "asked": sum(one.asked for one in outcomes) / sum(one.steps for one in outcomes),
        "tokens_saved": 1 - spent / alone,
        "agreement": same / len(pairs),
        "f1": score(labels, [one.first_error for one in outcomes]).f1 if labelled else None,
        "f1_of_strong": (
            score(labels, [pair.strong.first_error for pair in pairs]).f1 if labelled else None
        ),
    }


def _until_error(pair: JudgedTwice) -> int:
    """Tokens of the strong judge alone, stopping at its first error."""
    end = pair.strong.first_error
    judged = pair.strong.steps if end in (None, -1) else pair.strong.steps[: end + 1]
    return sum(step.usage.tokens_out for step in judged)


def _screening(cheap: Path, strong: Path, band: Band) -> Screening:
    first, second = settings_of(cheap), settings_of(strong)
    return Screening(
        model=None if first["model"] == second["model"] else first["model"],
        mode=first["settings"]["mode"],
        votes=first["settings"]["votes"],
        low=band.low,
        high=band.high,
    )


def _table(curve: Sequence[Row]) -> Table:
    names = ("may differ", "unsure between", "steps asked", "tokens saved", "equal", "F1")
    table = Table(*names, "F1 of strong", box=SIMPLE)
    for row in curve:
        shares = (row["asked"], row["tokens_saved"], row["agreement"])
        table.add_row(
            f"{100 * row['allowed']:g} %",
            f"{max(row['low'], 0):.3f} – {min(row['high'], 1):.3f}",
            *(f"{100 * share:.1f} %" for share in shares),
            *("—" if f1 is None else f"{f1:.1f}" for f1 in (row["f1"], row["f1_of_strong"])),
        )
    return table
