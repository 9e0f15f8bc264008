"""The work behind `genprm evaluate`; imported when the command runs, because it needs numpy."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from genprm.answer import AnswerChecker
from genprm.cli.inputs import counted_bad_rows
from genprm.cli.terminal.progress import RowProgress
from genprm.cli.terminal.tables import print_tables
from genprm.destination import opened_folder
from genprm.errors import InputError
from genprm.evaluate import selection as selecting
from genprm.evaluate.judges import PredictionsJudge
from genprm.evaluate.labelled import LabelledSolution, by_limit, download_processbench, read_files
from genprm.evaluate.pools import read_graded
from genprm.evaluate.predictions import read_predictions
from genprm.evaluate.run import run, run_with
from genprm.evaluate.selection import Selection
from genprm.evaluate.summary import summarise
from genprm.records.evaluations import EvaluatedRow
from genprm.records.summaries import Summary
from genprm.report import numbers
from genprm.tasks.evaluating import EvaluateWork
from genprm.tasks.executor import Executor
from genprm.tasks.judges import JudgeOptions

HUB = "Qwen/ProcessBench"


def labelled_rows(
    data: Sequence[str],
    subsets: Sequence[str] | None,
    limit: int | None,
    *,
    skip_bad_rows: bool,
) -> list[LabelledSolution]:
    """The rows to judge, from local files or from ProcessBench on the Hub.

    Raises:
        InputError: no such file or subset, or a broken row.
    """
    from_hub = list(data) in ([], [HUB]) and not Path(HUB).exists()
    sources = download_processbench() if from_hub else data
    with counted_bad_rows(skip=skip_bad_rows) as bad:
        rows = read_files(sources, bad)
    if subsets:
        known = sorted({row.subset for row in rows})
        if missing := [subset for subset in subsets if subset not in known]:
            raise InputError(
                f"--subset {missing[0]}: no such subset; fix: name one of {', '.join(known)}"
            )
        rows = [row for row in rows if row.subset in subsets]
    return by_limit(rows, limit)


async def judge_rows(
    rows: Sequence[LabelledSolution],
    options: JudgeOptions,
    output: str | None,
    concurrency: int,
    executor: Executor,
) -> Summary:
    """Judge the rows that the run folder lacks, or all rows without one, and summarise the run."""
    with ExitStack() as stack:
        place = output or stack.enter_context(TemporaryDirectory())
        folder = stack.enter_context(opened_folder(place))
        bars: list[RowProgress] = []

        def advance(row: EvaluatedRow, done: int) -> None:
            if not bars:
                progress = RowProgress("evaluate", len(rows), lambda: executor.status)
                bars.append(stack.enter_context(progress))
                bars[0].resume(done - 1)
            bars[0].advance(row.usage.tokens_out)

        work = EvaluateWork(options)
        async with executor.open(work, rows_at_once=concurrency) as opened:
            return await run_with(opened, rows, folder, on_row=advance)


def score_predictions(
    rows: Sequence[LabelledSolution], path: Path, output: str | None, *, skip_bad_rows: bool
) -> Summary:
    """Score stored predictions; those that cannot be used are reported on standard error."""
    with counted_bad_rows(skip=skip_bad_rows) as bad:
        stored = read_predictions(path, bad)
    if output is not None:
        with opened_folder(output) as folder:
            asyncio.run(run(rows, PredictionsJudge(path.name, stored), folder))
    unknown = stored.unknown(rows)
    if stored.unreadable:
        first = next(iter(stored.unreadable.values()))
        _warn(f"{len(stored.unreadable)} predictions cannot be read and count as misses: {first}")
    if unknown:
        _warn(f"{len(unknown)} predictions match no row and were left out: {unknown[0]!r}")
    unusable = {"unreadable": dict(stored.unreadable), "unknown_ids": tuple(unknown)}
    return summarise(rows, stored.first_errors).model_copy(update=unusable)


def print_summary(summary: Summary, name: str, *, as_json: bool) -> None:
    """One run's numbers, as JSON or as tables."""
    if as_json:
        typer.echo(json.dumps(summary.shown(), ensure_ascii=False, indent=2))
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


def selections(
    pools: Sequence[Path],
    workers: int,
    output: Path | None,
    *,
    regrade: bool,
    skip_bad_rows: bool,
) -> list[Selection]:
    """Every way of choosing over each pool file; kept in the folder `output`, if there is one."""
    with (
        counted_bad_rows(skip=skip_bad_rows) as bad,
        AnswerChecker(workers=workers) as checker,
    ):
        found = [
            selecting.select(path.stem, read_graded(path, checker, regrade=regrade, bad=bad))
            for path in pools
        ]
        undecided = checker.undecided
    if undecided:
        _warn(f"{len(undecided)} pairs of answers could not be decided and count as different")
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        (output / selecting.FILE).write_text(selecting.to_json(found))
        listed = [f"{pair.gold}\t{pair.answer}\t{pair.cause}\n" for pair in undecided]
        (output / "undecided.tsv").write_text("".join(listed))
    return found


def print_selections(found: Sequence[Selection], *, as_json: bool) -> None:
    """The curves, as JSON or as tables."""
    if as_json:
        typer.echo(selecting.to_json(found), nl=False)
    else:
        print_tables([numbers.selection_table(selection) for selection in found])


def _warn(text: str) -> None:
    typer.echo(f"genprm: {text}", err=True)
