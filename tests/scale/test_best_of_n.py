"""Choosing from pools: on made-up scores, on real ones, and with a scripted judge."""

import asyncio
import json
from dataclasses import replace
from math import log
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted
from shared_data import shared

from genprm.answer import AnswerChecker
from genprm.policy import Sample
from genprm.pools import Pool, read_pools
from genprm.problem import Problem, Solution
from genprm.scale.best_of_n import (
    Candidate,
    best,
    choose,
    cost,
    judge_all,
    judge_best_first,
)
from genprm.scale.methods import Method
from genprm.scale.rows import ranking_row
from genprm.verdict import StepVerdict, Usage, Vote
from genprm.verify.aggregate import Aggregate
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

rewards = st.lists(st.floats(0, 1), min_size=1, max_size=6)
scores = st.lists(st.none() | st.floats(0, 1), min_size=1, max_size=8)


def pool(*solutions: tuple[str, ...]) -> Pool:
    samples = tuple(
        Sample("x?", steps, complete=True, seed=index, usage=Usage(tokens_out=10))
        for index, steps in enumerate(solutions)
    )
    return Pool(Problem("p", "x?", "7"), samples)


def judge_by_last_word(prompt: str) -> dict[str, float]:
    """A step ends in the reward that it gets."""
    step = prompt.rsplit("<user>", 1)[1].split("<analyze>", maxsplit=1)[0]
    reward = min(max(float(step.split()[-1]), 1e-9), 1 - 1e-9)
    return {"Yes": log(reward), "No": log(1 - reward)}


def judge() -> Verifier:
    model = Scripted(lambda prompt, seed: "…\n</analyze>\n", judge_by_last_word)
    return Verifier(model, None, Settings(mode=Mode.COT))  # type: ignore[arg-type]


@given(rewards, st.integers(0, 4), st.sampled_from(Aggregate), st.data())
def test_no_further_steps_lift_a_score_above_its_bound(
    seen: list[float], left: int, aggregate: Aggregate, data: st.DataObject
) -> None:
    later = data.draw(st.lists(st.floats(0, 1), min_size=left, max_size=left))
    score, bound = aggregate.score([*seen, *later]), aggregate.bound(seen, left)
    assert score is not None
    assert bound is not None
    assert score <= bound + 1e-12


def test_scores_of_the_paper_by_hand() -> None:
    seen = [1.0, 0.5, 0.9]
    assert [a.score(seen) for a in Aggregate] == pytest.approx([0.9, 0.8, 0.5, 0.45])
    assert Aggregate.MIN.score([0.9, None]) is None
    assert Aggregate.LAST.score([None, 0.9]) == 0.9
    assert Aggregate.MEAN.score([]) is None


@given(scores)
def test_the_best_is_the_first_of_the_highest(values: list[float | None]) -> None:
    found = best(values)
    known = [value for value in values if value is not None]
    assert (found is None) == (not known)
    if found is not None:
        assert values[found] == max(known)
        assert values.index(max(known)) == found


def test_majority_counts_equal_answers_and_weights_sum_scores() -> None:
    groups = [0, 1, 1, None, 0, 1]
    assert choose(Method.MAJORITY, groups, [None] * 6) == 1
    assert choose(Method.WEIGHTED, groups, [0.9, 0.1, 0.1, 1.0, 0.9, 0.1]) == 0
    assert choose(Method.BEST_OF_N, groups, [0.9, 0.1, 0.1, 1.0, 0.9, 0.1]) == 3
    assert choose(Method.MAJORITY, [0, 1], [None, None]) == 0  # the earliest of equals
    assert choose(Method.MAJORITY, [None], [None]) is None


def test_steps_after_the_same_steps_are_judged_once_and_cost_once() -> None:
    verifier = judge()
    drawn = pool(("a 0.9", "b 0.4"), ("a 0.9", "c 0.8"), ("b 0.4",), ("a 0.9", "b 0.4"))
    candidates = asyncio.run(judge_all(verifier, drawn, row=0))
    assert len(verifier.model.asked) == 4  # type: ignore[attr-defined]
    scores = [candidate.score(Aggregate.MIN) for candidate in candidates]
    assert scores == pytest.approx([0.4, 0.8, 0.4, 0.4])
    spent = cost(candidates)
    assert spent.policy.tokens_out == 40
    assert spent.verifier.tokens_out == 4 * candidates[0].steps[0].usage.tokens_out


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map(tuple), min_size=1))
def test_a_pool_is_judged_as_its_solutions_would_be_alone(rows: list[tuple[str, ...]]) -> None:
    """The history of a shared prefix is the one that a solution of its own would have."""

    def by_history(prompt: str) -> dict[str, float]:
        reward = (sum(map(ord, prompt)) % 97 + 1) / 99
        return {"Yes": log(reward), "No": log(1 - reward)}

    model = Scripted(lambda prompt, seed: "…\n</analyze>\n", by_history)
    verifier = Verifier(model, None, Settings(mode=Mode.COT))  # type: ignore[arg-type]

    async def both() -> None:
        candidates = await judge_all(verifier, pool(*rows), row=0)
        for candidate in candidates:
            alone = await verifier.verify(Solution("x?", candidate.sample.steps))
            assert [s.reward for s in candidate.steps] == [s.reward for s in alone.steps]

    asyncio.run(both())


solutions = st.lists(
    st.lists(st.sampled_from([0.05, 0.2, 0.5, 0.8, 0.95]), min_size=1, max_size=4),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60, deadline=None)
@given(solutions, st.sampled_from(Aggregate))
def test_best_first_finds_the_winner_of_judging_everything(
    rows: list[list[float]], aggregate: Aggregate
) -> None:
    drawn = pool(*(tuple(f"step {reward}" for reward in row) for row in rows))
    whole = asyncio.run(judge_all(judge(), drawn, row=0))
    early = asyncio.run(judge_best_first(judge(), drawn, aggregate, row=0))
    assert best([c.score(aggregate) for c in early]) == best([c.score(aggregate) for c in whole])
    judged = sum(len(c.steps) for c in early)
    assert judged <= sum(len(c.steps) for c in whole)


def test_a_candidate_that_can_no_longer_win_is_abandoned() -> None:
    drawn = pool(("a 0.2", "b 0.9", "c 0.9"), ("d 0.95", "e 0.9"))
    early = asyncio.run(judge_best_first(judge(), drawn, Aggregate.MIN, row=0))
    assert [len(candidate.steps) for candidate in early] == [1, 2]
    assert [candidate.score(Aggregate.MIN) for candidate in early] == [None, pytest.approx(0.9)]


def test_a_cut_off_solution_gives_no_answer_and_is_not_judged() -> None:
    whole = Sample("x?", ("The answer is 7. 0.4",), complete=True, seed=0)
    cut = replace(whole, steps=("So 0.9",), complete=False)
    assert Candidate(whole).answer is not None
    assert Candidate(cut).answer is None
    drawn = Pool(Problem("p", "x?"), (cut, whole))
    for found in (
        asyncio.run(judge_all(judge(), drawn, row=0)),
        asyncio.run(judge_best_first(judge(), drawn, Aggregate.MIN, row=0)),
    ):
        assert found[0].steps == ()
        assert best([candidate.score(Aggregate.MIN) for candidate in found]) == 1


def test_a_ranking_row_is_a_pool_row() -> None:
    drawn = pool(("So 0.9 is near. The answer is 7. 0.9",), ("The answer is 8. 0.3",))
    candidates = asyncio.run(judge_all(judge(), drawn, row=0))
    with AnswerChecker() as checker:
        row = ranking_row(
            3, drawn, candidates, method=Method.BEST_OF_N, score=Aggregate.MIN, checker=checker
        )
    again = json.loads(row.line())
    assert again["row"] == 3
    assert again["choice"] == 0
    assert len(again["responses"]) == len(again["prm_step_scores"]["genprm"]) == 2
    assert again["prm_step_scores"]["genprm"][0] == pytest.approx([0.9])
    assert again["paths"] == [[0], [1]]
    assert len(again["judged"]) == 2


def test_real_scores_choose_better_than_chance(tmp_path: Path) -> None:
    """60 MATH problems x 32 real samples with the real scores of Qwen2.5-Math-PRM-7B."""
    lines = shared("bon32/math500_a.jsonl").read_text().splitlines(keepends=True)
    path = tmp_path / "pools.jsonl"
    path.write_text("".join(lines[:60]))
    pools = read_pools(str(path))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(pools) == len(rows) == 60
    right = {"first": 0.0, "best": 0.0, "any": 0.0}
    for drawn, row in zip(pools, rows, strict=True):
        candidates = [
            Candidate(
                replace(sample, steps=tuple(map(str, column))),
                tuple(StepVerdict((Vote(reward, ""),), 1) for reward in column),
            )
            for sample, column in zip(
                drawn.samples, row["prm_step_scores"]["qwen_prm"], strict=True
            )
        ]
        choice = best([candidate.score(Aggregate.MIN) for candidate in candidates])
        assert choice is not None
        right["first"] += sum(row["correct"]) / 32
        right["best"] += row["correct"][choice]
        right["any"] += any(row["correct"])
    assert right["first"] + 2 < right["best"] <= right["any"]
