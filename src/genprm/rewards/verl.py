"""Reward functions for verl's custom reward interface. In verl's configuration:

    reward.custom_reward_function.path=…/genprm/rewards/verl.py
    reward.custom_reward_function.name=compute_score_async
    +reward.custom_reward_function.reward_kwargs.url=http://127.0.0.1:8321

Older releases of verl write these names without `reward.`, and need `compute_score`, or
`compute_score_batch` with `reward_model.reward_manager=batch`. Without `url`, the judge is the
model that verl itself serves (`reward_router_address`), or otherwise the model named by `model`, in
the reward worker's process. The problem is `extra_info["problem"]` or `["question"]`, as verl's own
data preparation stores it. verl needs a number for every completion, so an abstention gets the
value `abstention` (0 by default) and is also reported as a metric.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pydantic import BaseModel, ValidationError

from genprm.answer import AnswerChecker
from genprm.errors import InputError
from genprm.records.validation import field_fault
from genprm.rewards.background import Background
from genprm.rewards.batch import Batch, check_answers
from genprm.rewards.completion import JudgedCompletion
from genprm.rewards.judges import CompletionJudge, InProcess, Service
from genprm.rewards.scoring import Kind, Scoring
from genprm.verify.settings import Settings

Score = dict[str, float]


class _Options(BaseModel):
    """The options in verl's `reward_kwargs`; what verl adds itself is ignored."""

    url: str | None = None
    api_key: str | None = None
    model: str | None = None
    reward_router_address: str | None = None
    votes: int = 1
    timeout: float = 120.0
    kind: Kind = Kind.OUTCOME
    abstention: float = 0.0
    penalty: float = 0.5
    response_prefix: str = ""

    @classmethod
    def read(cls, options: Mapping[str, object]) -> "_Options":
        """Raises InputError: an option has a value that it cannot have."""
        try:
            return cls.model_validate(options)
        except ValidationError as error:
            raise InputError(
                f"reward_kwargs: {field_fault(error)}; fix: see genprm.rewards.verl"
            ) from None


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
    read = _Options.read(options)
    (judged,) = await _batch([solution_str], [extra_info], read).ajudge(_judge(read))
    return _scores([judged], [ground_truth], read)[0]


def compute_score_batch(
    data_sources: Sequence[str],  # noqa: ARG001 (verl's)
    solution_strs: Sequence[str],
    ground_truths: Sequence[object],
    extra_infos: Sequence[Mapping[str, object] | None],
    **options: object,
) -> list[Score]:
    """The rewards of a batch, judged at once: for verl's batch manager."""
    read = _Options.read(options)
    judged = _batch(solution_strs, extra_infos, read).judge(_judge(read))
    return _scores(judged, ground_truths, read)


def _scores(
    judged: Sequence[JudgedCompletion], golds: Sequence[object], options: _Options
) -> list[Score]:
    """The scores, always with the same keys, because verl collects them into columns."""
    scoring = _scoring(options.kind, options.abstention, options.penalty)
    correct: Sequence[bool | None] = [None] * len(judged)
    if scoring.kind is Kind.FLAW_AWARE:
        known = [None if gold is None else str(gold) for gold in golds]
        correct = check_answers(_checker(), known, [one.text for one in judged])
    return [_score(one, right, scoring) for one, right in zip(judged, correct, strict=True)]


def _score(judged: JudgedCompletion, correct: bool | None, scoring: Scoring) -> Score:
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
    options: _Options,
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


@lru_cache
def _scoring(kind: Kind, abstention: float, penalty: float) -> Scoring:
    return Scoring(kind, abstention, penalty)


@lru_cache
def _checker() -> AnswerChecker:
    return AnswerChecker()


def _judge(options: _Options) -> Background:
    router = options.reward_router_address
    model = options.model or (f"http://{router}/v1" if router else "arithmetic")
    return _background(options.url, options.api_key, model, options.votes, options.timeout)


@lru_cache
def _background(
    url: str | None, api_key: str | None, model: str, votes: int, timeout: float
) -> Background:
    judge: CompletionJudge
    if url is not None:
        judge = Service(url, api_key=api_key, votes=votes, timeout=timeout)
    else:
        judge = InProcess(model, Settings(votes=votes), timeout=timeout)
    return Background(judge)
