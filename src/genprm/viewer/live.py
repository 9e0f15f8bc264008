"""*Try it*: one pasted solution, judged vote by vote, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, suppress
from dataclasses import replace
from typing import Annotated, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from genprm.dataset import MAX_STEPS, Text
from genprm.errors import GenprmError
from genprm.problem import Solution
from genprm.records.record import without_surrogates
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import StepVerdict
from genprm.verify.judge import StepJudge
from genprm.verify.progress import VoteProgress, watching
from genprm.viewer.evidence import mark_step, mark_vote
from genprm.viewer.reader import step_view, vote_view

OpenJudge: TypeAlias = Callable[[], AbstractAsyncContextManager[StepJudge]]
MAX_VOTES = 64


class LiveRequest(BaseModel):
    """A solution to judge, in the steps that the page showed."""

    model_config = ConfigDict(extra="forbid")

    problem: Text
    steps: Annotated[list[Text], Field(min_length=1, max_length=MAX_STEPS)]
    votes: Annotated[int, Field(ge=1, le=MAX_VOTES)] = 1

    @property
    def solution(self) -> Solution:
        """The request as a solution."""
        return Solution(self.problem, tuple(self.steps))


class SplitRequest(BaseModel):
    """A solution's whole text."""

    model_config = ConfigDict(extra="forbid")

    solution: Text


class LiveEvents:
    """The progress of judging a solution, as server-sent events in a queue.

    `begin` names the model; `vote` is a vote so far; `step` is the verdict on a step; the last
    event is `done` or `error`.
    """

    def __init__(self, asked: LiveRequest) -> None:
        self.asked = asked
        self.judged = 0
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    def begin(self, spec: JudgeSpec) -> None:
        """Report that this judge has accepted the solution."""
        model = spec.model.name if spec.model else spec.judge
        self._put("begin", {"model": model, "steps": len(self.asked.steps)})

    def vote(self, progress: VoteProgress) -> None:
        """Report the progress of a vote."""
        vote = progress.vote
        shown = None if vote is None else mark_vote(vote_view(vote)).json_object()
        self._put(
            "vote",
            {
                "step": progress.step,
                "index": progress.index,
                "text": progress.text,
                "running": progress.running,
                "vote": shown and dict(shown),
            },
        )

    def step(self, verdict: StepVerdict) -> None:
        """Report the verdict on a step."""
        shown = mark_step(step_view(self.asked.steps[self.judged], verdict))
        self._put("step", {"index": self.judged, "step": dict(shown.json_object())})
        self.judged += 1

    def done(self) -> None:
        """Report that everything has been judged."""
        self._put("done", {"judged": self.judged})

    def failed(self, error: GenprmError) -> None:
        """Report that judging failed."""
        self._put("error", {"error": " ".join(str(error).split())})

    def _put(self, name: str, data: dict[str, JsonValue]) -> None:
        text = json.dumps(without_surrogates(data))
        self.queue.put_nowait(f"event: {name}\ndata: {text}\n\n".encode())


class LiveJudge(Protocol):
    """Judges a pasted solution: with this process's own judge, or through a service's queue."""

    async def __call__(self, asked: LiveRequest, events: LiveEvents) -> None:
        """Judge the solution, and report the start and every step to `events`.

        Raises:
            GenprmError: it could not be judged.
        """


class OwnJudge:
    """A judge that is opened for the first solution and shared afterwards."""

    def __init__(self, open_judge: OpenJudge) -> None:
        self._open = open_judge
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._judge: StepJudge | None = None

    async def __call__(self, asked: LiveRequest, events: LiveEvents) -> None:
        """Judge a pasted solution."""
        shared = await self._opened()
        judge = shared.using(replace(shared.settings, votes=asked.votes))
        events.begin(judge.spec)
        async with aclosing(judge.verify_steps(asked.solution)) as verdicts:
            async for verdict in verdicts:
                events.step(verdict)

    async def _opened(self) -> StepJudge:
        async with self._opening:
            if self._judge is None:
                self._judge = await self._stack.enter_async_context(self._open())
            return self._judge

    async def close(self) -> None:
        """Close the judge, if it was opened."""
        await self._stack.aclose()


async def live_events(judge: LiveJudge, asked: LiveRequest) -> AsyncGenerator[bytes, None]:
    """The server-sent events of one solution. Closing this generator cancels the judging."""
    events = LiveEvents(asked)

    async def work() -> None:
        try:
            with watching(events.vote):
                await judge(asked, events)
            events.done()
        except GenprmError as error:
            events.failed(error)

    working = asyncio.create_task(work())
    working.add_done_callback(lambda _: events.queue.put_nowait(None))
    try:
        while (event := await events.queue.get()) is not None:
            yield event
        working.result()
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working
