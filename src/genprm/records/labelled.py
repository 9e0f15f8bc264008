"""The public sets of labelled solutions, and the one translation of each.

| set | index of the first error | no error |
|---|---|---|
| ProcessBench | `label`, from 0 | -1 |
| PRM800K (OpenAI's rows) | first chosen step rated -1 | none rated -1 |
| BIG-Bench-Mistake | `mistake_index`, from 0 | null |
| PRMBench | least of `error_steps`, from 1 | empty list |
| MR-GSM8K | `model_output_solution_first_error_step`, from 1 | N/A |
| Mr-Ben | `Model_Solution_First_Error_Step`, from 1 | N/A |
| verify-then-generate | `incorrect_index`, from 0 | every row has one |

The fields of a row show which set it is from. A row without a usable label (PRM800K: the labeller
gave up; Mr-Ben: "incorrect" without a place) is an `UnusableLabel`.
"""

import ast
from collections.abc import Mapping
from typing import Annotated, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field, JsonValue, StrictInt, StrictStr

from genprm.records.prm800k import Prm800kRow
from genprm.records.record import Record
from genprm.records.texts import CleanText


class Labelled(NamedTuple):
    """The common form of all sets; `first_error` counts from 0, -1 for none."""

    problem: str
    steps: tuple[str, ...]
    first_error: int
    id: str | None = None
    subset: str | None = None
    generator: str | None = None
    answer_correct: bool | None = None


class UnusableLabel(ValueError):
    """A valid row whose label cannot be used."""


def translate(fields: Mapping[str, JsonValue]) -> list[Labelled]:
    """Recognise a row and translate it.

    Raises:
        pydantic.ValidationError: a field is missing or has the wrong type.
        UnusableLabel: there is no label, or it points outside the steps.
        ValueError: no known set has such rows, or there are no steps.
    """
    for row_format in FORMATS:
        if row_format.mark in fields:
            labelled = row_format.model_validate(fields).labelled()
            for row in labelled:
                _check(row)
            return labelled
    marks = ", ".join(row_format.mark for row_format in FORMATS)
    raise ValueError(f"the row has no known format; fix: give the row one of the fields {marks}")


def _check(row: Labelled) -> None:
    if not row.steps:
        raise ValueError("the solution has no steps; fix: add them or delete the row")
    if not -1 <= row.first_error < len(row.steps):
        raise UnusableLabel(
            f"the first error is labelled as step {row.first_error} (from 0) of "
            f"{len(row.steps)}; fix: correct the label"
        )


def _listed(steps: object) -> object:
    """Parse the list of steps, which some exports contain as the text of a Python list."""
    if not isinstance(steps, str) or steps[:1] != "[":
        return steps
    try:
        value: object = ast.literal_eval(steps)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return steps  # refused for its type, as any other text
    return value


def _whole(number: object) -> object:
    """Convert whole numbers such as `2.0`, which tables with empty cells contain."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Steps = Annotated[tuple[Annotated[CleanText, Field(strict=True)], ...], BeforeValidator(_listed)]
Place = Annotated[StrictInt, BeforeValidator(_whole)]
FromOne = Place | StrictStr | None


def _from_one(place: FromOne) -> int:
    """A place counted from 1 as an index from 0."""
    text = str(place).strip()
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise UnusableLabel(
            f"the first error is labelled {text[:20]!r}; fix: give the number of a step, from 1"
        )
    return int(text) - 1


def _from_zero(place: int) -> int:
    """An index from 0, in a set that has no value for "no error"."""
    if place < 0:
        raise UnusableLabel(
            f"the first error is labelled {place}; fix: give the number of a step, from 0"
        )
    return place


class _Row(Record):
    mark: ClassVar[str]  # a field that only rows of this format have

    def labelled(self) -> list[Labelled]:
        raise NotImplementedError


class _ProcessBench(_Row):
    mark: ClassVar[str] = "label"
    problem: CleanText
    steps: Steps
    label: Place
    id: str | None = Field(None, coerce_numbers_to_str=True)
    generator: str | None = None
    subset: str | None = None
    final_answer_correct: bool | None = None

    def labelled(self) -> list[Labelled]:
        return [
            Labelled(
                self.problem,
                self.steps,
                self.label,
                self.id,
                self.subset,
                self.generator,
                self.final_answer_correct,
            )
        ]


class _Prm800k(Prm800kRow, _Row):
    mark: ClassVar[str] = "labeler"

    def labelled(self) -> list[Labelled]:
        path = self.path()
        ratings = [completion.rating for completion in path]
        if -1 in ratings:
            path = path[: ratings.index(-1) + 1]
        elif self.label.finish_reason != "solution":
            raise UnusableLabel("the labeller gave up; fix: nothing, the row has no label")
        if not path or any(completion.rating is None for completion in path):
            raise UnusableLabel("a step has no rating; fix: nothing, the row has no label")
        steps = tuple(completion.text for completion in path)
        is_wrong = path[-1].rating == -1
        return [Labelled(self.question.problem, steps, len(steps) - 1 if is_wrong else -1)]


class _BigBenchMistake(_Row):
    mark: ClassVar[str] = "mistake_index"
    input: CleanText
    steps: Steps
    mistake_index: Place | None
    target: JsonValue = None
    answer: JsonValue = None

    def labelled(self) -> list[Labelled]:
        known = self.target is not None and self.answer is not None
        correct = str(self.target).strip() == str(self.answer).strip() if known else None
        index = -1 if self.mistake_index is None else _from_zero(self.mistake_index)
        return [Labelled(self.input, self.steps, index, answer_correct=correct)]


class _PrmBench(_Row):
    mark: ClassVar[str] = "modified_process"
    idx: str = Field(coerce_numbers_to_str=True)
    classification: StrictStr
    modified_question: CleanText
    modified_process: Steps
    error_steps: tuple[FromOne, ...]
    original_question: CleanText | None = None
    original_process: Steps | None = None

    def labelled(self) -> list[Labelled]:
        kind = self.classification
        index = min(map(_from_one, self.error_steps), default=-1)
        rows = [
            Labelled(
                self.modified_question, self.modified_process, index, f"{kind}_{self.idx}", kind
            )
        ]
        # The set's own script takes its right solutions from the originals of this one class.
        if kind == "redundency" and self.original_question and self.original_process:
            rows.append(
                Labelled(
                    self.original_question,
                    self.original_process,
                    -1,
                    f"correct_{self.idx}",
                    "correct",
                )
            )
        return rows


class _MrGsm8k(_Row):
    mark: ClassVar[str] = "model_output_solution_first_error_step"
    uuid: str = Field(coerce_numbers_to_str=True)
    question: CleanText
    steps: Steps = Field(alias="model_output_steps")
    solution_correctness: str = Field(alias="model_output_solution_correctness")
    answer_correctness: str | None = Field(None, alias="model_output_answer_correctness")
    first_error_step: FromOne = Field(alias="model_output_solution_first_error_step")
    question_type: str | None = None

    def labelled(self) -> list[Labelled]:
        index = _index(self.solution_correctness, self.first_error_step)
        correct = self.answer_correctness and self.answer_correctness.strip() == "correct"
        return [
            Labelled(
                self.question,
                self.steps,
                index,
                self.uuid,
                self.question_type,
                answer_correct=None if correct is None else bool(correct),
            )
        ]


class _MrBen(_Row):
    mark: ClassVar[str] = "Model_Solution_First_Error_Step"
    uuid: str | None = Field(None, alias="Question_UUID", coerce_numbers_to_str=True)
    subject: str | None = Field(None, alias="Subject")
    question: CleanText = Field(alias="Question")
    options: str | None = Field(None, alias="Options")
    steps: Steps = Field(alias="Model_Solution_Steps")
    correctness: str = Field(alias="Model_Solution_Correctness")
    first_error_step: FromOne = Field(alias="Model_Solution_First_Error_Step")
    model: str | None = Field(None, alias="Sampled_Model")

    def labelled(self) -> list[Labelled]:
        index = _index(self.correctness, self.first_error_step)
        problem = f"{self.question}\n{self.options}" if self.options else self.question
        return [Labelled(problem, self.steps, index, self.uuid, self.subject, self.model)]


def _index(correctness: str, place: FromOne) -> int:
    """-1 for a solution that is labelled correct, otherwise the index of its error."""
    return -1 if correctness.strip().lower() == "correct" else _from_one(place)


class _VerifyThenGenerate(_Row):
    mark: ClassVar[str] = "student_incorrect_solution"
    problem: CleanText
    steps: Steps = Field(alias="student_incorrect_solution")
    incorrect_index: Place

    def labelled(self) -> list[Labelled]:
        return [Labelled(self.problem, self.steps, _from_zero(self.incorrect_index))]


# PRM800K before ProcessBench: its rows have a `label` too.
FORMATS: tuple[type[_Row], ...] = (
    _Prm800k,
    _BigBenchMistake,
    _PrmBench,
    _MrGsm8k,
    _MrBen,
    _VerifyThenGenerate,
    _ProcessBench,
)
