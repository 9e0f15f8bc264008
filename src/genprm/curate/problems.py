"""Stage 0, problems: where the problems with their gold answers come from.

A JSON, JSON Lines or Parquet file, or a data set of the Hugging Face Hub (`hf:NAME[:SPLIT]`).
A row holds `problem` (or `question`) and `answer`; or a worked `solution` whose final answer is
taken. Every row is checked before anything is sampled.
"""

from collections.abc import Iterable

from genprm import dataset
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
