"""A run: labelled solutions, a judge, and a folder that keeps everything that was said.

    rows.jsonl            one row per solution: steps, label, prediction, every vote
    rows.jsonl.run.json   the configuration; another one is refused
    environment.json      machine and package versions, of every time it went on
    summary.json          the numbers

A killed run goes on where it stopped. A row that cannot be judged at all is a row with its
`cause`, and a miss.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

from genprm.concurrency import as_finished
from genprm.dataset import read_rows
from genprm.errors import ContextExceeded, InputError
from genprm.evaluate.judgement import Judgement
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.summary import Summary, summarise_judgements
from genprm.journal import Journal
from genprm.problem import Solution
from genprm.verdict import Usage
from genprm.verify.rows import from_row

Row = dict[str, Any]
ROWS, ENVIRONMENT, SUMMARY = "rows.jsonl", "environment.json", "summary.json"
_PACKAGES = ("genprm", "numpy", "math-verify", "openvino-genai", "torch", "transformers", "vllm")


class Judge(Protocol):
    """What finds first errors: a verifier or a baseline."""

    @property
    def configuration(self) -> Mapping[str, Any]:
        """All that decides what it says."""
        ...

    async def judge(self, row: int, solution: Solution) -> Row:
        """Judge one solution; a row as `verify.rows` writes it, or one with `guesses`.

        Raises:
            ContextExceeded: this solution cannot be judged.
            GenprmError: no solution can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A finished or unfinished run as its folder tells it."""

    name: str
    folder: Path
    configuration: Mapping[str, Any]
    rows: tuple[LabelledSolution, ...]
    judgements: Mapping[str, Judgement]

    @property
    def predictions(self) -> dict[str, int | None]:
        """Predicted first errors by id."""
        return {key: judgement.first_error for key, judgement in self.judgements.items()}

    def stored_rows(self) -> Iterator[Row]:
        """The rows as written, with every vote."""
        return (row for _, row in read_rows(str(self.folder / ROWS)))


async def run(
    rows: Sequence[LabelledSolution],
    judge: Judge,
    folder: Path,
    *,
    concurrency: int = 16,
    on_row: Callable[[Row, int], None] | None = None,
) -> Summary:
    """Judge all rows that `folder` does not hold yet, and sum up.

    `on_row` is told of each new row, and how many the folder holds with it.

    Raises:
        JournalError: the folder holds a run of another configuration.
        ModelError, SandboxError: judging failed for good; what was finished is kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    configuration = {
        "genprm": metadata.version("genprm"),
        "command": "evaluate",
        "input": _fingerprint(rows),
        **judge.configuration,
    }
    with Journal(folder / ROWS, configuration, key="id") as journal:
        _note_environment(folder / ENVIRONMENT)
        todo = [(index, row) for index, row in enumerate(rows) if row.id not in journal]
        jobs = (_judged(judge, index, row) for index, row in todo)
        async with aclosing(as_finished(jobs, concurrency)) as finished:
            async for new in finished:
                journal.append(new)
                if on_row:
                    on_row(new, len(journal))
        journal.finish(row.id for row in rows)
        judgements = {row["id"]: judgement_of(row) for row in journal.rows()}
    summary = summarise_judgements(rows, judgements)
    (folder / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def read_run(folder: Path) -> Run:
    """Read a run folder.

    Raises:
        InputError: it is none.
    """
    claim = folder / f"{ROWS}.run.json"
    try:
        configuration = json.loads(claim.read_text())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: no run ({claim.name} is missing or damaged); "
            "fix: name a folder written by genprm evaluate --output"
        ) from error
    stored = [row for _, row in read_rows(str(folder / ROWS))]
    return Run(
        folder.name,
        folder,
        configuration,
        tuple(map(_labelled, stored)),
        {row["id"]: judgement_of(row) for row in stored},
    )


def judgement_of(row: Mapping[str, Any]) -> Judgement:
    """The judgement that a stored row holds."""
    steps = len(row["steps"]) + len(row.get("unjudged_steps", ()))
    usage = Usage(**row["usage"])
    if cause := row.get("cause"):
        return Judgement(row["id"], steps, None, usage=usage, cause=cause)
    if "guesses" in row:
        guesses = tuple(row["guesses"])
        return Judgement(row["id"], steps, row["first_error"], guesses=guesses, usage=usage)
    return Judgement.of(from_row(row), steps)


async def _judged(judge: Judge, index: int, labelled: LabelledSolution) -> Row:
    solution = labelled.solution
    try:
        row = await judge.judge(index, solution)
    except ContextExceeded as error:
        row = whole_solution_row(index, solution, None, ()) | {"cause": str(error)}
    return row | {
        "label": labelled.first_error,
        "subset": labelled.subset,
        "generator": labelled.generator,
        "final_answer_correct": labelled.answer_correct,
    }


def whole_solution_row(
    index: int,
    solution: Solution,
    first_error: int | None,
    guesses: Sequence[int | None],
    usage: Usage = Usage(),
) -> Row:
    """The row of a judge that names a first error and judges no single step."""
    return {
        "id": solution.id,
        "row": index,
        "problem": solution.problem,
        "first_error": first_error,
        "steps": [],
        "unjudged_steps": list(solution.steps),
        "guesses": list(guesses),
        "usage": {field: getattr(usage, field) for field in Usage.__dataclass_fields__},
    }


def _labelled(row: Row) -> LabelledSolution:
    steps = (*(step["text"] for step in row["steps"]), *row.get("unjudged_steps", ()))
    return LabelledSolution(
        Solution(row["problem"], steps, row["id"]),
        row["label"],
        row["subset"],
        row["generator"],
        row["final_answer_correct"],
    )


def _fingerprint(rows: Sequence[LabelledSolution]) -> str:
    texts = [
        [row.id, row.subset, row.first_error, row.solution.problem, *row.solution.steps]
        for row in rows
    ]
    return sha256(json.dumps(texts).encode()).hexdigest()


def _note_environment(path: Path) -> None:
    """Add this machine to the list: a run may go on elsewhere."""
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
