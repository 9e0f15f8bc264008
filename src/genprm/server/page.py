"""The page of the service: *Try it* goes through the service's queue and limits."""

from contextlib import aclosing

from genprm.errors import InputError
from genprm.server.errors import Refusal
from genprm.server.judging import Judging
from genprm.server.requests import VerifyRequest
from genprm.verdict import StepVerdict
from genprm.viewer.live import LiveEvents, LiveRequest


class QueuedJudge:
    """Judges a pasted solution in turn with the requests of other clients."""

    def __init__(self, judging: Judging) -> None:
        self._judging = judging

    async def __call__(self, asked: LiveRequest, events: LiveEvents) -> None:
        """Judge a pasted solution.

        Raises:
            InputError: a limit is passed, the queue is full, the judge failed, or the service ends.
        """
        try:
            await self._judge(asked, events)
        except Refusal as refusal:
            detail = refusal.detail
            place = f"{detail.field}: " if detail.field else ""
            raise InputError(f"{place}{detail.message}; fix: {detail.fix}") from None

    async def _judge(self, asked: LiveRequest, events: LiveEvents) -> None:
        body = VerifyRequest.model_validate(asked.model_dump())
        job = self._judging.job(body, body.asked, single=True)

        def on_step(_: int, verdict: StepVerdict) -> None:
            events.step(verdict)

        async def judge() -> None:
            async with aclosing(job.each(on_step)) as finished:
                async for _, judged in finished:
                    if judged.failed is not None:
                        raise judged.failed

        events.begin(self._judging.judge.spec)
        await self._judging.until_stopped(judge())
