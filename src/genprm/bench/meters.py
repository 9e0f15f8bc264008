"""A model that records the requests made to it, and a replay of them without the driver."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias

from genprm.model import Choice, Completion, Model, Sampling, WrappedModel


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the engine, with everything that is needed to repeat it."""

    prompt: str
    stop: tuple[str, ...] = ()
    max_tokens: int = 0
    sampling: Sampling = Sampling()
    seed: int | None = None
    options: tuple[str, ...] = ()  # of a choice; empty for a completion


Votes: TypeAlias = dict[int, list[Call]]
"""The calls of each vote on one step, by the task that cast it."""

ROW: ContextVar[int] = ContextVar("row")
"""The solution that the running task belongs to."""


class MeteredModel(WrappedModel):
    """A model that records requests by solution, step and vote; one at a time if `serial`.

    A request that the engine refuses (a prompt longer than its context, say) is not noted: the
    vote on it abstains, and the same request made again would be refused again.
    """

    def __init__(self, model: Model, *, serial: bool = False) -> None:
        super().__init__(model)
        self._turn = asyncio.Semaphore(1 if serial else 1_000_000)
        self.tokens_out = 0
        self.steps: dict[int, list[Votes]] = defaultdict(lambda: [{}])

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`."""
        async with self._turn:
            done = await self._model.complete(
                prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed
            )
        self._note(Call(prompt, tuple(stop), max_tokens, sampling, seed))
        self.tokens_out += done.tokens_out
        return done

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`; the judgement counts as a token."""
        async with self._turn:
            choice = await self._model.choose(prompt, options)
        self._note(Call(prompt, options=tuple(options)))
        self.tokens_out += 1
        return choice

    async def close(self) -> None:
        """Do nothing: the model belongs to the caller."""

    def _note(self, call: Call) -> None:
        votes = self.steps[ROW.get()][-1]
        votes.setdefault(id(asyncio.current_task()), []).append(call)

    def next_step(self, row: int) -> None:
        """Count later requests of this solution for its next step."""
        self.steps[row].append({})


async def replay(model: Model, steps: Sequence[Votes]) -> int:
    """Repeat the requests of one solution, and return the number of generated tokens.

    All votes on a step run at once, the calls of a vote one after the other, and the next step
    starts when all votes are finished: the dependencies of the protocol, without other work.
    """
    return sum([sum(await asyncio.gather(*map(_vote(model), step.values()))) for step in steps])


def _vote(model: Model) -> Callable[[Sequence[Call]], Awaitable[int]]:
    async def cast(calls: Sequence[Call]) -> int:
        tokens = 0
        for call in calls:
            if call.options:
                await model.choose(call.prompt, call.options)
                tokens += 1
                continue
            done = await model.complete(
                call.prompt,
                stop=call.stop,
                max_tokens=call.max_tokens,
                sampling=call.sampling,
                seed=call.seed,
            )
            tokens += done.tokens_out
        return tokens

    return cast
