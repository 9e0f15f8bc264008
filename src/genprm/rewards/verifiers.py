"""A reward for tasksets of verifiers 0.4, used by its import path:

    [env.taskset.task.rewards.genprm]
    fn = "genprm.rewards.verifiers:genprm"

It is configured by environment variables: GENPRM_URL and the others of
`RewardOptions.from_environment`. The task's prompt is the problem, the last reply the solution,
and the task's `answer`, if there is one, the gold answer. Like verifiers' own judges, it raises an
error if the judge fails, so that the rollout is scored again instead of counted against the model.
"""

from functools import lru_cache
from typing import Protocol

from genprm.errors import ModelError
from genprm.rewards.options import RewardOptions, reward_one


class Task(Protocol):
    """What is read of a verifiers task; one with a gold answer also has `answer`."""

    @property
    def prompt_text(self) -> str:
        """The problem."""
        ...


class Trace(Protocol):
    """What is read of a rollout, and what is written into it."""

    @property
    def last_reply(self) -> str:
        """The solution."""
        ...

    def record_metric(self, name: str, value: float) -> None:
        """Keep a number with the rollout."""
        ...


async def genprm(task: Task, trace: Trace) -> float:
    """The reward of a rollout; the first error is a metric of the trace.

    Raises:
        ModelError: the completion could not be judged, or the judge is gone.
    """
    found = await reward_one(
        _options(), task.prompt_text, trace.last_reply, getattr(task, "answer", None)
    )
    judged = found.judged
    if judged.cause is not None and judged.text:
        raise ModelError(f"the completion was not judged: {judged.cause}")
    first = judged.first_error
    trace.record_metric("genprm_first_error", float(-2 if first is None else first))
    trace.record_metric("genprm_abstained", float(found.abstained))
    return found.reward


@lru_cache
def _options() -> RewardOptions:
    return RewardOptions.from_environment()
