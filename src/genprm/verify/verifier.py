"""The async driver: solutions x steps x votes.

Solutions run concurrently, votes on a step run concurrently, steps run in order. The votes on
step t share the history of one representative vote per earlier step, so the engine's prefix
cache serves all of them, and each works in its own copy of that history's namespace.
"""

import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import starmap
from typing import TypeAlias

from genprm.concurrency import as_finished, together
from genprm.errors import ContextExceeded
from genprm.model import Model, Sampling
from genprm.problem import Solution
from genprm.sandbox import SandboxBackend
from genprm.verdict import SolutionVerdict, StepVerdict, Vote, total
from genprm.verify import session as protocol
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.history import History, Namespace
from genprm.verify.session import Limits
from genprm.verify.voting import ERROR_RATE, Adaptive, next_wave, representative

OnStep: TypeAlias = Callable[[int, StepVerdict], None]


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides a verdict besides the model; a run's journal records it."""

    mode: Mode = Mode.GENPRM
    votes: int = 1
    adaptive: Adaptive = Adaptive.OFF
    error_rate: float = ERROR_RATE  # of the adaptive rule `confident`
    stop_at_first_error: bool = False
    sampling: Sampling = Sampling()
    seed: int = 0
    limits: Limits = Limits()
    code_timeout: float = 5.0  # seconds per block
    prompt_format: PromptFormat = PromptFormat()


class Verifier:
    """Judges solutions with one model and one sandbox.

    >>> async with ForkServer() as sandbox:
    ...     verifier = Verifier(model, sandbox, Settings(votes=8))
    ...     verdict = await verifier.verify(Solution("1 + 1 =", ("1 + 1 = 3",)))
    ...     verdict.first_error
    0
    """

    def __init__(
        self,
        model: Model,
        sandbox: SandboxBackend,
        settings: Settings = Settings(),
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.model = model
        self.sandbox = sandbox
        self.settings = settings
        self.clock = clock

    def using(self, settings: Settings) -> "Verifier":
        """The same judge under other settings."""
        return Verifier(self.model, self.sandbox, settings, clock=self.clock)

    async def verify(
        self, solution: Solution, *, row: int = 0, on_step: OnStep | None = None
    ) -> SolutionVerdict:
        """Judge one solution. `row` is its place in a run: seeds come from (seed, row, step, vote).

        `on_step(row, verdict)` is called for each step as soon as its verdict stands.

        Raises:
            ModelError, SandboxError: the engine or the sandbox failed for good.
        """
        start = self.clock()
        steps: list[StepVerdict] = []
        async for step in self.verify_steps(solution, row=row):
            steps.append(step)
            if on_step is not None:
                on_step(row, step)
        spent = total(step.usage for step in steps)
        return SolutionVerdict(
            solution.id, tuple(steps), replace(spent, seconds=self.clock() - start)
        )

    async def verify_many(
        self,
        solutions: Iterable[tuple[int, Solution]],
        *,
        concurrency: int = 16,
        on_step: OnStep | None = None,
    ) -> AsyncGenerator[tuple[int, SolutionVerdict], None]:
        """Judge many (row, solution) pairs, `concurrency` at a time; pairs come as they finish."""

        async def judge(row: int, solution: Solution) -> tuple[int, SolutionVerdict]:
            return row, await self.verify(solution, row=row, on_step=on_step)

        async with aclosing(as_finished(starmap(judge, solutions), concurrency)) as verdicts:
            async for pair in verdicts:
                yield pair

    async def verify_steps(
        self, solution: Solution, *, row: int = 0
    ) -> AsyncGenerator[StepVerdict, None]:
        """The verdicts on a solution's steps, each as soon as it stands."""
        async with self.begin() as history:
            for _ in solution.steps:
                verdict = await self.judge_next(solution, history, row=row)
                yield verdict
                if verdict.label is False and self.settings.stop_at_first_error:
                    return

    def begin(self) -> History:
        """The history of a solution of which nothing has been judged."""
        return History(self.sandbox)

    async def judge_next(
        self, solution: Solution, history: History, *, row: int = 0
    ) -> StepVerdict:
        """Judge the first step that `history` holds no turn for, and add its turn.

        Whoever builds a solution step by step (a search, a cascade) judges it as it grows.
        """
        settings, step = self.settings, len(history.turns)
        chat = settings.prompt_format.messages(
            solution.problem, solution.steps, history.turns, mode=settings.mode
        )
        prompt = self.model.render(chat, generation_prompt=settings.prompt_format.assistant_marker)
        votes: list[Vote] = []
        async with AsyncExitStack() as namespaces:
            copies: list[Namespace] = []
            while wave := next_wave(
                [vote.reward for vote in votes if vote.reward is not None],
                len(votes),
                settings.votes,
                settings.adaptive,
                settings.error_rate,
            ):
                asked = range(len(votes), len(votes) + wave)
                copies += [Namespace(history) for _ in asked]
                for vote in asked:
                    namespaces.push_async_callback(copies[vote].close)
                votes += await together(
                    self._vote(
                        prompt, step, vote_seed(settings.seed, row, step, vote), copies[vote]
                    )
                    for vote in asked
                )
            verdict = StepVerdict(tuple(votes), settings.votes)
            kept = representative(verdict)
            if kept is None:
                history.skip()
            else:
                await history.extend(votes[kept], copies[kept])
        return verdict

    async def _vote(self, prompt: str, step: int, seed: int, namespace: Namespace) -> Vote:
        start = self.clock()
        session = protocol.vote_on_step(
            prompt,
            step=step + 1,
            mode=self.settings.mode,
            limits=self.settings.limits,
            context_length=self.model.context_length,
            prompt_format=self.settings.prompt_format,
        )
        try:
            action = next(session)
            while True:
                try:
                    result = await self._perform(action, seed, namespace)
                except ContextExceeded as error:
                    action = session.throw(error)
                else:
                    action = session.send(result)
                seed += 1
        except StopIteration as end:
            vote: Vote = end.value
        usage = replace(vote.usage, seconds=self.clock() - start)
        return replace(vote, usage=usage)

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


def vote_seed(run_seed: int, row: int, step: int, vote: int) -> int:
    """The seed of a vote's first request; later ones count up from it. Fits 31 bits with room."""
    digest = blake2b(f"{run_seed}/{row}/{step}/{vote}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) >> 2
