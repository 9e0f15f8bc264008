"""From a verdict to one number for a trainer."""

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
    """What is scored."""

    @property
    def rewards(self) -> Sequence[float | None]:
        """Of the judged steps."""

    @property
    def first_error(self) -> int | None:
        """Index, -1 for none, None where it cannot be said."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """How verdicts become rewards.

    Args:
        kind: what is rewarded.
        abstention: the value of a completion without a verdict: no steps, a step that no vote
            could judge, a time-out. None leaves it out of the update where the trainer can (TRL).
        penalty: of `flaw-aware`, taken from a completion whose final answer is correct although a
            step is wrong. It answers a known hack of ratios: steps that are skipped or padded.
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
        """The completion's reward; `correct` says whether its final answer is, for `flaw-aware`."""
        score = self._score(judged, correct)
        return self.abstention if score is None else score

    def abstains(self, judged: Verdict, correct: bool | None = None) -> bool:
        """Whether the completion gets the value of abstentions."""
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
