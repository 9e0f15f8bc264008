"""Stage 0, problems: where the problems with their gold answers come from.

A JSON, JSON Lines or Parquet file, or a data set of the Hugging Face Hub (`hf:NAME[:SPLIT]`).
A row holds `problem` (or `question`) and `answer`; or a worked `solution` whose final answer is
taken. Every row is checked before anything is sampled.
"""

from genprm import dataset
from genprm.bad_rows import BadRows
from genprm.errors import InputError
from genprm.problem import Problem


def read_problems(source: str, bad: BadRows | None = None) -> list[Problem]:
    """Read a recipe's `problems`, each with its gold answer.

    Raises:
        InputError: as `dataset.read_problems`; a problem has no gold answer, or two have one id;
            for a bad row only where `bad` does not skip it.
        MissingExtra: a Hub data set without `datasets`, Parquet without `pyarrow`.
    """
    bad = bad or BadRows()
    problems: dict[str, Problem] = {}
    for problem in dataset.read_problems(source, bad):
        with bad.row():
            _check(problem, source)
            if problem.id in problems:
                raise InputError(
                    f"{source}: id {problem.id!r} twice; fix: give each problem an id of its own"
                )
            problems[problem.id] = problem
    if not problems:
        raise InputError(
            f"{source}: there are no problems; fix: write one JSON object on each line"
        )
    return list(problems.values())


def _check(problem: Problem, source: str) -> None:
    if problem.answer is None:
        raise InputError(
            f"{source}: problem {problem.id}: field answer: missing; "
            "fix: add it, or a worked solution"
        )
