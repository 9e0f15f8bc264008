"""`genprm evaluate scaling`: accuracy against tokens, and which method wins at which budget."""

import json
from pathlib import Path
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.verify.aggregate import Aggregate


def scaling(
    runs: Annotated[list[Path], typer.Argument(help="Outputs of genprm rank, refine and search.")],
    figure: Annotated[
        Path | None, typer.Option(help="Draw the points to this file: .svg, .png or .pdf.")
    ] = None,
    score: cli.Score = Aggregate.MIN,
    as_json: cli.AsJson = False,
) -> None:
    """Compare methods by accuracy against mean tokens for each problem, with intervals."""
    from genprm.cli.terminal.scaling import point_object, print_points, read_points, wins
    from genprm.evaluate.budgets import winners
    from genprm.evaluate.figures import scaling_figure

    points = read_points(runs, score)
    best = winners(points)
    if figure is not None:
        scaling_figure(points, figure)
    if as_json:
        found = {"points": list(map(point_object, points)), "winners": wins(best)}
        typer.echo(json.dumps(found))
    else:
        print_points(points, best)
