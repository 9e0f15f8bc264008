"""The requests to the service: one solution or many, and how to judge them."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.config import JsonDict

from genprm.model import Sampling
from genprm.records.service import Detail
from genprm.server.asked import STEPS, TEXT, Asked, AskedSolution, Said, Unusable
from genprm.server.errors import Refusal
from genprm.server.limits import ServiceLimits
from genprm.server.numbers import NUMBER, TRUTH
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits as VoteLimits
from genprm.verify.voting import Adaptive

_NAMES = ("problem", "question", "steps", "solution", "id", "row")
_PROBLEM = "What is 2 + 3 * 4?"
_NONE: JsonDict = {"type": "null"}
_LIST: JsonDict = {"type": "array"}
_NO_SINGLE: JsonDict = dict.fromkeys(("problem", "steps", "solution", "id", "row"), _NONE)


class JudgingRequest(BaseModel):
    """How to judge; fields that are missing have the values with which the server was started."""

    model_config = ConfigDict(extra="forbid")

    votes: Annotated[int, Field(ge=1, description="Votes on each step."), NUMBER] | None = None
    mode: Mode | None = None
    adaptive: Adaptive | None = None
    error_rate: Annotated[float, Field(gt=0, le=0.5), NUMBER] | None = None
    stop_at_first_error: Annotated[bool, TRUTH] | None = None
    seed: Annotated[int, Field(ge=-(10**18), le=10**18), NUMBER] | None = None
    temperature: Annotated[float, Field(ge=0, le=100), NUMBER] | None = None
    top_p: Annotated[float, Field(ge=0, le=1), NUMBER] | None = None
    top_k: Annotated[int, Field(ge=0, le=1 << 20), NUMBER] | None = None
    max_tokens: (
        Annotated[int, Field(ge=1, description="Tokens that a vote may write on a step."), NUMBER]
        | None
    ) = None
    thought_tokens: Annotated[int, Field(ge=0), NUMBER] | None = None
    code_rounds: Annotated[int, Field(ge=1, le=100), NUMBER] | None = None
    code_timeout: Annotated[float, Field(gt=0), NUMBER] | None = None
    question_prefix: Annotated[bool, TRUTH] | None = None
    assistant_marker: Annotated[bool, TRUTH] | None = None
    reference_output: Annotated[bool, TRUTH] | None = None
    general: Annotated[bool, TRUTH] | None = None
    seconds: (
        Annotated[float, Field(ge=0.1, description="What is not judged by then fails."), NUMBER]
        | None
    ) = None

    def settings(self, server: Settings, limits: ServiceLimits, steps: Sequence[int]) -> Settings:
        """The server's settings, changed as the request asks.

        Args:
            server: the settings with which the server was started.
            limits: the server's limits.
            steps: [solutions] the number of steps of each.

        Raises:
            Refusal: 422, if a limit is exceeded.
        """
        said = self.model_dump(exclude_none=True, include=set(JudgingRequest.model_fields))
        tokens = said.pop("max_tokens", server.limits.tokens)
        _at_most("seconds", said.pop("seconds", 0), limits.seconds)
        settings = replace(
            server,
            sampling=_changed(server.sampling, said),
            prompt_format=_changed(server.prompt_format, said),
            limits=_changed(replace(server.limits, tokens=tokens), said),
            **said,
        )
        _at_most("votes", settings.votes, max(limits.votes, server.votes))
        _at_most("max_tokens", tokens, max(limits.tokens, server.limits.tokens))
        thought = settings.limits.thought_tokens
        _at_most("thought_tokens", thought, max(limits.tokens, server.limits.thought_tokens))
        _at_most(
            "code_timeout", settings.code_timeout, max(limits.code_seconds, server.code_timeout)
        )
        total = sum(steps) * settings.votes
        if total > limits.request_votes:
            raise Refusal(
                422,
                f"{sum(steps):,} steps with {settings.votes} votes each are {total:,} votes; "
                f"fix: ask for at most {limits.request_votes:,} in one request",
                field="votes",
            )
        return settings


_Part = TypeVar("_Part", Sampling, PromptFormat, VoteLimits)


def _changed(part: _Part, said: dict[str, Any]) -> _Part:
    """`part` with the fields that `said` contains, which are removed from it."""
    names = [field.name for field in fields(part) if field.name in said]
    return replace(part, **{name: said.pop(name) for name in names})


def _at_most(field: str, value: float, bound: float) -> None:
    if value > bound:
        raise Refusal(422, f"{value:,} is too much; fix: ask for at most {bound:,}", field=field)


class VerifyRequest(JudgingRequest):
    """`{"solutions": [...]}`, or one solution's own fields."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "anyOf": [
                {
                    "required": ["solutions"],
                    "properties": {"solutions": _LIST, **_NO_SINGLE},
                },
                {
                    "required": ["problem", "steps"],
                    "properties": {
                        "problem": TEXT,
                        "steps": STEPS,
                        "solution": _NONE,
                        "solutions": _NONE,
                    },
                },
                {
                    "required": ["problem", "solution"],
                    "properties": {
                        "problem": TEXT,
                        "solution": TEXT,
                        "steps": _NONE,
                        "solutions": _NONE,
                    },
                },
            ],
            "examples": [
                {"problem": _PROBLEM, "steps": ["3 * 4 = 12.", "2 + 12 = 15."], "votes": 4},
                {"solutions": [{"problem": _PROBLEM, "solution": "14", "id": "a"}]},
            ],
        },
    )

    solutions: Annotated[list[Asked], Field(min_length=1)] | None = None
    problem: str | None = Field(None, validation_alias=AliasChoices("problem", "question"))
    steps: list[str] | None = None
    solution: str | None = None
    id: str | None = None
    row: int | None = None
    stream: Annotated[bool, TRUTH] = Field(
        False, description="Steps as they are judged, as NDJSON or SSE."
    )
    detail: Detail = Detail.ALL

    @model_validator(mode="before")
    @classmethod
    def _one_solution(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        ours = (*_NAMES, "solutions")
        body = {name: it for name, it in body.items() if it is not None or name not in ours}
        single = {name: value for name, value in body.items() if name in _NAMES}
        if "solutions" in body and single:
            raise ValueError("give either solutions or one solution's own fields")
        if "solutions" in body:
            return body
        rest = {name: value for name, value in body.items() if name not in _NAMES}
        return {**rest, "solutions": [single], "problem": None}

    @property
    def single(self) -> bool:
        """Whether the request has the fields of a single solution."""
        return "problem" in self.model_fields_set

    @property
    def asked(self) -> Sequence[AskedSolution | Unusable]:
        """The solutions, and the entries that cannot be judged."""
        return self.solutions or ()


class RankRequest(JudgingRequest):
    """Candidate solutions of one problem, each a text or a list of steps."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"problem": _PROBLEM, "candidates": ["2 + 12 = 14.", ["5 * 4 = 20."]], "votes": 4}
            ]
        },
    )

    problem: Said
    candidates: list[Said | Annotated[list[Said], Field(min_length=1)]] = Field(min_length=1)
    score: Aggregate = Field(Aggregate.MIN, description="How step rewards become a score.")

    @property
    def asked(self) -> Sequence[AskedSolution]:
        """The candidates as solutions."""
        return [
            AskedSolution(problem=self.problem, solution=candidate)
            if isinstance(candidate, str)
            else AskedSolution(problem=self.problem, steps=candidate)
            for candidate in self.candidates
        ]


class PoolRequest(JudgingRequest):
    """Samples of one problem, each in steps; one without steps is not judged."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"problem": _PROBLEM, "samples": [["3 * 4 = 12.", "2 + 12 = 14."], ["5 * 4 = 20."]]}
            ]
        },
    )

    problem: Said
    samples: list[list[Said]] = Field(min_length=1)
    row: Annotated[int, Field(ge=0, le=10**13), NUMBER] = Field(
        0, description="The problem's place in a run, from which seeds come."
    )


class CritiqueRequest(JudgingRequest):
    """One solution, whose first wrong step is to be explained."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"problem": _PROBLEM, "steps": ["3 * 4 = 12.", "2 + 12 = 15."]}],
            "anyOf": [
                {"required": ["steps"], "properties": {"steps": STEPS, "solution": _NONE}},
                {"required": ["solution"], "properties": {"solution": TEXT, "steps": _NONE}},
            ],
        },
    )

    problem: Said
    steps: Annotated[list[Said], Field(min_length=1)] | None = None
    solution: Said | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "CritiqueRequest":
        if (self.steps is None) == (self.solution is None):
            raise ValueError("give either steps or solution")
        return self

    @property
    def asked(self) -> Sequence[AskedSolution]:
        """The solution."""
        return [AskedSolution(problem=self.problem, steps=self.steps, solution=self.solution)]
