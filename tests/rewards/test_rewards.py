"""Reward functions as the trainers call them, on a scripted judge and over a real service."""

import asyncio
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rewarding import Letters, configuration, one_row, serving, verifier
from scripted import Scripted

from genprm.errors import InputError, ModelError
from genprm.problem import Solution
from genprm.rewards import options, verl
from genprm.rewards.background import Background
from genprm.rewards.judges import CompletionVerdict, InProcess, Service
from genprm.rewards.scoring import Kind, Scoring
from genprm.rewards.trl import AsyncGenPRMReward, GenPRMReward

PROMPTS = ["1 + 1?"] * 4
COMPLETIONS = [" 1 + 1 = 2.", " 1 + 1 = 2.\n\nStep 2: So wrong.", " unreadable", ""]


class Slow(Scripted):
    async def complete(self, prompt: str, **options: Any) -> Any:
        if "wrong" in prompt:
            await asyncio.Event().wait()
        return await super().complete(prompt, **options)


def in_process(kind: type[Scripted] = Scripted, timeout: float = 60.0) -> InProcess:
    return InProcess.on(verifier(kind), timeout=timeout)


def test_outcome_rewards_whether_no_step_is_wrong() -> None:
    reward = GenPRMReward(in_process(), response_prefix="Step 1:")
    assert reward(PROMPTS, COMPLETIONS) == [1.0, 0.0, None, None]


@pytest.mark.parametrize(
    ("kind", "second"), [("last", 0.1), ("mean", 0.5), ("min", 0.1), ("product", 0.09)]
)
def test_step_rewards_are_aggregated_and_abstentions_get_the_stated_value(
    kind: str, second: float
) -> None:
    reward = GenPRMReward(
        in_process(), Scoring(Kind(kind), abstention=-1.0), response_prefix="Step 1:"
    )
    assert reward(PROMPTS, COMPLETIONS) == pytest.approx([0.9, second, -1.0, -1.0])


def test_the_async_reward_is_the_same_and_reports_abstentions() -> None:
    logged: dict[str, float] = {}
    reward = AsyncGenPRMReward(in_process(), response_prefix="Step 1:")
    found = asyncio.run(
        reward(
            prompts=PROMPTS,
            completions=COMPLETIONS,
            completion_ids=[[1]] * 4,
            trainer_state=None,
            log_extra=None,
            log_metric=logged.__setitem__,
        )
    )
    assert found == [1.0, 0.0, None, None]
    assert logged == {"genprm/abstained": 0.5, "genprm/failed": 0.25, "genprm/steps": 1.0}


def test_chats_and_problem_columns_are_read() -> None:
    asked: list[Solution] = []

    class Listens:
        async def judge(self, solutions: Sequence[Solution]) -> list[CompletionVerdict]:
            asked.extend(solutions)
            return [CompletionVerdict((0.9,), -1)] * len(solutions)

        async def close(self) -> None:
            pass

    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "2 + 2?"}]
    reply = [{"role": "assistant", "content": [{"type": "text", "text": "Step 1: 4."}]}]
    GenPRMReward(Listens())([chat], [reply])
    GenPRMReward(Listens())([chat], [reply], problem=["the column"])
    assert [(s.problem, s.steps) for s in asked] == [
        ("2 + 2?", ("Step 1: 4.",)),
        ("the column", ("Step 1: 4.",)),
    ]


def test_a_completion_that_takes_too_long_abstains_alone() -> None:
    reward = GenPRMReward(in_process(Slow, timeout=0.3), response_prefix="Step 1:")
    assert reward(PROMPTS[:2], COMPLETIONS[:2]) == [1.0, None]


def test_trl_can_tell_the_awaited_callable_from_the_plain_one() -> None:
    """By `__call__`, as `trl.trainer.utils.is_async_callable` does; importing TRL takes long."""
    plain, awaited = GenPRMReward(in_process()), AsyncGenPRMReward(in_process())
    assert not inspect.iscoroutinefunction(plain.__call__)
    assert inspect.iscoroutinefunction(awaited.__call__)


def test_the_service_gives_the_rewards_of_the_process() -> None:
    with serving() as url:
        reward = GenPRMReward(Service(url, batch=1), Scoring(Kind.MEAN), response_prefix="Step 1:")
        assert reward(PROMPTS, COMPLETIONS) == pytest.approx([0.9, 0.5, None, None])
        reward.close()


def test_a_slow_completion_costs_the_others_of_its_request_nothing() -> None:
    with serving(Slow) as url:
        judged = Service(url, timeout=3.0)
        reward = GenPRMReward(judged, Scoring(Kind.MEAN), response_prefix="Step 1:")
        assert reward(PROMPTS, COMPLETIONS) == pytest.approx([0.9, None, None, None])
        assert "did not answer within 3 s" in str(reward.judged[1].cause)
        reward.close()


def test_a_service_that_refuses_or_is_not_there_is_an_error_not_a_reward() -> None:
    with serving() as url:
        wrong = GenPRMReward(Service(url, votes=0))
        with pytest.raises(InputError, match="answered 422: field votes"):
            wrong(PROMPTS[:1], COMPLETIONS[:1])
    gone = GenPRMReward(Service("http://127.0.0.1:9", retries=0))
    with pytest.raises(ModelError, match="cannot be reached"):
        gone(PROMPTS[:1], COMPLETIONS[:1])


def test_a_trainer_that_never_closes_the_judge_exits_in_silence() -> None:
    script = (
        "from genprm.rewards.judges import InProcess\n"
        "from genprm.rewards.trl import GenPRMReward\n"
        "reward = GenPRMReward(InProcess('arithmetic'), response_prefix='Step 1:')\n"
        "print(reward(['What is 2 + 2?'], [' 2 + 2 = 4.']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stderr == ""


@pytest.fixture
def verl_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    background = Background(in_process())
    monkeypatch.setattr(options, "_background", lambda *_: background)


@pytest.mark.usefixtures("verl_judge")
def test_verl_gets_a_number_for_every_completion() -> None:
    info = {"question": "1 + 1?"}
    assert verl.compute_score("gsm8k", COMPLETIONS[0], "2", info) == {
        "score": 1.0,
        "genprm_abstained": 0.0,
        "genprm_steps": 1.0,
        "genprm_first_error": -1.0,
    }
    scores = verl.compute_score_batch(
        data_sources=["gsm8k"] * 4,
        solution_strs=COMPLETIONS,
        ground_truths=["2"] * 4,
        extra_infos=[info] * 4,
        kind="mean",
        abstention=-1,
    )
    assert [score["score"] for score in scores] == pytest.approx([0.9, 0.5, -1, -1])
    assert [score["genprm_abstained"] for score in scores] == [0, 0, 1, 1]
    awaited = asyncio.run(verl.compute_score_async("gsm8k", COMPLETIONS[1], "2", info))
    assert awaited["score"] == 0.0


@pytest.mark.usefixtures("verl_judge")
def test_verl_without_a_problem_is_told_what_to_store() -> None:
    with pytest.raises(InputError, match="store the problem's text there"):
        verl.compute_score("gsm8k", "1", "2", {})


def test_verl_can_load_the_file_by_its_path() -> None:
    path = Path(verl.__file__)
    spec = importlib.util.spec_from_file_location("custom_module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert callable(module.compute_score)


@pytest.mark.parametrize("name", ["compute_score", "compute_score_async"])
def test_verl_itself_rewards_rollouts_by_the_service(name: str) -> None:
    """verl's own reward manager calls the file as its configuration names it (`make test-verl`)."""
    pytest.importorskip("verl")
    from verl.trainer.ppo.reward import load_reward_manager

    async def rewards(url: str) -> list[float]:
        manager: Any = load_reward_manager(configuration(name, url), Letters())
        rows = [await manager.run_single(one_row(text)) for text in COMPLETIONS[:3]]
        return [row["reward_score"] for row in rows]

    with serving() as url:
        assert asyncio.run(rewards(url)) == pytest.approx([0.9, 0.5, -1])
