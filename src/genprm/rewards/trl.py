"""Reward functions for TRL's trainers (GRPO and those that share its interface).

    from genprm.rewards.trl import GenPRMReward
    from genprm.rewards.judges import InProcess, Service

    reward = GenPRMReward(InProcess("arithmetic"))            # or Service("http://host:8321")
    GRPOTrainer(..., reward_funcs=reward)

`AsyncGenPRMReward` is the same, awaited: TRL then runs several reward functions at once. Called
as TRL 1.16 calls them: `prompts`, `completions`, the data set's columns, `log_metric`, ….
"""

from collections.abc import Callable, Sequence
from typing import Any

from genprm.problem import Solution, split_steps
from genprm.rewards.background import Background
from genprm.rewards.judges import Judge, Judged
from genprm.rewards.scoring import Scoring

Chat = list[dict[str, Any]]
Text = str | Chat


class _Reward:
    """What both kinds share.

    Args:
        judge: `InProcess(...)` or `Service(url)`.
        scoring: what is rewarded, and the value of an abstention. None, the default, leaves such
            a completion out of this reward, as TRL does with None.
        begun: what the prompt ends with and the solution begins with, such as "Step 1:".
        problem: the data set's column that holds the problem; without it, the last user turn of
            the prompt, or a plain prompt itself, is the problem.
    """

    def __init__(
        self,
        judge: Judge,
        scoring: Scoring = Scoring(),
        *,
        begun: str = "",
        problem: str = "problem",
    ) -> None:
        self.__name__ = "genprm"  # what TRL logs the reward as
        self.scoring = scoring
        self.begun = begun
        self.problem = problem
        self._judge = Background(judge)

    def close(self) -> None:
        """Close the judge."""
        self._judge.close()

    def _solutions(
        self, prompts: Sequence[Text], completions: Sequence[Text], columns: dict[str, Any]
    ) -> list[tuple[int, Solution]]:
        """What can be judged, with its place: a completion without text cannot."""
        problems = columns.get(self.problem) or [_last_turn(prompt) for prompt in prompts]
        texts = map(_last_turn, completions)
        return [
            (index, Solution(problem, split_steps(self.begun + text)))
            for index, (problem, text) in enumerate(zip(problems, texts, strict=True))
            if text.strip() and problem.strip()
        ]

    def _rewards(
        self,
        judged: Sequence[tuple[int, Judged]],
        count: int,
        log_metric: Callable[[str, float], None] | None,
    ) -> list[float | None]:
        results = [Judged(cause="no text")] * count
        for index, result in judged:
            results[index] = result
        if log_metric is not None and count:
            abstained = sum(map(self.scoring.abstains, results))
            log_metric("genprm/abstained", abstained / count)
        return [self.scoring(result) for result in results]


class GenPRMReward(_Reward):
    """A blocking reward function."""

    def __call__(
        self,
        prompts: Sequence[Text],
        completions: Sequence[Text],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One reward for each completion.

        Raises:
            ModelError, SandboxError: judging failed for good.
        """
        places = self._solutions(prompts, completions, columns)
        judged = self._judge.judge([solution for _, solution in places])
        found = [(index, one) for (index, _), one in zip(places, judged, strict=True)]
        return self._rewards(found, len(completions), log_metric)


class AsyncGenPRMReward(_Reward):
    """An awaited reward function."""

    async def __call__(
        self,
        prompts: Sequence[Text],
        completions: Sequence[Text],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One reward for each completion.

        Raises:
            ModelError, SandboxError: judging failed for good.
        """
        places = self._solutions(prompts, completions, columns)
        judged = await self._judge.ajudge([solution for _, solution in places])
        found = [(index, one) for (index, _), one in zip(places, judged, strict=True)]
        return self._rewards(found, len(completions), log_metric)


def _last_turn(text: Text) -> str:
    """A plain text, or what the last turn of a chat says."""
    if isinstance(text, str):
        return text
    content = text[-1]["content"] if text else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)  # content in typed parts
