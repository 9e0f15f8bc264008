"""A resources server for NeMo Gym: Gym starts it, and its agents call `/verify`.

    # resources_servers/genprm/app.py
    from genprm.rewards.nemo_gym import GenPRMResourcesServer

    if __name__ == "__main__":
        GenPRMResourcesServer.run_webserver()

The server's block in Gym's configuration holds the options of `RewardOptions`: url, votes, kind, ….
A rollout's last user turn is the problem, unless the row has `problem` or `question`; its
`expected_answer` is the gold answer. Verdicts depend only on the rollout, so `gym eval reverify`
can request them again.
"""

from typing import ClassVar

from nemo_gym.base_resources_server import (
    BaseResourcesServerConfig,
    BaseVerifyRequest,
    BaseVerifyResponse,
    ReverifyMode,
    SimpleResourcesServer,
)
from pydantic import ConfigDict

from genprm.rewards.options import RewardOptions, reward_one


class GenPRMServerConfig(BaseResourcesServerConfig):  # type: ignore[misc]
    """Gym's own fields, and the options of `RewardOptions`."""

    model_config = ConfigDict(extra="allow")
    REVERIFY_MODE: ClassVar[ReverifyMode] = ReverifyMode.STATELESS


class GenPRMVerifyRequest(BaseVerifyRequest):  # type: ignore[misc]
    """A finished rollout with the fields of its row."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    problem: str | None = None
    question: str | None = None
    expected_answer: str | int | float | None = None


class GenPRMVerifyResponse(BaseVerifyResponse):  # type: ignore[misc]
    """The rollout with its reward; `mask_sample` is set if the reward is meaningless."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    step_rewards: list[float | None]
    first_error: int | None


class GenPRMResourcesServer(SimpleResourcesServer):  # type: ignore[misc]
    """Rewards rollouts; keeps nothing between them."""

    config: GenPRMServerConfig

    async def verify(self, body: GenPRMVerifyRequest) -> GenPRMVerifyResponse:
        """The rollout's reward.

        Raises:
            ModelError, SandboxError: the judge is gone.
        """
        options = RewardOptions.read(self.config.model_extra or {}, "genprm resources server")
        rollout = body.model_dump()
        problem = body.problem or body.question or rollout["responses_create_params"]["input"]
        found = await reward_one(
            options, problem, rollout["response"]["output"], body.expected_answer
        )
        judged = found.judged
        return GenPRMVerifyResponse(
            **rollout,
            reward=found.reward,
            mask_sample=found.abstained,
            failure_reason=judged.cause,
            step_rewards=list(judged.rewards),
            first_error=judged.first_error,
        )
