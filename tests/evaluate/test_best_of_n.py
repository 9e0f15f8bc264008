"""Expected accuracy over all subsets, against brute force over all subsets."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from statistics import mean

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.evaluate.best_of_n import (
    best_of_n,
    majority,
    pass_at_n,
    weighted_majority,
)

samples = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 2, None]),  # the answer; 1 is correct
        st.sampled_from([None, 0.1, 0.5, 0.9]),  # the score; ties are common
    ),
    min_size=1,
    max_size=7,
)


def plurality(weights: Counter[int | None]) -> float:
    """Chance that the correct answer, 1, is picked evenly among those of most weight."""
    weights.pop(None, None)
    top = [answer for answer in weights if weights[answer] > max(weights.values()) - 1e-9]
    return (1 in top) / len(top) if top and max(weights.values()) > 0 else 0.0


def best(scores: Sequence[float | None], correct: Sequence[bool]) -> float:
    known = [-1.0 if score is None else score for score in scores]
    return mean(c for s, c in zip(known, correct, strict=True) if s == max(known))


@given(samples)
def test_counting_equals_enumeration(drawn: list[tuple[int | None, float | None]]) -> None:
    answers = [answer for answer, _ in drawn]
    scores = [score for _, score in drawn]
    correct = [answer == 1 for answer in answers]
    for n in range(1, len(drawn) + 1):
        subsets = list(combinations(range(len(drawn)), n))
        expected = [
            mean(any(correct[i] for i in subset) for subset in subsets),
            mean(best([scores[i] for i in s], [correct[i] for i in s]) for s in subsets),
            mean(plurality(Counter(answers[i] for i in subset)) for subset in subsets),
        ]
        ours = [pass_at_n(correct), best_of_n(scores, correct), majority(answers, correct)]
        assert [values[n - 1] for values in ours] == pytest.approx(expected)


def test_weighted_majority_converges_to_enumeration() -> None:
    answers = [0, 1, 1, 2, None, 0]
    scores = [0.9, 0.4, 0.5, None, 0.9, 0.1]
    correct = [answer == 1 for answer in answers]
    expected = []
    for n in range(1, 7):
        total = []
        for subset in combinations(range(6), n):
            weights: Counter[int | None] = Counter()
            for i in subset:
                weights[answers[i]] += scores[i] or 0.0  # type: ignore[assignment]
            total.append(plurality(weights))
        expected.append(mean(total))
    ours = weighted_majority(answers, scores, correct, orders=40_000)
    assert ours == pytest.approx(expected, abs=0.01)


@given(samples)
def test_a_perfect_scorer_reaches_pass_at_n(drawn: list[tuple[int | None, float | None]]) -> None:
    correct = [answer == 1 for answer, _ in drawn]
    assert best_of_n([float(right) for right in correct], correct) == pytest.approx(
        pass_at_n(correct)
    )


def test_an_uninformative_scorer_is_no_better_than_one_sample() -> None:
    correct = [True, False, False, True, False]
    assert np.allclose(best_of_n([0.5] * 5, correct), 0.4)
