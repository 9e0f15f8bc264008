"""Files of solutions to judge, or of problems, from many sources.

Recognised rows: ours (`problem` with `steps` or `solution`; ProcessBench's are of this kind),
BIG-Bench-Mistake's (`input`, `steps`) and PRM800K's (`question`, `label.steps`). Other fields of a
row are passed through. Every row is checked before any is judged.
"""

import re

from pydantic import AliasChoices, Field, ValidationError

from genprm.answer import extract_answer
from genprm.bad_rows import BadRows
from genprm.errors import InputError
from genprm.files import Row, as_object, read_file, read_rows
from genprm.problem import Problem, Solution, split_steps
from genprm.records.prm800k import Prm800kRow
from genprm.records.problems import ProblemInput
from genprm.records.record import Record
from genprm.records.texts import MAX_CHARACTERS, UsableText
from genprm.records.validation import first_fault

__all__ = [
    "MAX_CHARACTERS",
    "MAX_STEPS",
    "Text",
    "problem_of",
    "read_problems",
    "read_rows",
    "read_solutions",
]

MAX_STEPS = 1_000
_PROBLEM_HEADING = re.compile(
    r"(?:#{1,6}[ ]*(?:problem|question)[ :]*\n|(?:problem|question)[ ]*:)\s*", re.I
)
_SOLUTION_HEADING = re.compile(r"(?:#{1,6}[ ]*solution[ :]*\n|solution[ ]*:)\s*", re.I)
Text = UsableText


def read_solutions(source: str, bad: BadRows | None = None) -> list[Solution]:
    """Read a file, standard input for `-`, or a data set of the Hub for `hf:NAME`.

    Raises:
        InputError: one line that names the file, the line or row, the field and the fix; for a bad
            row only if `bad` does not skip it.
    """
    bad = bad or BadRows()
    file = read_file(source)
    if file.is_prose():
        return [_solution_from_prose(source, file.text)]
    solutions: list[Solution] = []
    for place, row in file.rows():
        with bad.row():
            solutions.append(_solution(place, as_object(place, row)))
    if not solutions:
        raise InputError(
            f"{source}: there are no rows; "
            "fix: write one JSON object with problem and steps on each line; "
            "more: genprm explain input-rows"
        )
    return solutions


def read_problems(source: str, bad: BadRows | None = None) -> list[Problem]:
    """Read problems: `problem` or `question`, and `answer` if one is known.

    The gold answer is what `answer` states (GSM8K's worked answers end in `#### 72`), or otherwise
    what the worked `solution` states. A row without an id gets its number, from 0.

    Raises:
        InputError: as `read_solutions`.
    """
    bad = bad or BadRows()
    problems: list[Problem] = []
    for number, (place, row) in enumerate(read_file(source).rows()):
        with bad.row():
            problems.append(problem_of(place, as_object(place, row), number))
    if not problems:
        raise InputError(
            f"{source}: there are no rows; fix: write one JSON object with a problem on each line; "
            "more: genprm explain input-rows"
        )
    return problems


def problem_of(place: str, row: Row, number: int) -> Problem:
    """The problem of one row.

    Raises:
        InputError: names the place, the field and the fix.
    """
    try:
        parsed = ProblemInput.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    return Problem(parsed.id or str(number), parsed.problem, gold_answer(parsed))


def gold_answer(row: ProblemInput) -> str | None:
    """The final answer that a row states, directly or at the end of a worked solution."""
    if row.answer is None:
        return extract_answer(row.solution) if row.solution else None
    answer = row.answer.strip()
    is_worked = "\n" in answer or "####" in answer  # GSM8K's answers are whole solutions
    return extract_answer(answer) if is_worked and not _is_formula(answer) else answer or None


def _is_formula(answer: str) -> bool:
    """Whether the lines of an answer are those of one formula: a matrix, or cases."""
    return answer.startswith(("\\begin", "$", "\\[")) and "####" not in answer


def _solution_from_prose(source: str, text: str) -> Solution:
    """The first paragraph is the problem, and the rest is the solution."""
    problem, solution = (*re.split(r"\n[ \t]*\n", text.strip(), maxsplit=1), "")[:2]
    row: Row = {
        "problem": _without(_PROBLEM_HEADING, problem),
        "solution": _without(_SOLUTION_HEADING, solution),
    }
    if not solution.strip():
        raise InputError(
            f"{source}: there is no solution; "
            "fix: write the problem, a blank line, and the solution; "
            "more: genprm explain input-rows"
        )
    return _solution(source, row)


def _without(heading: re.Pattern[str], text: str) -> str:
    """The text without its heading, if it starts with one."""
    text = text.strip()
    found = heading.match(text)
    return text[found.end() :] if found else text


class _SolutionRow(Record):
    """Ours, ProcessBench's and BIG-Bench-Mistake's."""

    problem: UsableText = Field(validation_alias=AliasChoices("problem", "question", "input"))
    steps: tuple[UsableText, ...] | None = None
    solution: UsableText | None = None
    id: str | int | None = Field(None, validation_alias=AliasChoices("id", "unique_id"))


def _solution(place: str, row: Row) -> Solution:
    try:
        if isinstance(row.get("question"), dict):
            rated = Prm800kRow.model_validate(row)
            steps = [completion.text for completion in rated.path() if completion.text]
            fields = {"problem": rated.question.problem, "steps": steps}
            parsed = _SolutionRow.model_validate(fields)
        else:
            parsed = _SolutionRow.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    return Solution(
        problem=parsed.problem,
        steps=_steps(place, parsed),
        id="" if parsed.id is None else str(parsed.id),
        extra={name: value for name, value in row.items() if name not in _OURS},
    )


_OURS = {"problem", "question", "input", "steps", "solution", "id"}


def _steps(place: str, row: _SolutionRow) -> tuple[str, ...]:
    steps = row.steps or split_steps(row.solution or "")
    if not steps:
        raise InputError(
            f"{place}: field steps: missing or empty; "
            "fix: give a list of texts, or a field solution with the whole text"
        )
    if len(steps) > MAX_STEPS:
        raise InputError(
            f"{place}: field steps: {len(steps):,} steps; fix: split it into at most {MAX_STEPS:,}"
        )
    return steps
