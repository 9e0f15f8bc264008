"""`genprm evaluate adaptive`: tokens saved by adaptive voting against label agreement."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from genprm.cli.stored import rows_of, verdicts_of
from genprm.errors import InputError
from genprm.evaluate.adaptive import Saving, savings


def adaptive(
    run: Annotated[Path, typer.Argument(help="Output of genprm verify --votes N, all asked.")],
    label_field: Annotated[
        str, typer.Option(help="Field of the index of the first error, where rows have it.")
    ] = "label",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read the curve of both rules out of one run of all N votes."""
    verdicts = verdicts_of(run)
    if any(len(step.votes) < step.wanted for verdict in verdicts for step in verdict.steps):
        raise InputError(f"{run}: votes were saved there already; fix: --adaptive off")
    labels = [row.get(label_field) for row in rows_of(run)]
    known = [label for label in labels if isinstance(label, int)]
    found = savings(verdicts, known if len(known) == len(labels) else None)
    if as_json:
        typer.echo(json.dumps([asdict(saving) for saving in found]))
    else:
        Console(highlight=False).print(_table(found))


def _table(found: list[Saving]) -> Table:
    names = ("rule", "tokens saved", "votes saved", "equal labels", "equal first errors", "F1")
    table = Table(*names, "F1 of all votes", box=SIMPLE)
    for one in found:
        table.add_row(
            one.rule.value if one.error_rate is None else f"{one.rule} {one.error_rate:g}",
            *(
                f"{100 * share:.2f} %"
                for share in (
                    one.tokens_saved,
                    one.votes_saved,
                    one.step_agreement,
                    one.solution_agreement,
                )
            ),
            *("—" if f1 is None else f"{f1:.2f}" for f1 in (one.f1, one.f1_of_all)),
        )
    return table
