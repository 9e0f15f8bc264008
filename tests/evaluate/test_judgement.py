"""Reading Pass@1 and Maj@k out of one run of N votes."""

from itertools import combinations
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.evaluate.judgement import Judgement, most_common

rewards = st.one_of(st.none(), st.floats(0, 1))
tables = st.integers(1, 5).flatmap(
    lambda votes: st.lists(
        st.lists(rewards, min_size=votes, max_size=votes).map(tuple), min_size=1, max_size=4
    ).map(tuple)
)


def judged(*steps: tuple[float | None, ...]) -> Judgement:
    return Judgement("a", len(steps), None, steps)


def test_known_votes() -> None:
    judgement = judged((0.9, 0.9, 0.1), (0.2, 0.9, 0.3))
    assert [judgement.majority([vote]) for vote in range(3)] == [1, -1, 0]
    assert judgement.majority(range(3)) == 1
    assert judgement.hit_rate(1, 1) == pytest.approx(1 / 3)
    # Pairs: (0, 1): 0.9, 0.55 -> -1; (0, 2): 0.5, 0.25 -> 1; (1, 2): 0.5, 0.6 -> -1.
    assert judgement.hit_rate(1, 2) == pytest.approx(1 / 3)
    assert judgement.hit_rate(-1, 2) == pytest.approx(2 / 3)


def test_a_mean_of_exactly_one_half_is_right() -> None:
    assert judged((0.0, 1.0)).majority([0, 1]) == -1


def test_abstentions_leave_the_mean_and_an_empty_mean_leaves_no_verdict() -> None:
    judgement = judged((None, 0.2), (None, 0.9))
    assert judgement.majority([0, 1]) == 0
    assert judgement.majority([0]) is None


def test_votes_that_would_have_judged_further_cannot_be_read() -> None:
    stopped = Judgement("a", 3, 0, ((0.1, 0.2, 0.8),))
    assert stopped.hit_rate(0, 3) == 1.0
    with pytest.raises(LookupError):
        stopped.hit_rate(0, 1)
    with pytest.raises(LookupError):
        stopped.hit_rate(0, 4)


@given(tables, st.data())
def test_the_hit_rates_of_all_labels_share_out_the_subsets(
    table: tuple[tuple[float | None, ...], ...], data: st.DataObject
) -> None:
    judgement = Judgement("a", len(table), None, table)
    k = data.draw(st.integers(1, judgement.votes))
    subsets = list(combinations(range(judgement.votes), k))
    undecided = sum(judgement.majority(subset) is None for subset in subsets)
    told = sum(judgement.hit_rate(label, k) for label in range(-1, len(table)))
    assert told == pytest.approx(1 - undecided / comb(judgement.votes, k))


def test_guesses_vote_as_the_official_script_does() -> None:
    assert most_common([None, 2, 1, 1, 2]) == 2  # the earliest of equals
    assert most_common([None, None]) is None
    judgement = Judgement("a", 5, 2, guesses=(2, 1, None, 1))
    assert judgement.majority([0, 1]) == 2
    assert judgement.majority(range(4)) == 1
    assert judgement.hit_rate(1, 4) == 1.0
