"""Savings read out of full votes, on votes made by hand and at random."""

import random

import pytest

from genprm.evaluate.adaptive import savings
from genprm.verdict import SolutionVerdict, StepVerdict, Usage, Vote
from genprm.verify.voting import Adaptive


def step(*rewards: float | None) -> StepVerdict:
    votes = tuple(Vote(reward, "", usage=Usage(tokens_out=10)) for reward in rewards)
    return StepVerdict(votes, len(votes))


def test_unanimous_votes_save_three_of_eight_and_six_of_eight() -> None:
    verdicts = [SolutionVerdict("a", (step(*[0.99] * 8), step(*[0.01] * 8)))]
    found = savings(verdicts, [1])
    exact = found[0]
    assert (exact.rule, exact.error_rate) == (Adaptive.EXACT, None)
    assert exact.tokens_saved == pytest.approx(3 / 8)
    at_five = next(one for one in found if one.error_rate == 0.05)
    assert at_five.tokens_saved == pytest.approx(6 / 8)
    assert all(one.step_agreement == one.solution_agreement == 1 for one in found)
    assert all(one.f1 == one.f1_of_all for one in found)


def test_exact_always_agrees_and_stricter_tests_save_less() -> None:
    rng = random.Random(1)
    verdicts = [
        SolutionVerdict(
            str(index), tuple(step(*(rng.betavariate(0.3, 0.2) for _ in range(8))) for _ in "abc")
        )
        for index in range(60)
    ]
    exact, *confident = savings(verdicts)
    assert exact.step_agreement == exact.solution_agreement == 1
    saved = [one.tokens_saved for one in confident]
    assert saved == sorted(saved, reverse=True)
    assert min(saved) >= exact.tokens_saved
    agreement = [one.step_agreement for one in confident]
    assert agreement[-1] >= agreement[0]
    assert exact.f1 is None
