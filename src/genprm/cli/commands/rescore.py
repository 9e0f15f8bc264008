"""`genprm rescore`: stored runs under another threshold, aggregation or number of votes."""

from pathlib import Path
from typing import Annotated

import typer

from genprm.verdict import THRESHOLD
from genprm.verify.aggregate import Aggregate


def rescore(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Files that genprm verify or search --output wrote."),
    ],
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="A step is correct from this reward on.")
    ] = THRESHOLD,
    votes: Annotated[
        int | None,
        typer.Option("--votes", "-n", min=1, help="Count only the first votes of each step."),
    ] = None,
    score: Annotated[
        Aggregate | None,
        typer.Option(help="Add a score of the solution: its step rewards, aggregated in this way."),
    ] = None,
    stop_at_first_error: Annotated[
        bool,
        typer.Option(
            "--stop-at-first-error", help="Leave out the verdicts after the first wrong step."
        ),
    ] = False,
    inspect: Annotated[
        bool,
        typer.Option(
            "--inspect",
            help="Write a score record for each row, as inspect_ai's precomputed_scores reads "
            "them; a row without a score is left out.",
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the rows to this file instead of standard output."
        ),
    ] = None,
) -> None:
    """Apply another rule to stored votes, without a model.

    Rows of genprm verify are written with new labels and first errors. Trees of genprm search are
    written as paths from the root to each leaf, with a reward and a value for each step.
    """
    from genprm.cli.runs import rows_of, spec_of
    from genprm.records.searches import SearchRow
    from genprm.records.verdicts import VerdictRow
    from genprm.tasks.rescoring import Rule, paths, score_record

    rule = Rule(threshold, votes, score, stop_at_first_error)
    lines: list[bytes] = []
    differing = 0
    for run in runs:
        if spec_of(run).command == "search":
            for tree in rows_of(run, SearchRow):
                lines += [path.line() for path in paths(tree, score or Aggregate.MIN)]
        else:
            rows = rows_of(run, VerdictRow)
            changed = list(map(rule.row, rows))
            records = [score_record(row, score) for row in changed] if inspect else changed
            lines += [record.line() for record in records if record is not None]
            differing += sum(map(rule.kept_differs, rows))
    if output is None:
        typer.echo(b"".join(lines), nl=False)
    else:
        output.write_bytes(b"".join(lines))
    if differing:
        typer.echo(
            f"{differing} steps were judged after a vote that a run with {votes} votes would not "
            "have kept in its history; for these steps a new run can differ",
            err=True,
        )
