"""`genprm evaluate`: measure verifiers and baselines on labelled solutions and stored samples."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from genprm.answer import AnswerChecker
from genprm.cli import options as cli
from genprm.cli.engine import EngineOptions
from genprm.cli.judges import JudgeName, JudgeOptions, open_judge
from genprm.cli.show_tables import print_tables
from genprm.errors import InputError
from genprm.evaluate import selection as selecting
from genprm.evaluate.figures import figure_4
from genprm.evaluate.judges import PredictionsJudge
from genprm.evaluate.labelled import LabelledSolution, by_limit, download_processbench, read_files
from genprm.evaluate.pools import read_pools
from genprm.evaluate.predictions import Predictions, read_predictions
from genprm.evaluate.run import run
from genprm.evaluate.summary import Summary, summarise
from genprm.model import Sampling
from genprm.report import numbers
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.session import Limits
from genprm.verify.verifier import Settings
from genprm.verify.voting import Adaptive

_DEFAULT = Settings()
_HUB = "Qwen/ProcessBench"

app = typer.Typer(help="Measure verifiers, baselines and ways of choosing.", no_args_is_help=True)

RunFolder = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="Run folder: configuration, environment, every vote; a killed run goes on.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def processbench(
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar=f"[DATA]... [default: {_HUB}]",
            help="JSON or JSONL files or folders: ProcessBench, PRM800K, BIG-Bench-Mistake, "
            "PRMBench, MR-GSM8K, Mr-Ben or verify-then-generate rows.",
            show_default=False,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="Score stored predictions: JSONL of id, first_error. No model."),
    ] = None,
    output: RunFolder = None,
    as_json: AsJson = False,
    subset: Annotated[
        list[str] | None, typer.Option(help="Only this subset; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first rows of every subset.")
    ] = None,
    judge: Annotated[
        JudgeName,
        typer.Option(
            help="The verifier, or a baseline: critic asks --model http://HOST:PORT/v1#NAME to "
            "criticise the whole solution; the -prm ones read --model with transformers, or ask "
            "vLLM's pooling endpoint."
        ),
    ] = JudgeName.GENPRM,
    model: cli.ModelName = "arithmetic",
    tokenizer: Annotated[
        str | None, typer.Option(help="Of a PRM behind a pooling endpoint: folder or Hub name.")
    ] = None,
    votes: cli.Votes = 1,
    mode: cli.VoteMode = Mode.GENPRM,
    concurrency: cli.Concurrency = 16,
    adaptive: cli.VoteAdaptive = Adaptive.OFF,
    error_rate: cli.ErrorRate = _DEFAULT.error_rate,
    stop_at_first_error: cli.StopAtFirstError = False,
    seed: cli.Seed = 0,
    temperature: cli.Temperature = _DEFAULT.sampling.temperature,
    top_p: cli.TopP = _DEFAULT.sampling.top_p,
    top_k: cli.TopK = _DEFAULT.sampling.top_k,
    max_tokens: cli.StepTokens = _DEFAULT.limits.tokens,
    code_rounds: cli.CodeRounds = _DEFAULT.limits.code_rounds,
    code_timeout: cli.CodeTimeout = _DEFAULT.code_timeout,
    evaluator_prompt: cli.EvaluatorPrompt = False,
    assistant_marker: cli.AssistantMarker = False,
    reference_output: cli.ReferenceOutput = False,
    chat_template: cli.ChatTemplate = None,
    api_key: cli.ApiKey = None,
    sandbox: cli.Tier = "auto",
    cascade: cli.Cascade = None,
) -> None:
    """Find the first wrong step of every solution, and count how often it is found."""
    rows = _rows(data or [_HUB], subset, limit)
    if predictions is not None:
        summary = _score_predictions(rows, predictions, output)
    else:
        settings = Settings(
            mode=mode,
            votes=votes,
            adaptive=adaptive,
            error_rate=error_rate,
            stop_at_first_error=stop_at_first_error,
            sampling=Sampling(temperature, top_p, top_k),
            seed=seed,
            limits=Limits(max_tokens, code_rounds),
            code_timeout=code_timeout,
            prompt_format=PromptFormat(not evaluator_prompt, assistant_marker, reference_output),
        )
        engine = EngineOptions(model, chat_template, api_key, sandbox, cascade)
        options = JudgeOptions(judge, engine, settings, tokenizer)
        summary = asyncio.run(_judge(rows, options, output, concurrency))
    name = output.name if output else str(predictions or judge)
    _print_summary(summary, name, as_json=as_json)


@app.command()
def best_of_n(
    pools: Annotated[
        list[Path],
        typer.Argument(
            metavar="POOL...",
            help="Files of problems with samples: of genprm sample or rank, or rows of answer, "
            "responses or extracted, and prm_step_scores.",
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
    as_json: AsJson = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes that compare answers.")] = 2,
) -> None:
    """Pass@N, majority, weighted majority and Best-of-N, for every N over all subsets."""
    selections = []
    with AnswerChecker(workers=workers) as checker:
        for path in pools:
            selections.append(selecting.select(path.stem, read_pools(path, checker)))
        undecided = checker.undecided
    if undecided:
        _warn(f"{len(undecided)} pairs of answers could not be decided and count as different")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / selecting.FILE).write_text(selecting.to_json(selections))
        listed = [f"{pair.gold}\t{pair.answer}\t{pair.cause}\n" for pair in undecided]
        (output / "undecided.tsv").write_text("".join(listed))
    if figure is not None:
        figure_4(selections, figure, aggregate=score)
    if as_json:
        typer.echo(selecting.to_json(selections), nl=False)
    else:
        print_tables([numbers.selection_table(selection) for selection in selections])


def _rows(
    data: Sequence[str], subsets: Sequence[str] | None, limit: int | None
) -> list[LabelledSolution]:
    hub = list(data) == [_HUB] and not Path(_HUB).exists()
    rows = read_files(download_processbench() if hub else [Path(path) for path in data])
    if subsets:
        known = {row.subset for row in rows}
        if missing := set(subsets) - known:
            raise InputError(
                f"--subset {missing.pop()}: no such subset; mend: one of {', '.join(sorted(known))}"
            )
        rows = [row for row in rows if row.subset in subsets]
    return by_limit(rows, limit)


async def _judge(
    rows: Sequence[LabelledSolution],
    options: JudgeOptions,
    output: Path | None,
    concurrency: int,
) -> Summary:
    with TemporaryDirectory() as temporary, _progress() as progress:
        task = progress.add_task("evaluate", total=len(rows))
        async with open_judge(options) as judge:
            return await run(
                rows,
                judge,
                output or Path(temporary),
                concurrency=concurrency,
                on_row=lambda done, _: progress.update(task, completed=done),
            )


def _progress() -> Progress:
    return Progress(
        TextColumn("evaluate"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _score_predictions(
    rows: Sequence[LabelledSolution], path: Path, output: Path | None
) -> Summary:
    stored = read_predictions(path)
    if output is not None:
        asyncio.run(run(rows, PredictionsJudge(path.name, stored), output))
    summary = summarise(rows, stored.first_errors)
    unknown = stored.unknown(rows)
    summary |= {"unreadable": dict(stored.unreadable), "unknown_ids": unknown}
    _warn_of(stored, unknown)
    return summary


def _warn_of(stored: Predictions, unknown: Sequence[str]) -> None:
    if stored.unreadable:
        first = next(iter(stored.unreadable.values()))
        _warn(f"{len(stored.unreadable)} predictions cannot be read and count as misses: {first}")
    if unknown:
        _warn(f"{len(unknown)} predictions are of no row and were left out: {unknown[0]!r}")


def _print_summary(summary: Summary, name: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False))
        return
    runs = {name: summary}
    tables = [
        numbers.detail_table(runs),
        numbers.f1_table(runs),
        numbers.votes_table(runs),
        numbers.cost_table(runs),
        numbers.calibration_table(runs),
    ]
    print_tables([table for table in tables if table is not None])


def _warn(text: str) -> None:
    typer.echo(f"genprm: {text}", err=True)
