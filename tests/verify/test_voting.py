"""Adaptive voting: exact against all votes, confident against its stated error rate."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.verdict import StepVerdict, Vote
from genprm.verify.voting import (
    MARGIN,
    Adaptive,
    asked_of,
    decided,
    next_batch,
    representative,
    sure,
)

rewards = st.one_of(
    st.none(),  # an abstention
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]),  # where ties are made
    st.floats(0, 1),
    st.floats(0.95, 1),
)
ballots = st.lists(rewards, min_size=1, max_size=12)


def readable(ballot: list[float | None]) -> list[float]:
    return [reward for reward in ballot if reward is not None]


def label(ballot: list[float | None]) -> bool | None:
    return verdict(ballot).label


def verdict(ballot: list[float | None]) -> StepVerdict:
    return StepVerdict(tuple(Vote(reward, "") for reward in ballot), len(ballot))


def ask(ballot: list[float | None], adaptive: Adaptive, rate: float = 0.05) -> list[int]:
    """The batches in which the votes of `ballot` are asked."""
    batches: list[int] = []
    while batch := next_batch(
        readable(ballot[: sum(batches)]), sum(batches), len(ballot), adaptive, rate
    ):
        batches.append(batch)
    return batches


def sequential(ballot: list[float | None], adaptive: Adaptive, rate: float = 0.05) -> int:
    """How many votes asking one at a time would have taken, by the rules' definitions."""
    for asked in range(len(ballot)):
        seen, left = readable(ballot[:asked]), len(ballot) - asked
        if decided(seen, left) or (adaptive is Adaptive.CONFIDENT and sure(seen, rate)):
            return asked
    return len(ballot)


@given(ballots)
@settings(max_examples=500, deadline=None)
def test_exact_gives_the_label_and_the_history_of_all_votes(ballot: list[float | None]) -> None:
    asked = sum(ask(ballot, Adaptive.EXACT))
    assert label(ballot[:asked]) == label(ballot)
    assert representative(verdict(ballot[:asked])) == representative(verdict(ballot))


def test_exact_gives_the_label_of_all_votes_ten_thousand_times() -> None:
    rng = random.Random(6)
    kinds: list[Callable[[], float | None]] = [
        lambda: None,
        rng.random,
        lambda: rng.choice([0.0, 0.5, 1.0]),
        lambda: rng.betavariate(0.2, 0.2),  # as a trained judge's rewards lie: near both ends
    ]
    for _ in range(10_000):
        ballot = [rng.choices(kinds, [1, 2, 2, 5])[0]() for _ in range(rng.randint(1, 16))]
        assert label(ballot[: asked_of(ballot, Adaptive.EXACT)]) == label(ballot)


@given(ballots, st.sampled_from([Adaptive.EXACT, Adaptive.CONFIDENT]), st.floats(0.001, 0.4))
@settings(max_examples=300, deadline=None)
def test_waves_ask_for_no_more_than_one_at_a_time(
    ballot: list[float | None], adaptive: Adaptive, rate: float
) -> None:
    assert sum(ask(ballot, adaptive, rate)) == sequential(ballot, adaptive, rate)


@given(st.lists(st.floats(0, 1), max_size=6), st.integers(0, 6), st.data())
@settings(max_examples=300, deadline=None)
def test_undecided_means_that_some_votes_would_change_the_label(
    seen: list[float], left: int, data: st.DataObject
) -> None:
    ends = {label([*seen, *[extreme] * left]) for extreme in (0.0, 1.0)}
    assert decided(seen, left) == (len(ends) == 1 and bool(seen)) or (not seen and left == 0)


@given(ballots, st.floats(0.001, 0.4))
def test_confident_never_asks_for_more_than_exact(ballot: list[float | None], rate: float) -> None:
    assert sum(ask(ballot, Adaptive.CONFIDENT, rate)) <= sum(ask(ballot, Adaptive.EXACT))


@given(st.integers(0, 8), st.integers(0, 8))
def test_off_asks_for_all_at_once(asked: int, left: int) -> None:
    assert next_batch([], asked, asked + left, Adaptive.OFF) == left


def test_unanimous_votes_stop_exact_at_five_and_confident_at_two_of_eight() -> None:
    assert ask([0.99] * 8, Adaptive.EXACT) == [4, 1]
    assert ask([0.99] * 8, Adaptive.CONFIDENT) == [2]
    assert ask([0.01] * 8, Adaptive.CONFIDENT) == [2]
    assert ask([1.0] * 8, Adaptive.EXACT) == [4]  # 4 of 8 are right at the inclusive threshold


def test_abstentions_settle_nothing() -> None:
    assert ask([None] * 8, Adaptive.CONFIDENT) == [2, 2, 2, 1, 1]
    assert label([None] * 8) is None


@pytest.mark.parametrize("rate", [0.2, 0.05, 0.01])
def test_confident_keeps_its_error_rate(rate: float) -> None:
    """Exactly, over all paths of votes, right with the probability that the test assumes."""
    right = 0.5 + MARGIN
    wrong_side = 0.0
    paths = {0: 1.0}  # lead of right votes -> probability, still asking
    for _ in range(200):
        following: dict[int, float] = {}
        for lead, probability in paths.items():
            for step, chance in ((1, right), (-1, 1 - right)):
                following[lead + step] = following.get(lead + step, 0) + probability * chance
        stopped = {lead for lead in following if sure([float(lead > 0)] * abs(lead), rate)}
        wrong_side += sum(following[lead] for lead in stopped if lead < 0)
        paths = {lead: chance for lead, chance in following.items() if lead not in stopped}
    assert 0 < wrong_side <= rate
