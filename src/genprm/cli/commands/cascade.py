"""`genprm evaluate cascade`: fit when a cheap judge is unsure, and show what the cascade costs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from genprm.cli import options as cli


def cascade(
    cheap: Annotated[
        Path, typer.Argument(help="The cheap judge's run: an --output of genprm verify.")
    ],
    strong: Annotated[Path, typer.Argument(help="The strong judge's run over the same solutions.")],
    disagreement: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The share of solutions whose first error may differ from the strong judge's.",
        ),
    ] = 0.01,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the fitted cascade here, for --cascade."),
    ] = None,
    label_field: cli.LabelField = "label",
    as_json: cli.AsJson = False,
) -> None:
    """Fit the range of rewards in which a cheap judge is unsure, and show what a cascade costs."""
    from rich.console import Console

    from genprm.cli.terminal import cascades

    tested = cascades.curve(cheap, strong, label_field)
    if output is not None:
        config = cascades.fitted(cheap, strong, disagreement)
        output.write_text(config.model_dump_json(indent=1) + "\n")
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in tested]))
    else:
        Console(highlight=False).print(cascades.curve_table(tested))
