"""Rows of PRM800K, as OpenAI published them: ratings of several completions for every step."""

from typing import Literal

from pydantic import Field, model_validator

from genprm.records.record import Record


class Completion(Record):
    """One completion of a step; `rating` is -1, 0, 1, or None where nobody rated it."""

    text: str
    rating: Literal[-1, 0, 1] | None = None


class RatedStep(Record):
    """The completions shown for one step, and the one from which the labeller continued."""

    completions: tuple[Completion, ...] | None = None
    human_completion: Completion | None = None
    chosen_completion: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _chosen_is_there(self) -> "RatedStep":
        shown = len(self.completions or ())
        if self.chosen_completion is not None and self.chosen_completion >= shown:
            raise ValueError(
                f"chosen_completion is {self.chosen_completion} (from 0) of {shown}; "
                "fix: correct it, or delete the row"
            )
        return self

    def taken(self) -> Completion | None:
        """The completion from which the labeller continued, or the first one if none was good."""
        if self.chosen_completion is not None and self.completions:
            return self.completions[self.chosen_completion]
        if self.human_completion is not None:
            return self.human_completion.model_copy(update={"rating": 1})
        return self.completions[0] if self.completions else None


class Label(Record):
    """The steps in order, and why the labeller stopped: "solution" if it was finished."""

    steps: tuple[RatedStep, ...]
    finish_reason: str | None = None


class Question(Record):
    """The problem, and its answer if the row has one."""

    problem: str
    ground_truth_answer: str | None = None


class Prm800kRow(Record):
    """A row of PRM800K."""

    question: Question
    label: Label

    def path(self) -> tuple[Completion, ...]:
        """The completions from which the labeller continued, one for each step that has any."""
        taken = (step.taken() for step in self.label.steps)
        return tuple(completion for completion in taken if completion is not None)
