"""Files of solutions to judge, or of problems: JSON, JSON Lines or plain text, many sources.

Recognised rows: ours (`problem` with `steps` or `solution`; ProcessBench's are of this kind),
BIG-Bench-Mistake's (`input`, `steps`) and PRM800K's (`question`, `label.steps`). Fields that the
row holds besides are passed through. Every row is checked before any is judged.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from genprm.answer import extract_answer
from genprm.errors import InputError
from genprm.problem import Problem, Solution, split_steps

MAX_STEPS = 1_000
MAX_CHARACTERS = 100_000  # of a problem or a step: longer ones fit no model's context

Row = dict[str, Any]


def read_solutions(source: str) -> list[Solution]:
    """Read a file, or standard input for `-`.

    Raises:
        InputError: one line that names the file, the line or row, the field and the mend.
    """
    text = _read_text(source)
    if _is_prose(source, text):
        return [_solution_from_prose(source, text)]
    solutions = [_solution(place, row) for place, row in _rows(source, text)]
    if not solutions:
        raise InputError(f"{source}: no rows; fix: one JSON object per line with problem, steps")
    return solutions


def read_rows(source: str) -> Iterator[tuple[str, Row]]:
    """The JSON objects of a file, or of standard input for `-`, each with its place for messages.

    Raises:
        InputError: the file cannot be read, or a row is not a JSON object.
    """
    for place, row in _rows(source, _read_text(source)):
        if not isinstance(row, dict):
            raise InputError(f"{place}: not a JSON object; fix: one JSON object per line")
        yield place, row


def read_problems(source: str) -> list[Problem]:
    """Read problems: `problem` or `question`, and `answer` where one is known.

    The gold answer is what `answer` states (GSM8K's worked answers end in `#### 72`), or else
    the worked `solution`. A row without an id is named by its number.

    Raises:
        InputError: as `read_solutions`.
    """
    problems = [
        problem_of(place, row, number) for number, (place, row) in enumerate(read_rows(source))
    ]
    if not problems:
        raise InputError(f"{source}: no rows; fix: one JSON object per line with a problem")
    return problems


def problem_of(place: str, row: Row, number: int) -> Problem:
    """The problem of one row.

    Raises:
        InputError: names the place, the field and the mend.
    """
    try:
        parsed = _ProblemRow.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    worked = parsed.solution if parsed.answer is None else None
    gold = extract_answer(worked) if worked else parsed.answer
    if gold and "####" in gold:
        gold = extract_answer(gold)
    return Problem(str(number if parsed.id is None else parsed.id), parsed.problem, gold)


def _read_text(source: str) -> str:
    try:
        data = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{source}:{line}: not UTF-8; fix: save the file as UTF-8") from None


def _is_prose(source: str, text: str) -> bool:
    if Path(source).suffix in (".json", ".jsonl", ".ndjson"):
        return False
    return not text.lstrip().startswith(("{", "["))


def _solution_from_prose(source: str, text: str) -> Solution:
    """First paragraph: the problem. What follows: the solution."""
    problem, _, solution = text.strip().partition("\n\n")
    row = {"problem": problem.strip(), "solution": solution.removeprefix("Solution:")}
    if not solution.strip():
        raise InputError(f"{source}: no solution; fix: the problem, a blank line, the solution")
    return _solution(source, row)


def _rows(source: str, text: str) -> Iterator[tuple[str, Any]]:
    """Rows with their places: a JSON document, or one JSON object per line."""
    lines = text.split("\n")
    try:
        document = _parse(text)
    except json.JSONDecodeError as error:
        if source.endswith(".json") and error.msg != "Extra data":
            raise _broken(f"{source}:{error.lineno}", error.msg) from None
    except (RecursionError, ValueError) as error:
        raise _broken(source, str(error)) from None
    else:
        many = document if isinstance(document, list) else [document]
        return iter([(f"{source}: row {number}", row) for number, row in enumerate(many, 1)])
    return _json_lines(source, lines)


def _json_lines(source: str, lines: list[str]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"{source}:{number}"
            try:
                row = _parse(line)
            except json.JSONDecodeError as error:
                raise _broken(place, f"{error.msg} at character {error.pos + 1}") from None
            except (RecursionError, ValueError) as error:
                raise _broken(place, str(error)) from None
            yield place, row


def _parse(text: str) -> Any:
    return json.loads(text)


def _broken(place: str, cause: str) -> InputError:
    return InputError(f"{place}: broken JSON ({cause}); fix: one JSON object per line")


def _usable(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; fix: remove it or fill it")
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters; fix: at most {MAX_CHARACTERS:,}")
    if "\0" in text:
        raise ValueError("contains NUL; fix: remove the character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("contains half a surrogate pair; fix: remove it") from None
    return text


Text = Annotated[str, AfterValidator(_usable)]


class _SolutionRow(BaseModel):
    """Ours, ProcessBench's and BIG-Bench-Mistake's."""

    model_config = ConfigDict(extra="ignore")

    problem: Text = Field(validation_alias=AliasChoices("problem", "question", "input"))
    steps: list[Text] | None = None
    solution: Text | None = None
    id: str | int | None = None


class _ProblemRow(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    problem: Text = Field(validation_alias=AliasChoices("problem", "question", "input"))
    answer: str | None = None
    solution: str | None = None
    id: str | None = None


class _Completion(BaseModel):
    text: Text


class _RatedStep(BaseModel):
    completions: list[_Completion] | None = None
    human_completion: _Completion | None = None
    chosen_completion: int | None = None

    def text(self) -> str | None:
        """What the labelers went on with; the first completion where they gave up."""
        if self.chosen_completion is None and self.human_completion is not None:
            return self.human_completion.text
        return self.completions[self.chosen_completion or 0].text if self.completions else None


class _Prm800kQuestion(BaseModel):
    problem: Text


class _Prm800kLabel(BaseModel):
    steps: list[_RatedStep]


class _Prm800kRow(BaseModel):
    model_config = ConfigDict(extra="ignore")

    question: _Prm800kQuestion
    label: _Prm800kLabel


def _solution(place: str, row: Any) -> Solution:
    if not isinstance(row, dict):
        raise InputError(f"{place}: not a JSON object; fix: an object with problem and steps")
    try:
        if isinstance(row.get("question"), dict):
            rated = _Prm800kRow.model_validate(row)
            steps = [text for step in rated.label.steps if (text := step.text())]
            parsed = _SolutionRow(problem=rated.question.problem, steps=steps)
        else:
            parsed = _SolutionRow.model_validate(row)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from None
    except IndexError:
        raise InputError(f"{place}: field label.steps: a step without completions") from None
    return Solution(
        problem=parsed.problem,
        steps=_steps(place, parsed),
        id="" if parsed.id is None else str(parsed.id),
        extra={name: value for name, value in row.items() if name not in _OURS},
    )


_OURS = {"problem", "question", "input", "steps", "solution", "id"}


def _steps(place: str, row: _SolutionRow) -> tuple[str, ...]:
    steps = tuple(row.steps) if row.steps else split_steps(row.solution or "")
    if not steps:
        raise InputError(
            f"{place}: field steps: missing or empty; "
            "fix: a list of texts, or a field solution with the whole text"
        )
    if len(steps) > MAX_STEPS:
        raise InputError(f"{place}: field steps: {len(steps):,} steps; fix: at most {MAX_STEPS:,}")
    return steps


def first_fault(error: ValidationError) -> str:
    """The first field at fault, what is wrong with it, and the mend."""
    fault = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "missing":
        return f"field {field}: missing; fix: add it"
    return f"field {field}: {fault['msg'].removeprefix('Value error, ')}"
