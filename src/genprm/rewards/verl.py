"""Reward functions for verl's custom reward interface. In verl's configuration:

    reward.custom_reward_function.path=…/genprm/rewards/verl.py
    reward.custom_reward_function.name=compute_score_async
    +reward.custom_reward_function.reward_kwargs.url=http://127.0.0.1:8321

verl's older releases have no `reward.` before these names, and want `compute_score`, or
`compute_score_batch` with `reward_model.reward_manager=batch`. Without `url` the model named by
`model` judges in the reward worker's process. The problem is `extra_info["problem"]` or
`["question"]`, as verl's own data preparation stores it. verl needs a number for every
completion, so an abstention is worth `abstention`, 0 unless stated, and is reported beside.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from genprm.errors import InputError
from genprm.problem import Solution, split_steps
from genprm.rewards.background import Background
from genprm.rewards.judges import InProcess, Judge, Judged, Service
from genprm.rewards.scoring import Kind, Scoring
from genprm.verify.settings import Settings

Score = dict[str, float]
EMPTY = Judged(cause="no text")


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: Mapping[str, Any] | None = None,
    **options: Any,
) -> Score:
    """The reward of one completion, for verl's naive manager.

    Options (verl's `reward_kwargs`): url | model, votes, kind, abstention, timeout, and `begun`:
    what the prompt ends with and the solution begins with, such as "Step 1:".
    """
    return compute_score_batch(
        [data_source], [solution_str], [ground_truth], [extra_info or {}], **options
    )[0]


async def compute_score_async(
    data_source: str,  # noqa: ARG001 (verl's)
    solution_str: str,
    ground_truth: Any,  # noqa: ARG001 (verl's)
    extra_info: Mapping[str, Any] | None = None,
    **options: Any,
) -> Score:
    """As `compute_score`, awaited: for verl's reward loop."""
    judge, scoring = _judge(options), _scoring(options)
    solution = _solution(solution_str, extra_info, options)
    judged = await judge.ajudge([solution] if solution.steps else [])
    return _score(judged[0] if judged else EMPTY, scoring)


def compute_score_batch(
    data_sources: Sequence[str],  # noqa: ARG001 (verl's)
    solution_strs: Sequence[str],
    ground_truths: Sequence[Any],  # noqa: ARG001 (verl's)
    extra_infos: Sequence[Mapping[str, Any] | None],
    **options: Any,
) -> list[Score]:
    """The rewards of a batch, judged at once: for verl's batch manager."""
    judge, scoring = _judge(options), _scoring(options)
    solutions = [
        _solution(text, info, options)
        for text, info in zip(solution_strs, extra_infos, strict=True)
    ]
    places = [index for index, solution in enumerate(solutions) if solution.steps]
    judged = judge.judge([solutions[index] for index in places])
    found = dict(zip(places, judged, strict=True))
    return [_score(found.get(index, EMPTY), scoring) for index in range(len(solutions))]


def _score(judged: Judged, scoring: Scoring) -> Score:
    """Always the same keys: verl collects them into columns."""
    reward = scoring(judged)
    assert reward is not None
    return {"score": reward, "genprm_abstained": float(scoring.abstains(judged))}


def _solution(
    text: str, extra_info: Mapping[str, Any] | None, options: Mapping[str, Any]
) -> Solution:
    info = extra_info or {}
    problem = info.get("problem") or info.get("question")
    if not problem:
        raise InputError(
            "extra_info has neither problem nor question; fix: store the problem's text there"
        )
    whole = str(options.get("begun", "")) + text
    return Solution(str(problem), split_steps(whole) if text.strip() else ())


def _scoring(options: Mapping[str, Any]) -> Scoring:
    return Scoring(Kind(options.get("kind", "outcome")), float(options.get("abstention", 0.0)))


def _judge(options: Mapping[str, Any]) -> Background:
    return _background(
        options.get("url"),
        str(options.get("model", "arithmetic")),
        int(options.get("votes", 1)),
        float(options.get("timeout", 120.0)),
    )


@lru_cache
def _background(url: str | None, model: str, votes: int, timeout: float) -> Background:
    judge: Judge
    if url is not None:
        judge = Service(url, votes=votes, timeout=timeout)
    else:
        judge = InProcess(model, Settings(votes=votes), timeout=timeout)
    return Background(judge)
