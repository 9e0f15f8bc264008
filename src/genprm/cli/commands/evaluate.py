"""`genprm evaluate`: measure verifiers and baselines on labelled solutions and stored samples."""

import asyncio
from pathlib import Path, PurePosixPath
from typing import Annotated

import typer

from genprm.cli import options as cli
from genprm.cli.commands.adaptive import adaptive
from genprm.cli.commands.cascade import cascade
from genprm.cli.commands.scaling import scaling
from genprm.cli.executor_options import ExecutorOptions
from genprm.cli.grouping import grouped
from genprm.cli.judging_options import JudgingOptions
from genprm.tasks.judges import JudgeName, JudgeOptions
from genprm.verify.aggregate import Aggregate

app = typer.Typer(
    help="Measure verifiers, baselines and ways to choose an answer.", no_args_is_help=True
)

RunFolder = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FOLDER",
        help="Folder for the run, which may be a URL; it stores the configuration, the environment "
        "and every vote. Run the same command again to resume an interrupted run.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
@grouped
def processbench(
    judging: JudgingOptions,
    engine: cli.EngineOptions,
    executing: ExecutorOptions,
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATA]... [default: Qwen/ProcessBench]",
            help="JSON, JSONL or Parquet files, folders, or URLs of them, with rows of "
            "ProcessBench, PRM800K, BIG-Bench-Mistake, PRMBench, MR-GSM8K, Mr-Ben or "
            "verify-then-generate.",
            show_default=False,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Score stored predictions, JSON Lines of id and first_error, without a model."
        ),
    ] = None,
    output: RunFolder = None,
    as_json: AsJson = False,
    subset: Annotated[
        list[str] | None, typer.Option(help="Evaluate only this subset; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Evaluate only this many rows of every subset.")
    ] = None,
    judge: Annotated[
        JudgeName,
        typer.Option(
            help="The verifier (genprm) or a baseline: critic asks --model "
            "http://HOST:PORT/v1#NAME for a review of the whole solution; the -prm ones load "
            "--model with transformers, or use vLLM's pooling endpoint."
        ),
    ] = JudgeName.GENPRM,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="Tokenizer of a PRM behind a pooling endpoint: a folder or a name on the Hub."
        ),
    ] = None,
    concurrency: cli.Concurrency = 16,
    stop_at_first_error: cli.StopAtFirstError = False,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Find the first wrong step of every solution, and count how often it is found."""
    from genprm.cli import evaluation
    from genprm.cli.terminal.unfamiliar import warn_of_unfamiliar

    rows = evaluation.labelled_rows(data or [], subset, limit, skip_bad_rows=skip_bad_rows)
    if predictions is not None:
        summary = evaluation.score_predictions(
            rows, predictions, output, skip_bad_rows=skip_bad_rows
        )
    else:
        settings = judging.settings(stop_at_first_error=stop_at_first_error)
        options = JudgeOptions(judge, engine.choice, settings, tokenizer)
        if judge is JudgeName.GENPRM:
            warn_of_unfamiliar(options.engine, settings, (one.solution.problem for one in rows))
        with executing.opened() as executor:
            work = evaluation.judge_rows(rows, options, output, concurrency, executor)
            summary = asyncio.run(work)
    name = PurePosixPath(output).name if output else str(predictions or judge)
    evaluation.print_summary(summary, name, as_json=as_json)


@app.command()
def best_of_n(
    pools: Annotated[
        list[Path],
        typer.Argument(
            metavar="POOL...",
            help="Files of problems with samples: files of genprm sample or rank, or rows with "
            "answer, responses or extracted, and prm_step_scores.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the curves, read by genprm report."),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the paper's Figure 4: a .svg, .png or .pdf file.")
    ] = None,
    score: cli.Score = Aggregate.LAST,
    regrade: Annotated[
        bool,
        typer.Option(
            "--regrade", help="Extract and grade the answers again and ignore stored grades."
        ),
    ] = False,
    as_json: AsJson = False,
    workers: Annotated[int, typer.Option(min=1, help="How many processes compare answers.")] = 2,
    skip_bad_rows: cli.SkipBadRows = False,
) -> None:
    """Compute Pass@N, majority, weighted majority and Best-of-N, for every N over all subsets."""
    from genprm.cli import evaluation
    from genprm.evaluate.figures import figure_4

    selections = evaluation.selections(
        pools, workers, output, regrade=regrade, skip_bad_rows=skip_bad_rows
    )
    if figure is not None:
        figure_4(selections, figure, aggregate=score)
    evaluation.print_selections(selections, as_json=as_json)


app.command()(scaling)
app.command()(adaptive)
app.command()(cascade)
