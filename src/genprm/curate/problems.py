"""Stage 0, problems: where the problems with their gold answers come from.

A JSON, JSON Lines or Parquet file, or a data set of the Hugging Face Hub (`hf:NAME[:SPLIT]`).
A row holds `problem` (or `question`) and `answer`; or a worked `solution` whose final answer is
taken. Every row is checked before anything is sampled.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256

from genprm import dataset
from genprm.curate.folder import KEY, Folder
from genprm.curate.stages import Stage
from genprm.errors import InputError
from genprm.problem import Problem


def read_problems(source: str) -> list[Problem]:
    """Read a recipe's `problems`, each with its gold answer.

    Raises:
        InputError: as `dataset.read_problems`; or a problem has no gold answer.
        MissingExtra: a Hub data set without `datasets`, Parquet without `pyarrow`.
    """
    problems = dataset.read_problems(source)
    for problem in problems:
        if problem.answer is None:
            raise InputError(
                f"{source}: problem {problem.id}: field answer: missing; "
                "fix: add it, or a worked solution"
            )
    check_problems(problems, source)
    return problems


def check_problems(problems: Iterable[Problem], source: str) -> None:
    """Refuse none at all, and ids that name two.

    Raises:
        InputError: as said.
    """
    seen: set[str] = set()
    for problem in problems:
        if problem.id in seen:
            raise InputError(f"{source}: id {problem.id!r} twice; fix: one id for each problem")
        seen.add(problem.id)
    if not seen:
        raise InputError(f"{source}: no problems; fix: one JSON object per line")


def store_problems(folder: Folder, problems: Iterable[Problem]) -> None:
    """Write the stage's rows, or check that they are there already.

    Raises:
        JournalError: other problems are there.
    """
    rows = [{KEY: problem.id, **asdict(problem)} for problem in problems]
    texts = json.dumps(rows, ensure_ascii=False)
    with folder.journal(
        Stage.PROBLEMS, {"problems": sha256(texts.encode()).hexdigest()}
    ) as journal:
        for row in rows:
            if row[KEY] not in journal:
                journal.append(row)
        folder.finish(Stage.PROBLEMS, journal, [row[KEY] for row in rows])


def stored_problems(folder: Folder) -> list[Problem]:
    """The stage's rows as problems, all with a gold answer."""
    return [Problem(row["id"], row["text"], row["answer"]) for row in folder.rows(Stage.PROBLEMS)]
