"""A judge behind `genprm serve`: judge on a laptop with the verifier of a machine with a GPU."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn

from genprm.client.awaited import AsyncClient
from genprm.errors import InputError, ModelError, RequestFailed
from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.records.verdicts import VerdictRow
from genprm.verdict import SolutionVerdict, StepVerdict
from genprm.verify.judge import OnStep, StepHistory, StepJudge
from genprm.verify.settings import Settings

PREFIX = "service:"  # of a model's name


class RemoteJudge(StepJudge):
    """Judges whole solutions with the verdicts that the service's own judge gives.

    Seeds are derived as in process, so the rows are the same, too.

    Args:
        client: a client of the service; the caller closes it.
        served: the service's judge, as returned by `AsyncClient.judge`.
        settings: the settings sent with every request; the service's own are not used.
    """

    def __init__(self, client: AsyncClient, served: JudgeSpec, settings: Settings) -> None:
        self.settings = settings
        self.clock = time.perf_counter
        self._client = client
        self._served = served

    @property
    def spec(self) -> JudgeSpec:
        """The service's judge under these settings, so that a run can be continued in process."""
        if not self._served.settings:  # a cascade's settings are its parts'
            return self._served
        return self._served.model_copy(update={"settings": json_object(self.settings)})

    def using(self, settings: Settings) -> "RemoteJudge":
        """The same service under other settings."""
        return RemoteJudge(self._client, self._served, settings)

    async def verify(
        self, solution: Solution, *, row: int = 0, on_step: OnStep | None = None
    ) -> SolutionVerdict:
        """As `StepJudge.verify`.

        Raises:
            RequestFailed: the service could not judge this solution.
            InputError: it refuses the settings.
            ModelError: it cannot be reached, or its engine is gone.
        """
        finished: VerdictRow | None = None
        async for event in self._client.stream([solution], rows=[row], **options(self.settings)):
            if isinstance(event, VerdictRow):
                finished = event
            elif on_step is not None:
                on_step(row, event.verdict.verdict())
        if finished is None:
            raise ModelError(
                f"{self._client.url}: the stream ended without a verdict; fix: ask again"
            )
        if finished.failed is not None and not finished.steps:
            raise RequestFailed(f"{self._client.url}: {finished.failed}")
        steps = tuple(step.verdict() for step in finished.steps)
        return SolutionVerdict(solution.id, steps, finished.usage)

    async def judge_pool(
        self, problem: str, samples: Sequence[Sequence[str]], *, row: int
    ) -> list[tuple[StepVerdict, ...]]:
        """The verdicts on a pool's steps, for `genprm rank`; () for a sample without steps.

        Raises:
            As `verify`.
        """
        asked = options(self.settings)
        reply = await self._client.pool(problem, samples, row=row, **asked)
        if reply.failed is not None:
            raise RequestFailed(f"{self._client.url}: {reply.failed}")
        if [len(steps) for steps in reply.samples] != [len(steps) for steps in samples]:
            raise RequestFailed(
                f"{self._client.url}: the reply does not have a verdict for each step of the "
                f"{len(samples)} samples; fix: check that the address is a genprm service"
            )
        return [tuple(step.verdict() for step in steps) for steps in reply.samples]

    def begin(self) -> StepHistory:
        """Raise, because a service judges only whole solutions and pools of them.

        Raises:
            InputError: always.
        """
        _refuse()


def options(settings: Settings) -> dict[str, object]:
    """The settings as fields of a request."""
    return {
        "mode": settings.mode.value,
        "votes": settings.votes,
        "adaptive": settings.adaptive.value,
        "error_rate": settings.error_rate,
        "stop_at_first_error": settings.stop_at_first_error,
        "seed": settings.seed,
        **asdict(settings.sampling),
        "max_tokens": settings.limits.tokens,
        "thought_tokens": settings.limits.thought_tokens,
        "code_rounds": settings.limits.code_rounds,
        "code_timeout": settings.code_timeout,
        **asdict(settings.prompt_format),
    }


def _refuse() -> NoReturn:
    raise InputError(
        "a service judges whole solutions, and this command judges steps as they are written; "
        "fix: use genprm verify, or genprm rank without --early-abandon, or pass the address of "
        "the engine behind the service as --model"
    )
