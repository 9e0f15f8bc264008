"""From verdicts to rewards; forked trainers."""

import asyncio
import multiprocessing
import os
from collections.abc import Sequence

import pytest

from genprm.errors import ModelError
from genprm.problem import Solution
from genprm.rewards.judges import CompletionVerdict, InProcess
from genprm.rewards.scoring import Kind, Scoring
from genprm.rewards.trl import GenPRMReward

FLAWED, SOUND, UNKNOWN = (
    CompletionVerdict((0.9, 0.2), 1),
    CompletionVerdict((0.9,), -1),
    CompletionVerdict((0.9, None), None),
)


@pytest.mark.parametrize(
    ("judged", "correct", "reward"),
    [
        (SOUND, True, 1.0),
        (FLAWED, True, 0.7),
        (FLAWED, False, 0.0),
        (SOUND, False, 0.0),
        (UNKNOWN, False, 0.0),
        (UNKNOWN, True, None),
        (SOUND, None, None),
        (CompletionVerdict(cause="no text"), True, None),
    ],
)
def test_flaw_aware_takes_from_answers_that_are_right_for_a_wrong_reason(
    judged: CompletionVerdict, correct: bool | None, reward: float | None
) -> None:
    assert Scoring(Kind.FLAW_AWARE, penalty=0.3)(judged, correct) == reward


def test_skipping_a_wrong_step_pays_under_a_ratio_and_not_under_flaw_aware() -> None:
    padded = CompletionVerdict((0.9,) * 9 + (0.2,), 9)
    with pytest.warns(UserWarning, match="skips the steps"):
        ratio = Scoring(Kind.RATIO)
    assert ratio(padded) == 0.9
    assert ratio(FLAWED) == 0.5
    aware = Scoring(Kind.FLAW_AWARE)
    assert aware(padded, True) == aware(FLAWED, True)


def test_the_gold_column_decides_flaw_aware() -> None:
    class Finds:
        async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
            return [FLAWED, SOUND, SOUND]

        async def close(self) -> None:
            pass

    logged: dict[str, list[object]] = {}
    reward = GenPRMReward(Finds(), Scoring(Kind.FLAW_AWARE, penalty=0.3))
    texts = ["The answer is 2.", "The answer is 2.", "The answer is 3.", "The answer is 2."]
    prompts = ["1 + 1?"] * 3 + [""]
    found = reward(prompts, texts, answer=["2", 2, "2", "2"], log_extra=logged.__setitem__)
    assert found == [0.7, 1.0, 0.0, None]
    assert logged["genprm_first_error"] == [1, -1, -1, None]
    reward.close()


class Answers:
    """Knows which process it judges in."""

    async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
        await asyncio.sleep(0)
        return [CompletionVerdict((0.9,), -1)] * len(solutions)

    async def close(self) -> None:
        pass


def in_fork(reward: GenPRMReward) -> object:
    """What the reward gives in a forked process."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()

    def child() -> None:
        try:
            theirs.send(reward(["?"], ["a"]))
        except ModelError as error:
            theirs.send(str(error))
        os._exit(0)

    process = context.Process(target=child)
    process.start()
    try:
        assert mine.poll(30), "the forked process hangs"
        return mine.recv()
    finally:
        process.kill()
        process.join()


def test_a_forked_trainer_judges_in_a_loop_of_its_own() -> None:
    reward = GenPRMReward(Answers())
    assert reward(["?"], ["a"]) == [1.0]
    assert in_fork(reward) == [1.0]
    assert reward(["?"], ["a"]) == [1.0]
    reward.close()


def test_a_model_that_was_opened_before_the_fork_says_so() -> None:
    judge = InProcess()
    reward = GenPRMReward(judge)
    judge._judge = object()  # type: ignore[assignment]
    assert "opened before the trainer forked" in str(in_fork(reward))
