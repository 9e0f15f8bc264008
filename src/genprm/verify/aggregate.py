"""How step rewards become a solution's score (appendix A.1)."""

from collections.abc import Sequence
from enum import StrEnum
from math import fsum, prod


class Aggregate(StrEnum):
    """Last, mean and min are used by the paper; other work uses the product."""

    LAST = "last"
    MEAN = "mean"
    MIN = "min"
    PRODUCT = "product"

    def score(self, rewards: Sequence[float | None]) -> float | None:
        """The score of a solution with these step rewards; None if a needed reward is missing."""
        return self.bound(rewards, 0)

    def bound(self, rewards: Sequence[float | None], left: int) -> float | None:
        """The highest score that is still possible with these rewards and `left` more steps.

        None if a reward that the score needs is missing, so that there will never be a score.
        """
        ahead: list[float | None] = [1.0] * left
        whole = [*rewards, *ahead]
        needed = whole[-1:] if self is Aggregate.LAST else whole
        known = [reward for reward in needed if reward is not None]
        if not known or len(known) < len(needed):
            return None
        match self:
            case Aggregate.LAST:
                return known[-1]
            case Aggregate.MEAN:
                return fsum(known) / len(known)
            case Aggregate.MIN:
                return min(known)
            case Aggregate.PRODUCT:
                return prod(known)
