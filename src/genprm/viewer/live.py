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
from genprm.verify.verifier import Verifier
from genprm.viewer.reader import step_view

OpenVerifier = Callable[[], AbstractAsyncContextManager[Verifier]]
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
    """The verifier behind *Try it*: opened when it is first asked, and shared from then on."""

    def __init__(self, open_verifier: OpenVerifier) -> None:
        self._open = open_verifier
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._verifier: Verifier | None = None

    async def verifier(self) -> Verifier:
        """The open verifier."""
        async with self._opening:
            if self._verifier is None:
                self._verifier = await self._stack.enter_async_context(self._open())
            return self._verifier

    async def close(self) -> None:
        """Close the verifier, if it was opened."""
        await self._stack.aclose()

    async def events(self, asked: LiveRequest) -> AsyncGenerator[bytes, None]:
        """Server-sent events: `begin`, a `step` for each verdict, then `done` or `error`."""
        try:
            verifier = await self.verifier()
            judge = verifier.using(replace(verifier.settings, votes=asked.votes))
            yield event("begin", {"model": verifier.model.name, "steps": len(asked.steps)})
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
