"""From votes to a verdict: which vote becomes history, and when to stop asking.

The mean reward and the label themselves (eq. 6, 7) are properties of `verdict.StepVerdict`.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import fsum, log

from genprm.verdict import THRESHOLD, StepVerdict


class Adaptive(StrEnum):
    """When to stop casting votes on a step."""

    OFF = "off"  # ask for all N
    EXACT = "exact"  # stop once the remaining votes cannot change the label
    CONFIDENT = "confident"  # or once a sequential test is sure of it, at an error rate


ERROR_RATE = 0.05  # of the sequential test, see `sure`
MARGIN = 0.35  # a step's mean reward is taken to lie at least this far from the threshold


def representative(verdict: StepVerdict) -> int | None:
    """Index of the vote that stands for the label, and whose turn is kept as history.

    It is the first vote that agrees and has an analysis, or otherwise the first that agrees. The
    reference keeps vote 0 even when it was outvoted. None if all votes abstained.
    """
    if verdict.label is None:
        return None
    agreeing = [at for at, vote in enumerate(verdict.votes) if vote.label is verdict.label]
    return next((at for at in agreeing if verdict.votes[at].analysis), agreeing[0])


def next_batch(
    rewards: Sequence[float],
    asked: int,
    wanted: int,
    adaptive: Adaptive,
    error_rate: float = ERROR_RATE,
) -> int:
    """How many more votes to cast at once.

    Args:
        rewards: of the readable votes so far.
        asked: votes cast so far, abstentions included.
        wanted: the largest number of votes, N.
        adaptive: the rule for stopping early.
        error_rate: the error rate of the rule `CONFIDENT`.

    Returns:
        0 when the label is final. Otherwise the smallest number of votes that could make it final
        if they all agreed: a batch costs no vote that casting one by one would have saved.
    """
    left = wanted - asked
    if adaptive is Adaptive.OFF:
        return left

    def settled(rewards: Sequence[float], left: int) -> bool:
        test = adaptive is Adaptive.CONFIDENT and sure(rewards, error_rate)
        return test or decided(rewards, left)

    return next(
        (
            batch
            for batch in range(left)
            if settled([*rewards, *[1.0] * batch], left - batch)
            or settled([*rewards, *[0.0] * batch], left - batch)
        ),
        left,
    )


def asked_of(
    votes: Sequence[float | None], adaptive: Adaptive, error_rate: float = ERROR_RATE
) -> int:
    """How many of these votes, in their order, a rule would have needed.

    `votes` are the rewards of all N; None abstained.
    """
    asked = 0
    while batch := next_batch(
        [reward for reward in votes[:asked] if reward is not None],
        asked,
        len(votes),
        adaptive,
        error_rate,
    ):
        asked += batch
    return asked


def decided(rewards: Sequence[float], left: int) -> bool:
    """Whether `left` more votes, each in [0, 1] or an abstention, can't change the label."""
    if not rewards:
        return left == 0
    mass, half = fsum(rewards), THRESHOLD * (len(rewards) + left)
    stays_right = mass >= half
    stays_wrong = mass + left < half
    return stays_right or stays_wrong


def sure(rewards: Sequence[float], error_rate: float) -> bool:
    """Wald's sequential probability ratio test for which side of the threshold the mean lies on.

    Where a step's expected reward is at least `MARGIN` away from the threshold, the test stops on
    the wrong side with a probability of at most `error_rate`, however often it looks. It is
    Bernoulli's test; rewards in [0, 1] keep its guarantee, since exp is convex: under the wrong
    hypothesis the likelihood ratio stays a supermartingale, and Ville's inequality bounds it.
    """
    lead = abs(fsum(2 * reward - 1 for reward in rewards))
    odds = (THRESHOLD + MARGIN) / (THRESHOLD - MARGIN)
    return lead * log(odds) >= log(1 / error_rate)
