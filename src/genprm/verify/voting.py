"""From votes to a verdict: which vote becomes history, and when to stop asking.

The mean reward and the label themselves (eq. 6, 7) are properties of `verdict.StepVerdict`.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import fsum

from genprm.verdict import THRESHOLD, StepVerdict


class Adaptive(StrEnum):
    """When to stop asking for votes on a step."""

    OFF = "off"  # ask for all N
    EXACT = "exact"  # stop once the remaining votes cannot change the label


def representative(verdict: StepVerdict) -> int | None:
    """Index of the vote whose turn is kept as history: the first that agrees with the label.

    The reference keeps vote 0 even when it was outvoted. None where all votes abstained.
    """
    if verdict.label is None:
        return None
    return [vote.label for vote in verdict.votes].index(verdict.label)


def next_wave(rewards: Sequence[float], asked: int, wanted: int, adaptive: Adaptive) -> int:
    """How many more votes to ask for at once.

    Args:
        rewards: of the readable votes so far.
        asked: votes asked so far, abstentions included.
        wanted: the most to ask, N.
        adaptive: the rule for stopping early.

    Returns:
        0 when the label stands. Under `EXACT` never more than must be asked in any case, so that
        a wave costs no vote that asking one by one would have saved.
    """
    left = wanted - asked
    if adaptive is Adaptive.OFF:
        return left
    return next(
        (
            wave
            for wave in range(left)
            if decided([*rewards, *[1.0] * wave], left - wave)
            or decided([*rewards, *[0.0] * wave], left - wave)
        ),
        left,
    )


def decided(rewards: Sequence[float], left: int) -> bool:
    """Whether `left` more votes, each in [0, 1] or an abstention, cannot change the label."""
    if not rewards:
        return left == 0
    mass, half = fsum(rewards), THRESHOLD * (len(rewards) + left)
    stays_right = mass >= half
    stays_wrong = mass + left < half
    return stays_right or stays_wrong
