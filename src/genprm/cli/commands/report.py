"""`genprm report`: runs side by side, as a page and as tables."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders that genprm evaluate --output wrote."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The HTML page; it needs no other file.")
    ] = Path("report.html"),
    markdown: Annotated[
        Path | None, typer.Option(help="Also write all tables to this Markdown file.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write every table to a CSV file in this folder.")
    ] = None,
    rationales: Annotated[
        int,
        typer.Option(
            min=0,
            help="How many rows on which the runs disagree to show with their analyses and code.",
        ),
    ] = 100,
) -> None:
    """Write one self-contained HTML page that compares runs with the first one."""
    from genprm.report.page import render
    from genprm.report.report import gather

    gathered = gather(runs, rationales=rationales)
    output.write_text(render(gathered), encoding="utf-8")
    typer.echo(f"wrote {output}", err=True)
    if markdown is not None:
        markdown.write_text(gathered.markdown(), encoding="utf-8")
    if csv is not None:
        csv.mkdir(parents=True, exist_ok=True)
        for name, text in gathered.csv().items():
            (csv / f"{name}.csv").write_text(text, encoding="utf-8")
