"""Whether rewards are calibrated: reliability, ECE and Brier score, risk by coverage.

A step's truth is known up to its solution's first error: the steps before it are correct, the step
itself is wrong, and later steps have no label.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from genprm.evaluate.judgement import Judgement
from genprm.evaluate.labelled import LabelledSolution
from genprm.records.summaries import Bin, Calibration, RiskCoverage

BINS = 10


def labelled_steps(
    rows: Iterable[LabelledSolution], judgements: Mapping[str, Judgement]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rewards and truths (1 correct, 0 wrong), both [steps], of all steps that have both."""
    pairs = [
        (reward, float(index != row.first_error))
        for row in rows
        if (judgement := judgements.get(row.id)) is not None
        for index, reward in enumerate(judgement.step_rewards)
        if reward is not None and (not row.has_error or index <= row.first_error)
    ]
    array = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def calibration(
    rewards: NDArray[np.float64], correct: NDArray[np.float64], *, bins: int = BINS
) -> Calibration | None:
    """Calibration with bins of equal width over [0, 1]; None without steps."""
    if not len(rewards):
        return None
    place = np.minimum((rewards * bins).astype(int), bins - 1)
    curve = []
    gap = 0.0
    for index in range(bins):
        inside = place == index
        count = int(inside.sum())
        mean = float(rewards[inside].mean()) if count else None
        share = float(correct[inside].mean()) if count else None
        if mean is not None and share is not None:
            gap += abs(mean - share) * count / len(rewards)
        curve.append(Bin(index / bins, (index + 1) / bins, count, mean, share))
    return Calibration(len(rewards), gap, float(((rewards - correct) ** 2).mean()), tuple(curve))


def confidence(judgement: Judgement) -> float:
    """How confident a judgement is of its own prediction; 0 for an abstention.

    For a judge of steps, the probability of exactly this first error if the rewards were
    independent probabilities; for a judge of whole solutions, the share of votes that agree.
    """
    predicted = judgement.first_error
    if predicted is None:
        return 0.0
    if judgement.guesses:
        return judgement.guesses.count(predicted) / len(judgement.guesses)
    rewards = [reward if reward is not None else 0.5 for reward in judgement.step_rewards]
    if predicted == -1:
        return prod(rewards)
    return prod(rewards[:predicted]) * (1 - rewards[predicted])


def risk_coverage(
    confidences: Sequence[float], hits: Sequence[bool], abstained: Sequence[bool]
) -> RiskCoverage | None:
    """The curve over rows, most confident first; None without rows."""
    if not hits:
        return None
    order = sorted(
        range(len(hits)), key=lambda row: (not abstained[row], confidences[row]), reverse=True
    )
    ranks = [(not abstained[row], confidences[row]) for row in order]
    coverage, risk, area, wrong, start = [], [], 0.0, 0, 0
    for end in range(1, len(order) + 1):
        wrong += not hits[order[end - 1]]
        if end == len(order) or ranks[end] != ranks[end - 1]:
            coverage.append(end / len(order))
            risk.append(wrong / end)
            area += risk[-1] * (end - start) / len(order)
            start = end
    return RiskCoverage(tuple(coverage), tuple(risk), area)
