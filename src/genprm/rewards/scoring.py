"""Turns a verdict into one number for a trainer."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from genprm.verdict import THRESHOLD
from genprm.verify.aggregate import Aggregate


class Kind(StrEnum):
    """What a completion is rewarded for."""

    OUTCOME = "outcome"  # 1 if no step was judged wrong, else 0
    FLAW_AWARE = "flaw-aware"  # 1 if the final answer is correct, less a penalty for a wrong step
    LAST = "last"  # the step rewards, aggregated
    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"
    RATIO = "ratio"  # the share of correct steps


class Verdict(Protocol):
    """The parts of a verdict that are scored."""

    @property
    def rewards(self) -> Sequence[float | None]:
        """The rewards of the judged steps."""

    @property
    def first_error(self) -> int | None:
        """Index of the first wrong step, -1 for none, None if it is unknown."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How verdicts become rewards.

    Args:
        kind: what is rewarded.
        abstention: the value of a completion without a verdict: no steps, a step that no vote
            could judge, a time-out. With None, the completion is left out of the update if the
            trainer can do so (TRL can).
        penalty: for `flaw-aware`, what is subtracted if the final answer is correct although a
            step is wrong. It counters a known hack of ratios: skipped or padded steps.
    """

    kind: Kind = Kind.OUTCOME
    abstention: float | None = None
    penalty: float = 0.5

    def __post_init__(self) -> None:
        if self.kind in (Kind.MEAN, Kind.RATIO):
            warnings.warn(
                f"the reward {self.kind.value!r} grows when a policy skips the steps that may be "
                "wrong or adds trivial ones; fix: choose the kind 'flaw-aware' or 'outcome'",
                stacklevel=3,
            )

    def __call__(self, judged: Verdict, correct: bool | None = None) -> float | None:
        """The completion's reward; `flaw-aware` needs `correct`: whether the answer is correct."""
        score = self._score(judged, correct)
        return self.abstention if score is None else score

    def abstains(self, judged: Verdict, correct: bool | None = None) -> bool:
        """Whether the completion gets the value for abstentions."""
        return self._score(judged, correct) is None

    def _score(self, judged: Verdict, correct: bool | None) -> float | None:
        rewards = judged.rewards
        match self.kind:
            case Kind.OUTCOME:
                known = judged.first_error is not None and rewards
                return float(judged.first_error == -1) if known else None
            case Kind.FLAW_AWARE:
                return self._flaw_aware(judged, correct)
            case Kind.RATIO:
                known_rewards = [reward for reward in rewards if reward is not None]
                if not rewards or len(known_rewards) < len(rewards):
                    return None
                return sum(reward >= THRESHOLD for reward in known_rewards) / len(rewards)
        return Aggregate(self.kind.value).score(rewards)

    def _flaw_aware(self, judged: Verdict, correct: bool | None) -> float | None:
        if correct is None or not judged.rewards:
            return None
        if not correct:
            return 0.0
        if judged.first_error is None:
            return None
        return 1.0 if judged.first_error == -1 else 1.0 - self.penalty
