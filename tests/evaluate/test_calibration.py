"""Reliability, Brier score, and risk against coverage, on cases worked by hand."""

import numpy as np
import pytest

from genprm.evaluate.calibration import calibration, confidence, labelled_steps, risk_coverage
from genprm.evaluate.judgement import Judgement
from genprm.evaluate.labelled import LabelledSolution
from genprm.problem import Solution


def test_perfect_and_worst_rewards() -> None:
    right = np.array([1.0, 0.0, 1.0])
    perfect, worst = calibration(right, right), calibration(1 - right, right)
    assert perfect is not None
    assert worst is not None
    assert (perfect.ece, perfect.brier) == (0.0, 0.0)
    assert (worst.ece, worst.brier) == (1.0, 1.0)


def test_a_known_gap() -> None:
    found = calibration(np.array([0.82, 0.88, 0.1, 1.0]), np.array([1.0, 0.0, 0.0, 1.0]))
    assert found is not None
    # Bins: [0.8, 0.9) mean 0.85, half right; [0.1, 0.2) mean 0.1, none; [0.9, 1] mean 1, all.
    assert found.ece == pytest.approx((2 * 0.35 + 0.1 + 0.0) / 4)
    assert [one.count for one in found.bins] == [0, 1, 0, 0, 0, 0, 0, 0, 2, 1]


def test_only_steps_up_to_the_first_error_are_labelled() -> None:
    rows = [
        LabelledSolution(Solution("p", ("a", "b", "c"), "x"), 1, "s"),
        LabelledSolution(Solution("p", ("a", "b"), "y"), -1, "s"),
    ]
    judgements = {
        "x": Judgement("x", 3, 1, ((0.9,), (0.2,), (0.7,))),
        "y": Judgement("y", 2, None, ((0.8,), (None,))),
    }
    rewards, right = labelled_steps(rows, judgements)
    assert rewards.tolist() == [0.9, 0.2, 0.8]
    assert right.tolist() == [1.0, 0.0, 1.0]


def test_confidence_is_the_probability_of_the_prediction() -> None:
    rewards = ((0.9,), (0.2,), (0.7,))
    assert confidence(Judgement("x", 3, 1, rewards)) == pytest.approx(0.9 * 0.8)
    assert confidence(Judgement("x", 3, -1, ((0.9,), (0.5,)))) == pytest.approx(0.45)
    assert confidence(Judgement("x", 3, None, rewards)) == 0.0
    assert confidence(Judgement("x", 3, 2, guesses=(2, 2, None, 1))) == 0.5


def test_risk_rises_as_less_sure_rows_enter() -> None:
    found = risk_coverage([0.9, 0.9, 0.5, 0.0], [True, False, True, False], [False] * 3 + [True])
    assert found is not None
    assert found.coverage == (0.5, 0.75, 1.0)
    assert found.risk == (0.5, 1 / 3, 0.5)
    assert found.area == pytest.approx(0.5 * 0.5 + 0.25 / 3 + 0.25 * 0.5)
