"""A reward manager for verl 0.9 that puts step rewards at the tokens that earned them.

    reward.reward_manager.source=importlib
    reward.reward_manager.name=StepRewardManager
    reward.reward_manager.module.path=pkg://genprm.rewards.verl_steps

in addition to the lines of `genprm.rewards.verl`, whose `reward_kwargs` apply here, too. `placing`
decides which token gets which reward. The rewards add up to the result of `compute_score`.

verl 0.9 asks the manager for token rewards if its reward model shares the trainer's machines
(`reward.reward_model.enable=True`, `enable_resource_pool=False`). Otherwise its agent loop takes
one number for each completion and puts it at the last token. A `TokenScores` is such a number, so
this manager can be used there as well, and then does the same as the others.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from verl import DataProto
from verl.experimental.reward_loop.reward_manager.base import RewardManagerBase

from genprm.rewards.chats import without_end_marks
from genprm.rewards.options import RewardOptions, reward_one
from genprm.rewards.placing import token_rewards
from genprm.rewards.verl import score

if TYPE_CHECKING:
    from omegaconf import DictConfig
    from transformers import PreTrainedTokenizerBase


class TokenScores(float):
    """A completion's reward; `tokens` [response tokens] says where it was earned."""

    tokens: Sequence[float]

    def __new__(cls, tokens: Sequence[float], whole: float) -> "TokenScores":
        """`whole` is the reward, to which the tokens add up except for rounding."""
        made = super().__new__(cls, whole)
        made.tokens = tokens
        return made

    def __reduce__(self) -> tuple[type["TokenScores"], tuple[Sequence[float], float]]:
        """verl sends it from the worker to the trainer."""
        return TokenScores, (self.tokens, float(self))


class StepRewardManager(RewardManagerBase):  # type: ignore[misc]
    """Judges each rollout and rewards its tokens, without calling `compute_score`."""

    def __init__(
        self,
        config: "DictConfig",
        tokenizer: "PreTrainedTokenizerBase",
        compute_score: object = None,
        reward_router_address: str | None = None,
        reward_model_tokenizer: object = None,
    ) -> None:
        super().__init__(config, tokenizer, compute_score)
        function = config.reward.get("custom_reward_function") or {}
        told: Mapping[str, object] = function.get("reward_kwargs") or {}
        self.options = RewardOptions.read(
            {"reward_router_address": reward_router_address, **told}, "reward_kwargs"
        )

    async def run_single(self, data: DataProto) -> dict[str, object]:
        """The reward of a rollout's last sequence.

        Raises:
            ModelError, SandboxError: the judge is gone.
        """
        item = data[-1]
        ids = _response(item)
        # With its special tokens, since spans are found by decoding the same tokens.
        text = without_end_marks(self.tokenizer.decode(ids, skip_special_tokens=False))
        said = item.non_tensor_batch
        info: Mapping[str, object] = said.get("extra_info") or {}
        problem = info.get("problem") or info.get("question")
        asked = str(problem) if problem else said.get("raw_prompt")
        gold = (said.get("reward_model") or {}).get("ground_truth")
        found = await reward_one(self.options, asked, text, gold)
        scoring = self.options.scoring
        extra = score(found.judged, found.correct, scoring)
        tokens = token_rewards(scoring, found.judged, self.tokenizer, ids, found.correct)
        return {"reward_score": TokenScores(tokens, found.reward), "reward_extra_info": extra}

    @classmethod
    def assemble_rm_scores(cls, data: DataProto, scores: Sequence[float]) -> torch.Tensor:
        """[completions, response tokens] Every token's reward, as float32."""
        rewards = torch.zeros_like(data.batch["responses"], dtype=torch.float32)
        prompt = data.batch["prompts"].size(1)
        lengths = data.batch["attention_mask"][:, prompt:].sum(dim=1).tolist()
        for row, (one, length) in enumerate(zip(scores, lengths, strict=True)):
            if isinstance(one, TokenScores):
                rewards[row, : len(one.tokens)] = rewards.new_tensor(list(one.tokens))
            elif length:  # a number of another reward: at the last token, as verl does it
                rewards[row, length - 1] = one
        return rewards


def _response(item: DataProto) -> list[int]:
    responses = item.batch["responses"]
    length = responses.shape[-1]
    valid = int(item.batch["attention_mask"][-length:].sum())
    ids: list[int] = responses[:valid].tolist()
    return ids
