"""Casts one vote: a model and the vote's namespace do what its protocol asks for."""

import time
from dataclasses import dataclass, replace
from typing import TypeVar

from genprm.errors import RequestFailed
from genprm.model import Model
from genprm.sandbox import SandboxBackend
from genprm.seeds import seed_of
from genprm.verify import turn as protocol
from genprm.verify.history import Namespace
from genprm.verify.judge import Clock
from genprm.verify.progress import VoteProgress, tell
from genprm.verify.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tools:
    """What is needed to cast votes."""

    model: Model
    sandbox: SandboxBackend
    settings: Settings
    clock: Clock = time.perf_counter

    async def cast(
        self,
        session: protocol.Stage[T],
        prompt: str,
        place: VoteProgress,
        seed: int,
        namespace: Namespace,
    ) -> tuple[T, float]:
        """Run the protocol; return its result and the seconds it took. Observers are notified.

        `prompt` is the prompt that the session was given. Its first request has the seed `seed`,
        and later ones count up from it.
        """
        start = self.clock()
        try:
            action = next(session)
            while True:
                tell(_so_far(place, action, len(prompt)))
                try:
                    result = await self._perform(action, seed, namespace)
                except RequestFailed as error:
                    action = session.throw(error)
                else:
                    action = session.send(result)
                seed += 1
        except StopIteration as end:
            cast: T = end.value
        return cast, self.clock() - start

    async def _perform(
        self, action: protocol.Action, seed: int, namespace: Namespace
    ) -> protocol.Result:
        match action:
            case protocol.Generate(prompt, stop, max_tokens):
                return await self.model.complete(
                    prompt,
                    stop=stop,
                    max_tokens=max_tokens,
                    sampling=self.settings.sampling,
                    seed=seed,
                )
            case protocol.Execute(code):
                return await namespace.run(code, self.settings.code_timeout)
            case protocol.Judge(prompt, options):
                return await self.model.choose(prompt, options)


def _so_far(place: VoteProgress, action: protocol.Action, prompt: int) -> VoteProgress:
    """What a vote has written when it asks for an action; `prompt` is the prompt's length."""
    match action:
        case protocol.Execute(code):
            return replace(place, running=code)
        case protocol.Generate(text, _, _) | protocol.Judge(text, _):
            return replace(place, text=text[prompt:])


def vote_seed(run_seed: int, row: int, step: int, vote: int) -> int:
    """The seed of a vote's first request; later requests count up from it. It is below 2^31."""
    return seed_of(run_seed, row, step, vote, bits=30)
