"""The public sets of labelled solutions, each translated once, here.

| set | index of the first error | no error |
|---|---|---|
| ProcessBench | `label`, from 0 | -1 |
| PRM800K (OpenAI's rows) | first chosen step rated -1 | none rated -1 |
| BIG-Bench-Mistake | `mistake_index`, from 0 | null |
| PRMBench | least of `error_steps`, from 1 | empty list |
| MR-GSM8K | `model_output_solution_first_error_step`, from 1 | N/A |
| Mr-Ben | `Model_Solution_First_Error_Step`, from 1 | N/A |
| verify-then-generate | `incorrect_index`, from 0 | every row has one |

A row says by its fields which set it is from. One that carries no usable label (PRM800K: the
labeller gave up; Mr-Ben: "incorrect" without a place) translates to nothing.
"""

import ast
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr


class Labelled(NamedTuple):
    """What all sets have in common; `first_error` counts from 0, -1 for none."""

    problem: str
    steps: tuple[str, ...]
    first_error: int
    id: str | None = None
    subset: str | None = None
    generator: str | None = None
    answer_correct: bool | None = None


def translate(fields: dict[str, Any]) -> list[Labelled]:
    """Recognise a row and translate it.

    Raises:
        pydantic.ValidationError: a field is missing or has the wrong type.
        ValueError: no known set has such rows, or the label points outside the steps.
    """
    for row_format in FORMATS:
        if row_format.mark in fields:
            labelled = row_format.model_validate(fields).labelled()
            for row in labelled:
                _check(row)
            return labelled
    marks = ", ".join(row_format.mark for row_format in FORMATS)
    raise ValueError(f"of no known format; fix: give the row one of the fields {marks}")


def _check(row: Labelled) -> None:
    if not row.steps:
        raise ValueError("the solution has no steps; fix: add them or delete the row")
    if not -1 <= row.first_error < len(row.steps):
        raise ValueError(
            f"the first error is labelled as step {row.first_error} (from 0) of "
            f"{len(row.steps)}; fix: correct the label"
        )


def _listed(steps: Any) -> Any:
    """Some exports hold the list of steps as the text of a Python list."""
    return ast.literal_eval(steps) if isinstance(steps, str) and steps[:1] == "[" else steps


Steps = Annotated[tuple[StrictStr, ...], BeforeValidator(_listed)]
FromOne = StrictInt | StrictStr | None


def _from_one(place: FromOne) -> int | None:
    """A 1-based place as a 0-based index; None for N/A."""
    text = str(place).strip()
    return int(text) - 1 if text.isdecimal() else None


class _Fields(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Row(_Fields):
    mark: ClassVar[str]  # a field that only rows of this format have

    def labelled(self) -> list[Labelled]:
        raise NotImplementedError


class _ProcessBench(_Row):
    mark: ClassVar[str] = "label"
    problem: StrictStr
    steps: Steps
    label: StrictInt
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


class _Prm800kCompletion(_Fields):
    text: str
    rating: Literal[-1, 0, 1] | None = None


class _Prm800kStep(_Fields):
    completions: list[_Prm800kCompletion] | None = None
    human_completion: _Prm800kCompletion | None = None
    chosen_completion: int | None = None

    def taken(self) -> _Prm800kCompletion | None:
        """The step the labeller went on from; where none was good, the first one shown."""
        if self.chosen_completion is not None and self.completions:
            return self.completions[self.chosen_completion]
        if self.human_completion is not None:
            return self.human_completion.model_copy(update={"rating": 1})
        return self.completions[0] if self.completions else None


class _Prm800kLabel(_Fields):
    steps: list[_Prm800kStep]
    finish_reason: str | None = None


class _Prm800kQuestion(_Fields):
    problem: StrictStr


class _Prm800k(_Row):
    mark: ClassVar[str] = "labeler"
    question: _Prm800kQuestion
    label: _Prm800kLabel

    def labelled(self) -> list[Labelled]:
        taken = [step.taken() for step in self.label.steps]
        ratings = [completion and completion.rating for completion in taken]
        if -1 in ratings:
            end = ratings.index(-1) + 1
            taken, ratings = taken[:end], ratings[:end]
        elif self.label.finish_reason != "solution":
            return []
        if None in ratings or not taken:
            return []
        steps = tuple(completion.text for completion in taken if completion)
        return [Labelled(self.question.problem, steps, len(steps) - 1 if ratings[-1] == -1 else -1)]


class _BigBenchMistake(_Row):
    mark: ClassVar[str] = "mistake_index"
    input: StrictStr
    steps: Steps
    mistake_index: StrictInt | None
    target: Any = None
    answer: Any = None

    def labelled(self) -> list[Labelled]:
        known = self.target is not None and self.answer is not None
        correct = str(self.target).strip() == str(self.answer).strip() if known else None
        index = -1 if self.mistake_index is None else self.mistake_index
        return [Labelled(self.input, self.steps, index, answer_correct=correct)]


class _PrmBench(_Row):
    mark: ClassVar[str] = "modified_process"
    idx: str = Field(coerce_numbers_to_str=True)
    classification: StrictStr
    modified_question: StrictStr
    modified_process: Steps
    error_steps: list[StrictInt]
    original_question: StrictStr | None = None
    original_process: Steps | None = None

    def labelled(self) -> list[Labelled]:
        kind = self.classification
        index = min(self.error_steps) - 1 if self.error_steps else -1
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
    question: StrictStr
    steps: Steps = Field(alias="model_output_steps")
    solution_correctness: str = Field(alias="model_output_solution_correctness")
    answer_correctness: str | None = Field(None, alias="model_output_answer_correctness")
    first_error_step: FromOne = Field(alias="model_output_solution_first_error_step")
    question_type: str | None = None

    def labelled(self) -> list[Labelled]:
        index = _index(self.solution_correctness, self.first_error_step)
        if index is None:
            return []
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
    question: StrictStr = Field(alias="Question")
    options: str | None = Field(None, alias="Options")
    steps: Steps = Field(alias="Model_Solution_Steps")
    correctness: str = Field(alias="Model_Solution_Correctness")
    first_error_step: FromOne = Field(alias="Model_Solution_First_Error_Step")
    model: str | None = Field(None, alias="Sampled_Model")

    def labelled(self) -> list[Labelled]:
        index = _index(self.correctness, self.first_error_step)
        if index is None:
            return []
        problem = f"{self.question}\n{self.options}" if self.options else self.question
        return [Labelled(problem, self.steps, index, self.uuid, self.subject, self.model)]


def _index(correctness: str, place: FromOne) -> int | None:
    """-1 for a solution called correct; None where an incorrect one names no place."""
    return -1 if correctness.strip().lower() == "correct" else _from_one(place)


class _VerifyThenGenerate(_Row):
    mark: ClassVar[str] = "student_incorrect_solution"
    problem: StrictStr
    steps: Steps = Field(alias="student_incorrect_solution")
    incorrect_index: StrictInt

    def labelled(self) -> list[Labelled]:
        return [Labelled(self.problem, self.steps, self.incorrect_index)]


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
