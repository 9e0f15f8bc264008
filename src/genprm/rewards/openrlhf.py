"""A reward file for OpenRLHF: `--reward.remote_url …/genprm/rewards/openrlhf.py`.

It is configured by environment variables: GENPRM_URL (a running `genprm serve`; without it the
model named by GENPRM_MODEL judges in this process), GENPRM_API_KEY, GENPRM_VOTES, GENPRM_REWARD
(`outcome`, `flaw-aware`, …) and GENPRM_RESPONSE_PREFIX. With
`--reward.remote_url http://HOST:8321/get_reward` no file is needed.
"""

import os
from collections.abc import Sequence
from functools import lru_cache

from genprm.answer import AnswerChecker
from genprm.rewards.background import Background
from genprm.rewards.batch import Batch, check_answers
from genprm.rewards.chats import without_end_marks
from genprm.rewards.judges import CompletionJudge, InProcess, Service
from genprm.rewards.scoring import Kind, Scoring
from genprm.verify.settings import Settings


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[object], **_: object
) -> dict[str, object]:
    """A reward for each query, which is a prompt with its response; 0 for an abstention."""
    import torch

    pairs = zip(prompts, queries, strict=True)
    texts = [without_end_marks(query.removeprefix(prompt)) for prompt, query in pairs]
    prefix = os.environ.get("GENPRM_RESPONSE_PREFIX", "")
    judged = Batch.read(list(prompts), texts, response_prefix=prefix).judge(_judge())
    scoring = _scoring()
    correct: Sequence[bool | None] = [None] * len(judged)
    if scoring.kind is Kind.FLAW_AWARE:
        golds = [None if label is None else str(label) for label in labels]
        correct = check_answers(_checker(), golds, texts)
    scored = list(zip(judged, correct, strict=True))
    rewards = torch.tensor([scoring(*one) or 0.0 for one in scored], dtype=torch.float32)
    abstained = torch.tensor([float(scoring.abstains(*one)) for one in scored])
    return {"rewards": rewards, "scores": rewards, "extra_logs": {"genprm_abstained": abstained}}


@lru_cache
def _judge() -> Background:
    votes = int(os.environ.get("GENPRM_VOTES", "1"))
    url = os.environ.get("GENPRM_URL")
    judge: CompletionJudge
    if url:
        judge = Service(url, api_key=os.environ.get("GENPRM_API_KEY"), votes=votes)
    else:
        judge = InProcess(os.environ.get("GENPRM_MODEL", "arithmetic"), Settings(votes=votes))
    return Background(judge)


@lru_cache
def _scoring() -> Scoring:
    return Scoring(Kind(os.environ.get("GENPRM_REWARD", "outcome")), abstention=0.0)


@lru_cache
def _checker() -> AnswerChecker:
    return AnswerChecker()
