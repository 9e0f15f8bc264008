"""From a verdict to one number for a trainer."""

from dataclasses import dataclass
from enum import StrEnum

from genprm.rewards.judges import Judged
from genprm.verify.aggregate import Aggregate


class Kind(StrEnum):
    """What a completion is rewarded for."""

    OUTCOME = "outcome"  # 1 if no step was judged wrong, else 0
    LAST = "last"  # the others: its step rewards, aggregated
    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"


@dataclass(frozen=True, slots=True)
class Scoring:
    """How verdicts become rewards.

    `abstention` is the value of a completion without a verdict: no steps, a step that no vote
    could judge, a time-out. None leaves it out of the update where the trainer can (TRL).
    """

    kind: Kind = Kind.OUTCOME
    abstention: float | None = None

    def __call__(self, judged: Judged) -> float | None:
        """The completion's reward."""
        if self.kind is Kind.OUTCOME:
            known = judged.first_error is not None and judged.rewards
            return float(judged.first_error == -1) if known else self.abstention
        score = Aggregate(self.kind.value).score(judged.rewards)
        return self.abstention if score is None else score

    def abstains(self, judged: Judged) -> bool:
        """Whether the completion got the value of abstentions."""
        return Scoring(self.kind)(judged) is None
