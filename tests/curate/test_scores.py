"""Dynamic K, zeroing, intervals and estimators against tables worked by hand."""

from fractions import Fraction
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from genprm.curate.recipe import DYNAMIC_K, Estimator
from genprm.curate.scores import Score, completions, estimate, replay, wilson


@pytest.mark.parametrize(
    ("pass_at_1", "k"),
    [
        ("0", 128),
        ("1/100", 128),
        ("99/1000", 128),
        ("1/10", 64),
        ("1/2", 64),
        ("899/1000", 64),
        ("9/10", 32),
        ("999/1000", 32),
        ("1", 32),
    ],
)
def test_dynamic_k_is_equation_9(pass_at_1: str, k: int) -> None:
    assert completions(Fraction(pass_at_1), DYNAMIC_K) == k


@given(st.integers(0, 128), st.integers(1, 128))
def test_the_interval_is_wilsons(hits: int, total: int) -> None:
    hits = min(hits, total)
    expected = binomtest(hits, total).proportion_ci(method="wilson")
    assert wilson(hits, total) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_nothing_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert Score(0, 0).value == 0


def scores_of(
    estimator: Estimator, hits: list[int], *, correct: bool
) -> tuple[list[float], list[int]]:
    """Scores of a path whose prefix of length n has `hits[n - 1]` of 4; and what was sampled."""
    estimation = estimate(estimator, len(hits) + 1, correct=correct)
    scores, asked = replay(estimation, lambda n: Score(hits[n - 1], 4))
    return [-1.0 if s is None else float(s.value) for s in scores], asked


def test_the_last_step_is_its_own_answer() -> None:
    assert scores_of(Estimator.EXHAUSTIVE, [4, 2], correct=True) == ([1, 0.5, 1], [1, 2])
    assert scores_of(Estimator.EXHAUSTIVE, [4, 2], correct=False) == ([1, 0.5, 0], [1, 2])
    assert scores_of(Estimator.EXHAUSTIVE, [], correct=True) == ([1], [])


def test_after_the_first_zero_all_is_zero_and_nothing_is_sampled() -> None:
    assert scores_of(Estimator.EXHAUSTIVE, [3, 0, 4, 4], correct=True) == (
        [0.75, 0, 0, 0, 0],
        [1, 2],
    )


def test_a_binary_search_finds_the_first_zero() -> None:
    hits = [4, 3, 2, 0, 0, 0, 0]
    scores, asked = scores_of(Estimator.BINARY, hits, correct=False)
    assert [score > 0 or score == -1 for score in scores] == [True] * 3 + [False] * 5
    assert asked == [4, 2, 3]


def test_a_right_path_costs_a_binary_search_nothing() -> None:
    assert scores_of(Estimator.BINARY, [4, 4, 4], correct=True) == ([-1, -1, -1, 1], [])


@given(st.integers(1, 64), st.data())
def test_a_binary_search_costs_at_most_the_logarithm(steps: int, data: st.DataObject) -> None:
    zero = data.draw(st.integers(1, steps))
    estimation = estimate(Estimator.BINARY, steps, correct=False)
    scores, asked = replay(estimation, lambda n: Score(int(n < zero), 1))
    assert [s is None or s.value > 0 for s in scores] == [n < zero for n in range(1, steps + 1)]
    assert len(asked) <= ceil(log2(steps)) + (steps > 1)


@given(st.lists(st.integers(0, 4), min_size=0, max_size=12), st.booleans())
def test_both_estimators_find_the_same_first_zero_where_scores_only_fall(
    hits: list[int], correct: bool
) -> None:
    falling = sorted(hits, reverse=True)
    if correct and 0 in falling:
        return  # there a binary search believes the answer, and exhaustive scoring does not
    every, _ = scores_of(Estimator.EXHAUSTIVE, falling, correct=correct)
    some, _ = scores_of(Estimator.BINARY, falling, correct=correct)
    assert [score == 0 for score in every] == [score == 0 for score in some]
