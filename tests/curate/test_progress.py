"""Relative progress estimation and its alternatives against tables worked by hand."""

from fractions import Fraction

import pytest

from genprm.curate.progress import labels, progress
from genprm.curate.recipe import Progress, Rule
from genprm.curate.scores import ZERO, Score
from genprm.verdict import first_error

HALF = Fraction(1, 2)

# hits of 10, and the problem's Pass@1 of 1/2
FALLING = [Score(5, 10), Score(4, 10), Score(3, 10), Score(0, 10), ZERO]


def ratio(epsilon: float) -> Progress:
    return Progress(rule=Rule.RATIO, epsilon=epsilon)


def test_progress_is_the_ratio_of_neighbouring_scores() -> None:
    # 5/5, 4/5, 3/4, 0/3, 0/0
    found = progress(FALLING, HALF, Rule.RATIO)
    assert found == [1, Fraction(4, 5), Fraction(3, 4), 0, 0]


@pytest.mark.parametrize(
    ("epsilon", "expected"),
    [
        (1.0, [True, False, False, False, False]),
        (0.8, [True, True, False, False, False]),  # 4/5 is exactly at the bound
        (0.75, [True, True, True, False, False]),
        (0.1, [True, True, True, False, False]),
    ],
)
def test_a_step_at_the_bound_is_right(epsilon: float, expected: list[bool]) -> None:
    assert labels(FALLING, HALF, ratio(epsilon)) == expected


def test_exact_where_floats_are_not() -> None:
    assert (1 / 3) / (5 / 12) < 0.8  # it is 4/5
    assert labels([Score(1, 3)], Fraction(5, 12), ratio(0.8)) == [True]


def test_the_hard_label_asks_only_for_some_hope() -> None:
    assert labels(FALLING, HALF, Progress(rule=Rule.HARD)) == [True, True, True, False, False]
    assert labels([None, Score(0, 4)], HALF, Progress(rule=Rule.HARD)) == [True, False]


@pytest.mark.parametrize(
    ("epsilon", "expected"),
    [
        (-0.1, [True, True, True, False, True]),  # the last: from nothing to nothing
        (-0.3, [True, True, True, True, True]),
        (-0.05, [True, False, False, False, True]),
    ],
)
def test_the_difference_form(epsilon: float, expected: list[bool]) -> None:
    settings = Progress(rule=Rule.DIFFERENCE, epsilon=epsilon)
    assert labels(FALLING, HALF, settings) == expected


def test_hope_out_of_nothing_is_right() -> None:
    assert labels([Score(1, 10)], Fraction(0), ratio(0.8)) == [True]


def test_a_ratio_needs_every_score() -> None:
    with pytest.raises(ValueError, match="needs every score"):
        labels([None, Score(0, 4)], HALF, ratio(0.8))


def test_first_error() -> None:
    assert first_error([True, False, True, False]) == 1
    assert first_error([True, True]) == -1
