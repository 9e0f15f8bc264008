"""A row of a problem file from any source, with the field names that public sets use."""

import math
from typing import Annotated, TypeAlias

from pydantic import AliasChoices, BeforeValidator, Field, JsonValue, model_validator

from genprm.records.record import Record
from genprm.records.texts import UsableText

_NO_ANSWER = {"", "nan", "null", "n/a"}  # what tables write where a cell is empty


def _spelled(value: JsonValue) -> JsonValue:
    """An answer as text: `72.0` is 72, a list is its items, NaN and empty cells are no answer."""
    if isinstance(value, list):
        items = [_spelled(item) for item in value]
        texts = [item for item in items if isinstance(item, str)]
        return ", ".join(texts) if texts and len(texts) == len(items) else None
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.strip().casefold() in _NO_ANSWER:
        return None
    return value


AnswerText: TypeAlias = Annotated[str | None, BeforeValidator(_spelled)]


class ProblemInput(Record):
    """A problem with its gold answer, or a worked solution that states it.

    MATH-500 has `unique_id` instead of `id`, and Math-APS `final_answer` instead of `answer`.
    """

    # text of the problem
    problem: UsableText = Field(validation_alias=AliasChoices("problem", "question", "input"))
    # gold answer
    answer: AnswerText = Field(
        None, validation_alias=AliasChoices("answer", "final_answer", "gold", "ground_truth_answer")
    )
    solution: str | None = None  # worked solution; its final answer counts if there is no `answer`
    # id of the problem; by default, its number
    id: AnswerText = Field(None, validation_alias=AliasChoices("id", "unique_id"))

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, row: object) -> object:
        """Flatten rows of PRM800K, in which `question` holds the problem and its answer."""
        if isinstance(row, dict) and isinstance(row.get("question"), dict):
            return {**row, **row["question"]} | {"question": None}
        return row
