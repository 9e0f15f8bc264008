"""Reward functions for TRL's trainers (GRPO and those that share its interface).

    from genprm.rewards.trl import GenPRMReward
    from genprm.rewards.judges import InProcess, Service

    reward = GenPRMReward(InProcess("arithmetic"))            # or Service("http://host:8321")
    GRPOTrainer(..., reward_funcs=reward)

`AsyncGenPRMReward` is its asynchronous form, with which TRL runs several reward functions at once;
AsyncGRPO accepts it, too. Both are called as in TRL 1.16: with `prompts`, `completions`, the data
set's columns, `log_metric`, `log_extra`, …. A completion that cannot be judged never raises.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from genprm.answer import AnswerChecker
from genprm.rewards.background import Background
from genprm.rewards.batch import Batch, check_answers
from genprm.rewards.chats import Chat
from genprm.rewards.completion import JudgedCompletion
from genprm.rewards.judges import CompletionJudge
from genprm.rewards.scoring import Kind, Scoring

LogMetric: TypeAlias = Callable[[str, float], None]
LogExtra: TypeAlias = Callable[[str, list[object]], None]


class _Reward:
    """What the blocking and the asynchronous reward share.

    Args:
        judge: `InProcess(...)` or `Service(url)`.
        scoring: what is rewarded, and the value of an abstention. With None, the default, TRL
            leaves the completion out of this reward.
        response_prefix: text at the end of the prompt with which the solution begins, such as
            "Step 1:".
        problem: the data set's column with the problem; if it is missing or empty, the problem is
            the last user turn of the prompt, or a plain prompt itself.
        answer: the data set's column with the gold answer, for the kind `flaw-aware`.
    """

    def __init__(
        self,
        judge: CompletionJudge,
        scoring: Scoring = Scoring(),
        *,
        response_prefix: str = "",
        problem: str = "problem",
        answer: str = "answer",
    ) -> None:
        self.__name__ = "genprm"  # what TRL logs the reward as
        self.scoring = scoring
        self.response_prefix = response_prefix
        self.problem = problem
        self.answer = answer
        self.judged: list[JudgedCompletion] = []  # of the last batch: step rewards and their spans
        self._judge = Background(judge)
        self._checker: AnswerChecker | None = None

    def close(self) -> None:
        """Close the judge."""
        self._judge.close()
        if self._checker is not None:
            self._checker.close()
            self._checker = None

    def _batch(
        self, prompts: Sequence[Chat], completions: Sequence[Chat], columns: Mapping[str, object]
    ) -> Batch:
        problems = _texts(columns.get(self.problem))
        return Batch.read(prompts, completions, problems, response_prefix=self.response_prefix)

    def _rewards(
        self,
        judged: list[JudgedCompletion],
        columns: Mapping[str, object],
        log_metric: LogMetric | None,
        log_extra: LogExtra | None,
    ) -> list[float | None]:
        self.judged = judged
        correct = self._correct(judged, columns)
        pairs = list(zip(judged, correct, strict=True))
        if log_metric is not None and judged:
            log_metric("genprm/abstained", fmean(self.scoring.abstains(*pair) for pair in pairs))
            log_metric("genprm/failed", fmean(one.cause is not None for one in judged))
            log_metric("genprm/steps", fmean(len(one.steps) for one in judged))
        if log_extra is not None and judged:
            log_extra("genprm_first_error", [one.first_error for one in judged])
            log_extra("genprm_step_rewards", [list(one.rewards) for one in judged])
        return [self.scoring(one, right) for one, right in pairs]

    def _correct(
        self, judged: list[JudgedCompletion], columns: Mapping[str, object]
    ) -> Sequence[bool | None]:
        golds = _texts(columns.get(self.answer))
        if self.scoring.kind is not Kind.FLAW_AWARE or golds is None:
            return [None] * len(judged)
        if self._checker is None:
            self._checker = AnswerChecker()
        return check_answers(self._checker, golds, [one.text for one in judged])


def _texts(column: object) -> list[str | None] | None:
    """A column of the data set as texts; None if there is no such column."""
    if not isinstance(column, Iterable):
        return None
    return [None if value is None else str(value) for value in column]


class GenPRMReward(_Reward):
    """A blocking reward function."""

    def __call__(
        self,
        prompts: Sequence[Chat],
        completions: Sequence[Chat],
        log_metric: LogMetric | None = None,
        log_extra: LogExtra | None = None,
        **columns: object,
    ) -> list[float | None]:
        """One reward for each completion.

        Raises:
            ModelError, SandboxError: no completion could be judged.
            InputError: the service refuses the request.
        """
        judged = self._batch(prompts, completions, columns).judge(self._judge)
        return self._rewards(judged, columns, log_metric, log_extra)


class AsyncGenPRMReward(_Reward):
    """An asynchronous reward function."""

    async def __call__(
        self,
        prompts: Sequence[Chat],
        completions: Sequence[Chat],
        log_metric: LogMetric | None = None,
        log_extra: LogExtra | None = None,
        **columns: object,
    ) -> list[float | None]:
        """One reward for each completion; raises as `GenPRMReward`."""
        judged = await self._batch(prompts, completions, columns).ajudge(self._judge)
        return self._rewards(judged, columns, log_metric, log_extra)
