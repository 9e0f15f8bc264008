"""Pools of stored samples: problems, each with many solutions, graded and scored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.dataset import first_fault, read_rows
from genprm.errors import InputError

StepScores = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """One problem's samples.

    `correct` [samples]; `answers` [samples], equal where two samples say the same, None where a
    sample gives none; `step_scores` by scorer, [samples][steps].
    """

    id: str
    correct: tuple[bool, ...]
    answers: tuple[int | None, ...]
    step_scores: Mapping[str, tuple[StepScores, ...]]


class _Row(BaseModel):
    """As in the public pools: `responses`, or only what was `extracted` from them."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    id: str
    answer: str | None = None
    responses: tuple[str, ...] | None = None
    extracted: tuple[str | None, ...] | None = None
    correct: tuple[bool, ...] | None = None
    prm_step_scores: Mapping[str, tuple[StepScores | None, ...]] = {}

    @model_validator(mode="after")
    def _as_many_of_each(self) -> "_Row":
        if not self.responses and not self.extracted:
            raise ValueError("responses or extracted is needed")
        if self.answer is None and self.correct is None:
            raise ValueError("answer or correct is needed")
        columns: dict[str, Sequence[Any] | None] = {
            "responses": self.responses,
            "extracted": self.extracted,
            "correct": self.correct,
            **{f"prm_step_scores.{name}": column for name, column in self.prm_step_scores.items()},
        }
        lengths = {name: len(column) for name, column in columns.items() if column is not None}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of different lengths {lengths}")
        return self


def read_pools(path: Path, checker: AnswerChecker, *, regrade: bool = False) -> list[Pool]:
    """Read a pool file. What the file does not say is found out with `checker`.

    Final answers are extracted from `responses` where `extracted` is absent, and graded against
    `answer` where `correct` is absent; `regrade` does both in any case where there are
    `responses` and an `answer`.

    Raises:
        InputError: a row is broken; names file, row, field and mend.
    """
    pools = [_pool(fields, place, checker, regrade) for place, fields in read_rows(str(path))]
    if not pools:
        raise InputError(f"{path}: no rows; fix: problems with responses")
    return pools


def scorers(pools: Sequence[Pool]) -> list[str]:
    """The scorers that scored every problem of a set."""
    first, *others = pools
    return [name for name in first.step_scores if all(name in pool.step_scores for pool in others)]


def _pool(fields: dict[str, Any], place: str, checker: AnswerChecker, regrade: bool) -> Pool:
    try:
        row = _Row.model_validate(fields)
    except ValidationError as error:
        raise InputError(f"{place}: {first_fault(error)}") from error
    if regrade and row.responses and row.answer is not None:
        row = row.model_copy(update={"extracted": None, "correct": None})
    answers = row.extracted or tuple(map(extract_answer, row.responses or ()))
    correct = row.correct or tuple(
        match is Match.EQUAL
        for match in checker.compare_many((row.answer or "", answer) for answer in answers)
    )
    scores = {
        name: tuple(column if column is not None else () for column in columns)
        for name, columns in row.prm_step_scores.items()
    }
    return Pool(row.id, correct, tuple(checker.classes(answers)), scores)
