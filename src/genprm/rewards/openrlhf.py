"""A reward file for OpenRLHF: `--reward.remote_url …/genprm/rewards/openrlhf.py`.

It is configured by environment variables: GENPRM_URL (a running `genprm serve`; without it the
model named by GENPRM_MODEL judges in this process), GENPRM_API_KEY, GENPRM_VOTES, GENPRM_REWARD
(`outcome`, `flaw-aware`, …) and GENPRM_RESPONSE_PREFIX. With
`--reward.remote_url http://HOST:8321/get_reward` no file is needed.
"""

from collections.abc import Sequence
from functools import lru_cache

from genprm.rewards.batch import Batch
from genprm.rewards.chats import without_end_marks
from genprm.rewards.options import RewardOptions


def reward_func(
    queries: Sequence[str], prompts: Sequence[str], labels: Sequence[object], **_: object
) -> dict[str, object]:
    """A reward for each query, which is a prompt with its response; 0 for an abstention."""
    import torch

    options = _options()
    pairs = zip(prompts, queries, strict=True)
    texts = [without_end_marks(query.removeprefix(prompt)) for prompt, query in pairs]
    batch = Batch.read(list(prompts), texts, response_prefix=options.response_prefix)
    judged = batch.judge(options.judge)
    scored = list(zip(judged, options.check(labels, judged), strict=True))
    rewards = torch.tensor([options.scoring(*one) for one in scored], dtype=torch.float32)
    abstained = torch.tensor([float(options.scoring.abstains(*one)) for one in scored])
    return {"rewards": rewards, "scores": rewards, "extra_logs": {"genprm_abstained": abstained}}


@lru_cache
def _options() -> RewardOptions:
    return RewardOptions.from_environment()
