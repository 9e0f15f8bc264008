"""Credits and token rewards: wherever they are placed, they sum up to the completion's reward."""

import warnings
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.rewards.completion import JudgedCompletion, StepReward
from genprm.rewards.placing import AT_END, step_credits, token_rewards
from genprm.rewards.scoring import Kind, Scoring

REWARDS = st.lists(st.none() | st.floats(0, 1), max_size=6)


class Letters:
    """A tokenizer of letters."""

    def decode(self, ids: list[int], /, **_: object) -> str:
        return "".join(map(chr, ids))

    def encode(self, text: str, /, **_: object) -> list[int]:
        return list(map(ord, text))


def completion(rewards: list[float | None], first_error: int | None) -> JudgedCompletion:
    """Each step is "ab " in the text."""
    steps = tuple(StepReward(one, 3 * at, 3 * at + 2) for at, one in enumerate(rewards))
    return JudgedCompletion("ab " * len(rewards), steps, first_error)


def scoring(kind: Kind) -> Scoring:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Scoring(kind, abstention=-0.25, penalty=0.5)


@given(st.sampled_from(Kind), REWARDS, st.booleans() | st.none(), st.data())
def test_tokens_sum_up_to_the_reward_of_the_completion(
    kind: Kind, rewards: list[float | None], correct: bool | None, data: st.DataObject
) -> None:
    first = data.draw(st.sampled_from([None, -1, *range(len(rewards))]))
    judged = completion(rewards, first)
    ids = Letters().encode(judged.text + ".")
    found = token_rewards(scoring(kind), judged, Letters(), ids, correct)
    assert len(found) == len(ids)
    assert sum(found) == pytest.approx(scoring(kind)(judged, correct))


def test_a_flawed_answer_is_paid_at_its_end_and_fined_at_its_first_wrong_step() -> None:
    judged = completion([0.9, 0.1, 0.9], 1)
    flaw_aware = scoring(Kind.FLAW_AWARE)
    assert step_credits(flaw_aware, judged, True) == [(AT_END, 1.0), (1, -0.5)]
    found = token_rewards(flaw_aware, judged, Letters(), Letters().encode(judged.text), True)
    assert {at: reward for at, reward in enumerate(found) if reward} == {4: -0.5, 8: 1.0}


def test_the_weakest_step_gets_the_minimum_and_every_step_its_share_of_the_mean() -> None:
    judged = completion([0.9, 0.3, 0.6], 1)
    assert step_credits(scoring(Kind.MIN), judged) == [(1, 0.3)]
    shares = step_credits(scoring(Kind.MEAN), judged)
    assert [step for step, _ in shares] == [0, 1, 2]
    assert all(first < second for (first, _), (second, _) in pairwise(shares))


def test_a_completion_without_tokens_has_no_rewards() -> None:
    assert token_rewards(scoring(Kind.OUTCOME), completion([], None), Letters(), []) == []
