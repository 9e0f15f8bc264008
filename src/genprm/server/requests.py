"""What the service is asked: one solution or many, and how to judge them."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from genprm.dataset import MAX_STEPS, Text
from genprm.problem import Solution, split_steps
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.voting import Adaptive


class AskedSolution(BaseModel):
    """A problem with the steps of one solution, or with its whole text."""

    model_config = ConfigDict(extra="forbid")

    problem: Text = Field(validation_alias=AliasChoices("problem", "question"))
    steps: Annotated[list[Text], Field(min_length=1, max_length=MAX_STEPS)] | None = None
    solution: Text | None = None
    id: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> "AskedSolution":
        if (self.steps is None) == (self.solution is None):
            raise ValueError("give either steps or solution")
        return self

    def read(self) -> Solution:
        """As the verifier wants it."""
        steps = tuple(self.steps) if self.steps else split_steps(self.solution or "")
        return Solution(self.problem, steps, self.id)


class VerifyRequest(BaseModel):
    """`{"solutions": [...]}` or one solution's own fields; what is not said is the server's."""

    model_config = ConfigDict(extra="forbid")

    solutions: list[AskedSolution] = Field(min_length=1, max_length=4096)
    stream: bool = False
    votes: Annotated[int, Field(ge=1, le=1024)] | None = None
    mode: Mode | None = None
    adaptive: Adaptive | None = None
    error_rate: Annotated[float, Field(gt=0, le=0.5)] | None = None
    stop_at_first_error: bool | None = None
    seed: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_solution(cls, body: Any) -> Any:
        if not isinstance(body, dict) or "solutions" in body:
            return body
        names = {"problem", "question", "steps", "solution", "id"}
        single = {name: value for name, value in body.items() if name in names}
        rest = {name: value for name, value in body.items() if name not in names}
        return {**rest, "solutions": [single]}

    def settings(self, server: Settings) -> Settings:
        """The server's settings with what the request says otherwise."""
        names = ("votes", "mode", "adaptive", "error_rate", "stop_at_first_error", "seed")
        said = {name: getattr(self, name) for name in names}
        return replace(server, **{name: value for name, value in said.items() if value is not None})
