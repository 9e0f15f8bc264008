"""A run: labelled solutions, a judge, and a folder that stores every vote.

    rows.jsonl            one row per solution: steps, label, prediction, every vote
    rows.jsonl.run.json   the configuration; another one is refused
    environment.json      machine and package versions, for each time it was started or resumed
    summary.json          the numbers

A run that was killed continues where it stopped. A row that cannot be judged is stored with its
`cause` and counts as a miss.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from genprm.concurrency import as_finished
from genprm.errors import InputError, RequestFailed
from genprm.evaluate.judgement import Judgement
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.summary import summarise_judgements
from genprm.journal import Journal, run_file
from genprm.problem import Solution
from genprm.records.evaluations import EvaluatedRow
from genprm.records.run_spec import JudgeSpec, RunSpec, digest, read_spec
from genprm.records.summaries import Summary
from genprm.records.validation import field_fault
from genprm.records.verdicts import judged_fields
from genprm.verdict import SolutionVerdict, Usage
from genprm.worker import Opened, Worker

ROWS, ENVIRONMENT, SUMMARY = "rows.jsonl", "environment.json", "summary.json"
_PACKAGES = ("genprm", "numpy", "math-verify", "openvino-genai", "torch", "transformers", "vllm")


@dataclass(frozen=True, slots=True)
class WholeVerdict:
    """The verdict of a judge that names a first error without judging single steps.

    `guesses` [votes] are the first errors that its votes name, and `critiques` their texts.
    """

    first_error: int | None
    guesses: tuple[int | None, ...]
    critiques: tuple[str, ...] = ()
    usage: Usage = Usage()

    def __getitem__(self, field: str) -> object:
        """A field by its name, for programs that read the table that version 0.1 returned."""
        return getattr(self, field)


class SolutionJudge(Protocol):
    """A judge that finds first errors: a verifier or a baseline."""

    @property
    def spec(self) -> JudgeSpec:
        """Everything that decides its verdicts."""
        ...

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict | WholeVerdict:
        """Judge one solution.

        Raises:
            RequestFailed: this solution cannot be judged.
            GenprmError: no solution can.
        """
        ...


class JudgeWorker:
    """A worker that computes the rows of a run with a judge; see `Worker`."""

    policy = None

    def __init__(self, judge: SolutionJudge) -> None:
        self._judge = judge

    @property
    def judge(self) -> JudgeSpec:
        """The judge's spec."""
        return self._judge.spec

    async def make(self, row: int, item: LabelledSolution) -> EvaluatedRow:
        """The judgement on a labelled solution; raises as `SolutionJudge.judge`."""
        found = await self._judge.judge(row, item.solution)
        if isinstance(found, SolutionVerdict):
            return _row(row, item, found, {})
        whole = {
            "first_error": found.first_error,
            "guesses": found.guesses,
            "critiques": found.critiques,
        }
        return _row(row, item, SolutionVerdict(item.id, (), found.usage), whole)


@dataclass(frozen=True, slots=True)
class EvaluationRun:
    """A finished or unfinished run, as its folder describes it."""

    name: str
    folder: Path
    spec: RunSpec
    rows: tuple[LabelledSolution, ...]
    judgements: Mapping[str, Judgement]

    @property
    def predictions(self) -> dict[str, int | None]:
        """Predicted first errors by id."""
        return {key: judgement.first_error for key, judgement in self.judgements.items()}

    def stored_rows(self) -> Iterator[EvaluatedRow]:
        """The rows as written, with every vote."""
        return stored_rows(self.folder)


async def run(
    rows: Sequence[LabelledSolution],
    judge: SolutionJudge,
    folder: Path,
    *,
    concurrency: int = 16,
    on_row: Callable[[EvaluatedRow, int], None] | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Judge all rows with one judge in this process; see `run_with`."""
    opened = Opened(JudgeWorker(judge), concurrency)
    return await run_with(opened, rows, folder, on_row=on_row, retry_failed=retry_failed)


async def run_with(
    opened: Opened[LabelledSolution, EvaluatedRow],
    rows: Sequence[LabelledSolution],
    folder: Path,
    *,
    on_row: Callable[[EvaluatedRow, int], None] | None = None,
    retry_failed: bool = False,
) -> Summary:
    """Judge all rows that `folder` does not hold yet, and summarise the run.

    `on_row` is called for each new row, with the number of rows that the folder then holds.

    Raises:
        JournalError: the folder holds a run of another configuration.
        ModelError, SandboxError: judging failed permanently; finished rows are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    worker = opened.worker
    spec = RunSpec(command="evaluate", input=_fingerprint(rows), judge=worker.judge)
    with Journal(folder / ROWS, spec, EvaluatedRow, retry_failed=retry_failed) as journal:
        _note_environment(folder / ENVIRONMENT)
        todo = [(index, row) for index, row in enumerate(rows) if row.id not in journal]
        jobs = (_judged(worker, index, row) for index, row in todo)
        async with aclosing(as_finished(jobs, opened.at_once)) as finished:
            async for new in finished:
                journal.append(new)
                if on_row:
                    on_row(new, len(journal))
        journal.finish(row.id for row in rows)
        judgements = {row.id: judgement_of(row) for row in journal.rows()}
    summary = summarise_judgements(rows, judgements)
    (folder / SUMMARY).write_text(summary.text())
    return summary


def read_run(folder: Path) -> EvaluationRun:
    """Read a run folder.

    Raises:
        InputError: it is not a run folder.
    """
    claim = run_file(folder / ROWS)
    try:
        spec = read_spec(claim.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: there is no run ({claim.name} is missing or damaged); "
            "fix: name a folder written by genprm evaluate --output"
        ) from error
    stored = list(stored_rows(folder))
    return EvaluationRun(
        folder.name,
        folder,
        spec,
        tuple(map(_labelled, stored)),
        {row.id: judgement_of(row) for row in stored},
    )


def stored_rows(folder: Path) -> Iterator[EvaluatedRow]:
    """The rows of a run folder, in the file's order.

    Raises:
        InputError: the file cannot be read, or a line is not such a row.
    """
    path = folder / ROWS
    try:
        lines = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    with lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith(b"\n"):  # the last line may be torn
                yield _stored_row(f"{path}:{number}", line)


def _stored_row(place: str, line: bytes) -> EvaluatedRow:
    try:
        return EvaluatedRow.parse(line)
    except ValidationError as error:
        raise InputError(
            f"{place}: not a row of genprm evaluate: {field_fault(error)}; "
            "fix: remove the line, and run the command again"
        ) from None


def judgement_of(row: EvaluatedRow) -> Judgement:
    """The judgement that a stored row holds."""
    steps = len(row.steps) + len(row.unjudged_steps)
    if row.failed is not None:
        return Judgement(row.id, steps, None, usage=row.usage, cause=row.failed)
    if row.guesses is not None:
        return Judgement(row.id, steps, row.first_error, guesses=row.guesses, usage=row.usage)
    return Judgement.of(row.verdict(), steps)


async def _judged(
    worker: Worker[LabelledSolution, EvaluatedRow], index: int, labelled: LabelledSolution
) -> EvaluatedRow:
    try:
        return await worker.make(index, labelled)
    except RequestFailed as error:
        failed = SolutionVerdict(labelled.id, ())
        return _row(index, labelled, failed, {"first_error": None, "failed": str(error)})


def _row(
    index: int,
    labelled: LabelledSolution,
    verdict: SolutionVerdict,
    whole: Mapping[str, object],
) -> EvaluatedRow:
    return EvaluatedRow.model_validate(
        {
            **judged_fields(index, labelled.solution, verdict),
            **whole,
            "label": labelled.first_error,
            "subset": labelled.subset,
            "generator": labelled.generator,
            "final_answer_correct": labelled.answer_correct,
        }
    )


def _labelled(row: EvaluatedRow) -> LabelledSolution:
    return LabelledSolution(
        row.solution, row.label, row.subset, row.generator, row.final_answer_correct
    )


def _fingerprint(rows: Sequence[LabelledSolution]) -> str:
    return digest(
        [
            [row.id, row.subset, row.first_error, row.solution.problem, *row.solution.steps]
            for row in rows
        ]
    )


def _note_environment(path: Path) -> None:
    """Add this machine to the list, because a run may be resumed elsewhere."""
    packages = {}
    for package in _PACKAGES:
        try:
            packages[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    here = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": packages,
    }
    known = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps([*known, here], indent=1) + "\n")
