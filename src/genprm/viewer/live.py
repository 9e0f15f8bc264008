"""*Try it*: one pasted solution, judged step by step, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from genprm.dataset import MAX_STEPS, Text
from genprm.errors import GenprmError
from genprm.problem import Solution
from genprm.verify.judge import StepJudge
from genprm.viewer.reader import step_view

OpenJudge = Callable[[], AbstractAsyncContextManager[StepJudge]]
MAX_VOTES = 64


class LiveRequest(BaseModel):
    """A solution to judge, in the steps that the person saw."""

    model_config = ConfigDict(extra="forbid")

    problem: Text
    steps: Annotated[list[Text], Field(min_length=1, max_length=MAX_STEPS)]
    votes: Annotated[int, Field(ge=1, le=MAX_VOTES)] = 1


class SplitRequest(BaseModel):
    """A solution's whole text."""

    model_config = ConfigDict(extra="forbid")

    solution: Text


class LiveJudge:
    """The judge behind *Try it*: opened when it is first asked, and shared from then on."""

    def __init__(self, open_judge: OpenJudge) -> None:
        self._open = open_judge
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._judge: StepJudge | None = None

    async def judge(self) -> StepJudge:
        """The open judge."""
        async with self._opening:
            if self._judge is None:
                self._judge = await self._stack.enter_async_context(self._open())
            return self._judge

    async def close(self) -> None:
        """Close the judge, if it was opened."""
        await self._stack.aclose()

    async def events(self, asked: LiveRequest) -> AsyncGenerator[bytes, None]:
        """Server-sent events: `begin`, a `step` for each verdict, then `done` or `error`."""
        try:
            shared = await self.judge()
            judge = shared.using(replace(shared.settings, votes=asked.votes))
            model = judge.spec.model.name if judge.spec.model else judge.spec.judge
            yield event("begin", {"model": model, "steps": len(asked.steps)})
            solution = Solution(asked.problem, tuple(asked.steps))
            async with aclosing(judge.verify_steps(solution)) as verdicts:
                index = 0
                async for verdict in verdicts:
                    view = step_view(asked.steps[index], verdict)
                    yield event("step", {"index": index, "step": dict(view.json_object())})
                    index += 1
        except GenprmError as error:
            yield event("error", {"error": " ".join(str(error).split())})
        else:
            yield event("done", {"judged": index})


def event(name: str, data: dict[str, JsonValue]) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
