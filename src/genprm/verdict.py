"""The results of judging: code runs, votes, and verdicts on steps and solutions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum
from typing import overload

from genprm.model import ModelIdentity

THRESHOLD = 0.5  # inclusive: a step is right if its reward is at least this (spec §1)


def mean_reward(votes: Sequence[float | None]) -> float | None:
    """Mean of the readable votes (eq. 6, 7); None if all abstained."""
    rewards = [reward for reward in votes if reward is not None]
    return fsum(rewards) / len(rewards) if rewards else None


def label_of(votes: Sequence[float | None]) -> bool | None:
    """Whether the readable votes find a step correct; None if all abstained."""
    rewards = [reward for reward in votes if reward is not None]
    return fsum(rewards) >= THRESHOLD * len(rewards) if rewards else None


@overload
def first_error(labels: Iterable[bool]) -> int: ...
@overload
def first_error(labels: Iterable[bool | None]) -> int | None: ...
def first_error(labels: Iterable[bool | None]) -> int | None:
    """Index (from 0) of the first step labelled wrong, -1 for none; None if it is unknown.

    It is unknown when a step without a label comes before the first wrong one, or is anywhere in
    a solution in which no step is labelled wrong.
    """
    for index, label in enumerate(labels):
        if label is None:
            return None
        if not label:
            return index
    return -1


class Flag(StrEnum):
    """What happened to a vote, such as reaching one of its limits."""

    TRUNCATED = "truncated"  # the step's token budget ran out: abstains
    CONTEXT_EXCEEDED = "context_exceeded"  # the model's context is full: abstains
    UNREADABLE = "unreadable"  # neither Yes nor No is likely at the judgement: abstains
    FAILED = "failed"  # a request was refused or failed: abstains, `Vote.cause` says why
    CODE_ROUNDS_EXHAUSTED = "code_rounds_exhausted"  # judged after the last allowed run of code
    CODE_FAILED = "code_failed"  # every block of its code ended in an error; it counts all the same
    UNCLOSED = "unclosed"  # the model ended its turn early; the open part was closed for it
    THOUGHT_CUT = "thought_cut"  # a reasoning model's thought was closed at its bound
    UNCHECKED = "unchecked"  # code found nothing to check: the reward is only a base rate


ABSTENTIONS = frozenset({Flag.TRUNCATED, Flag.CONTEXT_EXCEEDED, Flag.UNREADABLE, Flag.FAILED})


@dataclass(frozen=True, slots=True)
class Usage:
    """What something cost. `seconds` are wall-clock time, and overlap when work is concurrent."""

    tokens_in: int = 0  # tokens of prompts
    tokens_out: int = 0  # generated tokens
    tokens_cached: int = 0  # tokens of prompts that came from a prefix cache
    executions: int = 0  # blocks of code that ran
    seconds: float = 0.0  # wall-clock seconds

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.tokens_cached + other.tokens_cached,
            self.executions + other.executions,
            self.seconds + other.seconds,
        )


def total(usages: Iterable[Usage]) -> Usage:
    """The sum of several costs."""
    return sum(usages, Usage())


@dataclass(frozen=True, slots=True)
class Run:
    """One block of code that a vote wrote, and the output that the vote was shown."""

    code: str  # the code
    output: str  # what it printed, as the model was shown it
    status: str  # a `sandbox.RunStatus`, or "not_run" in the modes that do not execute


@dataclass(frozen=True, slots=True)
class Vote:
    """One rationale for one step, and its reward (eq. 5): P(Yes) / (P(Yes) + P(No)), or None.

    `text` is the whole assistant turn; it becomes history for the next step.
    """

    reward: float | None  # P(Yes) / (P(Yes) + P(No)); None for an abstention
    text: str  # the whole assistant turn
    analysis: str = ""  # the part before the code
    runs: tuple[Run, ...] = ()  # blocks of code that ran
    flags: tuple[Flag, ...] = ()  # what happened to the vote
    usage: Usage = field(default_factory=Usage)  # cost of the vote
    cause: str | None = None  # why the vote failed, if it did
    label_mass: float | None = None  # P(Yes) + P(No) at the judgement, if there was one
    likeliest: tuple[str, ...] = ()  # for an unreadable judgement, the most probable tokens

    @property
    def label(self) -> bool | None:
        """True for correct, False for wrong, None for an abstention."""
        return None if self.reward is None else self.reward >= THRESHOLD

    @property
    def abstained(self) -> Flag | None:
        """Why the vote could not be read, if it could not."""
        return next((flag for flag in self.flags if flag in ABSTENTIONS), None)


@dataclass(frozen=True, slots=True)
class StepVerdict:
    """The votes on one step. `wanted` is how many were allowed; fewer may have been cast.

    `screening` is the verdict of another judge, which was unsure or abstained and was replaced.
    `model` is the one that cast the votes; None where code alone did, or where it is not known.
    """

    votes: tuple[Vote, ...]
    wanted: int
    screening: "StepVerdict | None" = None
    model: ModelIdentity | None = None

    @property
    def rewards(self) -> tuple[float, ...]:
        """The rewards of the readable votes."""
        return tuple(vote.reward for vote in self.votes if vote.reward is not None)

    @property
    def reward(self) -> float | None:
        """Mean reward of the readable votes (eq. 6, 7); None if all abstained."""
        return mean_reward([vote.reward for vote in self.votes])

    @property
    def label(self) -> bool | None:
        """True for correct, False for wrong, None if all votes abstained."""
        return label_of([vote.reward for vote in self.votes])

    @property
    def usage(self) -> Usage:
        """The cost of the votes, including those of the screening."""
        votes = total(vote.usage for vote in self.votes)
        return votes + self.screening.usage if self.screening else votes


@dataclass(frozen=True, slots=True)
class SolutionVerdict:
    """The verdicts on a solution's steps, up to where judging stopped."""

    id: str
    steps: tuple[StepVerdict, ...]
    usage: Usage = field(default_factory=Usage)

    @property
    def first_error(self) -> int | None:
        """Index (from 0) of the first wrong step, -1 for none; None if it is unknown."""
        return first_error(step.label for step in self.steps)
