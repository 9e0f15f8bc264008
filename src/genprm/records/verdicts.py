"""A verdict as a row: what `genprm verify` writes and other commands read."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import ConfigDict, Field, JsonValue

from genprm.model import ModelIdentity
from genprm.problem import Solution
from genprm.records.record import Record, Row, Text
from genprm.verdict import SolutionVerdict, StepVerdict, Usage, Vote


class StepRow(Record):
    """One step's verdict, with every vote.

    `asked` is how many votes were cast, `wanted` how many were allowed. `model` says which weights
    cast all of them, by which engine. `screening` is the verdict of another judge, which this one
    replaced.
    """

    reward: float | None  # mean of the readable votes, from 0 to 1; None if all abstained
    label: bool | None  # True: correct, False: wrong, None: no label
    asked: int  # how many votes were cast
    wanted: int  # how many votes were allowed
    votes: tuple[Vote, ...]  # every vote
    # model that cast the votes, if one model cast all of them
    model: Annotated[ModelIdentity | None, Field(exclude_if=lambda model: model is None)] = None
    # verdict of another judge, which this one replaced
    screening: Annotated["StepRow | None", Field(exclude_if=lambda step: step is None)] = None

    @classmethod
    def of(cls, step: StepVerdict) -> Self:
        """The row of a verdict."""
        return cls.model_validate(_fields(step))

    def verdict(self) -> StepVerdict:
        """The verdict that the row holds."""
        screening = self.screening.verdict() if self.screening else None
        return StepVerdict(self.votes, self.wanted, screening, self.model)


class _Texted(Record):
    text: Text  # the step


class JudgedStepRow(StepRow, _Texted):  # in this order the text stands first in a row
    """A step's text and its verdict."""

    @classmethod
    def of_step(cls, text: str, step: StepVerdict) -> Self:
        """The row of a verdict on this text."""
        return cls.model_validate({"text": text, **_fields(step)})


class JudgedSolution(Row):
    """The common part of all judges' rows: the solution, the first error, and the cost."""

    id: Text  # the input row's id, or its number
    row: int  # number of the input row, from 0
    problem: Text  # text of the problem
    first_error: int | None  # from 0; -1 for none; None if it is unknown
    steps: tuple[JudgedStepRow, ...]  # the judged steps
    unjudged_steps: tuple[Text, ...] = ()  # steps after the point where judging stopped
    usage: Usage  # cost of all votes

    @property
    def solution(self) -> Solution:
        """The solution that was judged."""
        steps = (*(step.text for step in self.steps), *self.unjudged_steps)
        return Solution(self.problem, steps, self.id)

    def verdict(self) -> SolutionVerdict:
        """The verdict that the row holds."""
        return SolutionVerdict(self.id, tuple(step.verdict() for step in self.steps), self.usage)


class VerdictRow(JudgedSolution):
    """A row of `genprm verify`: self-contained, with every vote.

    Other fields of the input row are kept; those whose names are taken are under `input`.
    """

    model_config = ConfigDict(extra="allow")
    KEY: ClassVar[str] = "row"

    # fields of the input row whose names are taken
    input: Annotated[
        Mapping[str, JsonValue] | None, Field(exclude_if=lambda taken: taken is None)
    ] = None

    @classmethod
    def of(cls, row: int, solution: Solution, verdict: SolutionVerdict) -> Self:
        """The output row of input row `row`."""
        extra = dict(solution.extra)
        taken = {name: extra.pop(name) for name in list(extra) if name in cls.model_fields}
        fields = judged_fields(row, solution, verdict)
        return cls.model_validate({**extra, "input": taken or None, **fields})


def judged_fields(row: int, solution: Solution, verdict: SolutionVerdict) -> dict[str, object]:
    """The fields of every judged solution, by name."""
    texts = zip(solution.steps, verdict.steps, strict=False)
    return {
        "id": solution.id or str(row),
        "row": row,
        "problem": solution.problem,
        "first_error": verdict.first_error,
        "steps": tuple(JudgedStepRow.of_step(text, step) for text, step in texts),
        "unjudged_steps": solution.steps[len(verdict.steps) :],
        "usage": verdict.usage,
        "failed": failure(verdict),
    }


def failure(verdict: SolutionVerdict) -> str | None:
    """Why a solution could not be judged: the cause of the first step whose votes all failed."""
    for step in verdict.steps:
        causes = [vote.cause for vote in step.votes]
        if causes and None not in causes:
            return causes[0]
    return None


def _fields(step: StepVerdict) -> dict[str, object]:
    return {
        "reward": step.reward,
        "label": step.label,
        "asked": len(step.votes),
        "wanted": step.wanted,
        "votes": step.votes,
        "model": step.model,
        "screening": StepRow.of(step.screening) if step.screening else None,
    }
