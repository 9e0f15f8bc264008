"""`genprm evaluate adaptive`: tokens saved by adaptive voting against label agreement."""

import json
from dataclasses import asdict

import typer

from genprm.cli import options as cli


def adaptive(
    run: cli.AllVotesRun, label_field: cli.LabelField = "label", as_json: cli.AsJson = False
) -> None:
    """Compute from one run with all N votes what both adaptive rules would have saved."""
    from rich.console import Console

    from genprm.cli.terminal.adaptive import read_savings, savings_table

    found = read_savings(run, label_field)
    if as_json:
        typer.echo(json.dumps([asdict(saving) for saving in found]))
    else:
        Console(highlight=False).print(savings_table(found))
