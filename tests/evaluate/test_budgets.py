"""Accuracy against tokens, read out of stored runs."""

from itertools import combinations
from pathlib import Path

import pytest

from genprm.evaluate.budgets import (
    Voting,
    _expected,
    _Judged,
    _judged,
    ranking_points,
    refinement_points,
    winners,
)
from genprm.evaluate.figures import scaling_figure
from genprm.records.pools import Cost, SampleRow
from genprm.records.rankings import NodeRow, RankingRow
from genprm.records.refinements import RefinementRow, TurnRow
from genprm.verdict import Usage
from genprm.verify.aggregate import Aggregate
from genprm.verify.voting import Adaptive


def step(*votes: float) -> NodeRow:
    mean = sum(votes) / len(votes)
    return NodeRow(
        reward=mean,
        label=mean >= 0.5,
        wanted=len(votes),
        votes=votes,
        tokens=(10,) * len(votes),
        usage=Usage(tokens_out=10 * len(votes)),
    )


def ranked(
    correct: tuple[bool, ...],
    groups: tuple[int, ...],
    judged: tuple[NodeRow, ...],
    paths: tuple[tuple[int, ...], ...],
) -> RankingRow:
    sample = SampleRow(steps=("s",), usage=Usage(tokens_out=5))
    return RankingRow(
        id="p",
        row=0,
        problem="?",
        answer="7",
        correct=correct,
        responses=("s",) * len(correct),
        samples=(sample,) * len(correct),
        groups=groups,
        prm_step_scores={},
        judged=judged,
        paths=paths,
        choices={},
        choice=None,
        choice_answer=None,
    )


def ranking() -> RankingRow:
    """Four samples, the first twice: two right ones (7), judged high by all eight votes.

    The third shares its first step with them.
    """
    right, wrong = step(*[0.9] * 8), step(*[0.1] * 8)
    return ranked(
        (True, True, False, False), (0, 0, 2, 3), (right, wrong, wrong), ((0,), (0,), (0, 1), (2,))
    )


def test_a_judge_that_knows_finds_the_right_one_wherever_it_is_among_the_samples() -> None:
    points = {(p.method, p.setting): p for p in ranking_points([ranking()], Aggregate.MIN)}
    bound = points["Pass@N (bound)", "N = 2"].accuracy
    assert points["best-of-N, 8 votes", "N = 2"].accuracy == pytest.approx(bound)
    assert points["best-of-N, 1 vote", "N = 4"].accuracy == pytest.approx(100)


def test_tokens_are_those_of_the_samples_and_of_each_different_judgement() -> None:
    points = {(p.method, p.setting): p for p in ranking_points([ranking()], Aggregate.MIN)}
    assert points["majority", "N = 4"].tokens == 20
    assert points["best-of-N, 8 votes", "N = 4"].tokens == 20 + 3 * 80
    assert points["best-of-N, 1 vote", "N = 4"].tokens == 20 + 3 * 10
    assert points["best-of-N, exact votes", "N = 4"].tokens == 20 + 3 * 50
    assert points["best-of-N, confident votes", "N = 4"].tokens < 20 + 3 * 50


def test_expected_cost_is_the_mean_over_all_subsets() -> None:
    pool = [(0, 30), (0, 30), (1, 50), (2, 7), (2, 7), (2, 7)]
    judged = _Judged(samples=6, rewards=(), costs=((2, 30), (1, 50), (3, 7)))
    for n in range(1, 7):
        subsets = [sum(dict(some).values()) for some in combinations(pool, n)]
        assert _expected(judged, n) == pytest.approx(sum(subsets) / len(subsets))


def test_fewer_votes_are_the_first_ones() -> None:
    row = ranked((True,), (0,), (step(0.2, 0.8, 0.8, 0.8),), ((0,),))
    assert _judged(row, Voting("", 1)).rewards == ((0.2,),)
    assert _judged(row, Voting("", 4)).rewards[0][0] == pytest.approx(0.65)
    assert _judged(row, Voting("", 4, Adaptive.EXACT)).costs == ((1, 40),)


def turn(score: float, first_error: int, tokens: int) -> TurnRow:
    usage = Usage(tokens_out=tokens)
    return TurnRow(
        request=None,
        text="s",
        sample=SampleRow(steps=("s",)),
        score=score,
        first_error=first_error,
        steps=(),
        cost=Cost(policy=usage, verifier=usage),
    )


def test_refinement_gives_the_best_or_the_latest_answer_so_far() -> None:
    row = RefinementRow(
        id="p",
        row=0,
        problem="?",
        answer="7",
        correct=(True, False, True),
        turns=(turn(0.4, 0, 10), turn(0.2, 0, 10), turn(0.9, -1, 10)),
        critic="verifier",
        ended="verified",
        choice=2,
        choice_answer="7",
    )
    best = refinement_points([row], "refine", keep_best=True)
    latest = refinement_points([row], "refine", keep_best=False)
    assert [point.accuracy for point in best] == [100, 100, 100]
    assert [point.accuracy for point in latest] == [100, 0, 100]
    assert [point.tokens for point in best] == [20, 40, 60]


def test_the_winner_is_the_most_accurate_that_a_budget_allows(tmp_path: Path) -> None:
    points = ranking_points([ranking()], Aggregate.MIN)
    found = winners(points)
    for win in found:
        assert win.point.tokens <= win.budget
        assert not win.point.method.startswith("Pass@N")
        rivals = [p for p in points if p.tokens <= win.budget and not p.method.startswith("Pass")]
        assert win.point.accuracy == max(rival.accuracy for rival in rivals)
    scaling_figure(points, tmp_path / "scaling.svg")
    assert "generated tokens" in (tmp_path / "scaling.svg").read_text()
