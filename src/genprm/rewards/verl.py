"""Reward functions for verl's custom reward interface. In verl's configuration:

    reward.custom_reward_function.path=…/genprm/rewards/verl.py
    reward.custom_reward_function.name=compute_score_async
    +reward.custom_reward_function.reward_kwargs.url=http://127.0.0.1:8321

Older releases of verl write these names without `reward.`, and need `compute_score`, or
`compute_score_batch` with `reward_model.reward_manager=batch`. Without `url`, the judge is the
model that verl itself serves (`reward_router_address`), or otherwise the model named by `model`, in
the reward worker's process. The problem is `extra_info["problem"]` or `["question"]`, as verl's own
data preparation stores it. verl needs a number for every completion, so an abstention gets the
value `abstention` (0 by default) and is also reported as a metric. `verl_steps` gives each step a
reward of its own.
"""

from collections.abc import Mapping, Sequence

from genprm.errors import InputError
from genprm.rewards.batch import Batch
from genprm.rewards.completion import JudgedCompletion
from genprm.rewards.options import RewardOptions
from genprm.rewards.scoring import Scoring

Score = dict[str, float]


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    **options: object,
) -> Score:
    """The reward of one completion, for verl's naive manager.

    Options (verl's `reward_kwargs`): url | model, api_key, votes, kind, penalty, abstention,
    timeout, and `response_prefix`: text at the end of the prompt with which the solution begins,
    such as "Step 1:".
    """
    return compute_score_batch(
        [data_source], [solution_str], [ground_truth], [extra_info or {}], **options
    )[0]


async def compute_score_async(
    data_source: str,  # noqa: ARG001 (verl's)
    solution_str: str,
    ground_truth: object,
    extra_info: Mapping[str, object] | None = None,
    **options: object,
) -> Score:
    """Like `compute_score`, but asynchronous, for verl's reward loop."""
    read = RewardOptions.read(options, "reward_kwargs")
    (judged,) = await _batch([solution_str], [extra_info], read).ajudge(read.judge)
    return _scores([judged], [ground_truth], read)[0]


def compute_score_batch(
    data_sources: Sequence[str],  # noqa: ARG001 (verl's)
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping[str, object] | None],
    **options: object,
) -> list[Score]:
    """The rewards of a batch, judged at once: for verl's batch manager."""
    read = RewardOptions.read(options, "reward_kwargs")
    judged = _batch(solution_strs, extra_infos, read).judge(read.judge)
    return _scores(judged, ground_truths, read)


def _scores(
    judged: Sequence[JudgedCompletion], golds: Sequence[object], options: RewardOptions
) -> list[Score]:
    """The scores, always with the same keys, because verl collects them into columns."""
    correct = options.check(golds, judged)
    return [score(one, right, options.scoring) for one, right in zip(judged, correct, strict=True)]


def score(judged: JudgedCompletion, correct: bool | None, scoring: Scoring) -> Score:
    """The reward, and beside it what verl logs."""
    reward = scoring(judged, correct)
    assert reward is not None
    first = judged.first_error
    return {
        "score": reward,
        "genprm_abstained": float(scoring.abstains(judged, correct)),
        "genprm_steps": float(len(judged.steps)),
        "genprm_first_error": float(-2 if first is None else first),  # -2: it cannot be said
    }


def _batch(
    texts: Sequence[str],
    infos: Sequence[Mapping[str, object] | None],
    options: RewardOptions,
) -> Batch:
    problems = [_problem(info or {}) for info in infos]
    return Batch.read(problems, texts, response_prefix=options.response_prefix)


def _problem(info: Mapping[str, object]) -> str:
    problem = info.get("problem") or info.get("question")
    if not problem:
        raise InputError(
            "extra_info has neither problem nor question; fix: store the problem's text there"
        )
    return str(problem)
