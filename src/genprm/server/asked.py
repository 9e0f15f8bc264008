"""A solution that the service is asked to judge, or why it cannot be judged."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
    model_validator,
)
from pydantic.config import JsonDict

from genprm.dataset import MAX_CHARACTERS, Text
from genprm.problem import Solution, split_steps
from genprm.records.record import replace_surrogates
from genprm.server.errors import Refusal, invalid
from genprm.server.limits import ServiceLimits
from genprm.server.numbers import NUMBER

TEXT: JsonDict = {
    "type": "string",
    "maxLength": MAX_CHARACTERS,
    "pattern": "^[^\\x00]*[^\\s\\x00][^\\x00]*$",
}
STEPS: JsonDict = {"type": "array", "items": TEXT, "minItems": 1}

Said = Annotated[Text, WithJsonSchema(TEXT)]  # as `Text` demands it, told in the document


def _writable(text: str) -> str:
    if replace_surrogates(text) != text:
        raise ValueError("contains half a surrogate pair; fix: remove it")
    return text


class AskedSolution(BaseModel):
    """A problem with the steps of one solution, or with its whole text."""

    model_config = ConfigDict(extra="forbid")

    problem: Said = Field(validation_alias=AliasChoices("problem", "question"))
    steps: Annotated[list[Said], Field(min_length=1)] | None = None
    solution: Said | None = None
    id: Annotated[str, Field(max_length=1000), AfterValidator(_writable)] = ""
    row: Annotated[int, Field(ge=0, le=10**18), NUMBER] | None = Field(
        default=None,
        description="Its place in a run, from which seeds come; else its place in `solutions`.",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "AskedSolution":
        if (self.steps is None) == (self.solution is None):
            raise ValueError("give either steps or solution")
        return self

    def read(self, limits: ServiceLimits) -> "Usable":
        """The solution as the verifier needs it.

        Raises:
            Refusal: it has no steps, or too many.
        """
        steps = tuple(self.steps) if self.steps else split_steps(self.solution or "")
        if len(steps) > limits.steps:
            raise Refusal(
                422,
                f"{len(steps):,} steps; fix: send at most {limits.steps:,}",
                field="steps" if self.steps else "solution",
            )
        return Usable(Solution(self.problem, steps, self.id), self.row)


@dataclass(frozen=True, slots=True)
class Usable:
    """A solution as it will be judged, and its place in a run, if one was given."""

    solution: Solution
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A solution that cannot be judged; only this solution fails."""

    id: str
    refusal: Refusal


def _alone(value: object, handler: ValidatorFunctionWrapHandler) -> "AskedSolution | Unusable":
    try:
        parsed: AskedSolution = handler(value)
    except ValidationError as error:
        name = value.get("id") if isinstance(value, dict) else None
        fault = error.errors(include_url=False, include_input=False)[0]
        return Unusable(name if isinstance(name, str) else "", invalid(dict(fault)))
    return parsed


Asked: TypeAlias = Annotated[AskedSolution, WrapValidator(_alone)]
