"""The async driver: solutions x steps x votes.

Solutions run concurrently, votes on a step run concurrently, steps run in order. The votes on
step t share the history of one representative vote per earlier step, so the engine's prefix
cache serves all of them, and each works in its own copy of that history's namespace.
"""

import time
from contextlib import AsyncExitStack
from dataclasses import replace

from genprm.concurrency import together
from genprm.model import Model
from genprm.problem import Solution
from genprm.records.record import json_object
from genprm.records.run_spec import JudgeSpec
from genprm.sandbox import SandboxBackend
from genprm.verdict import StepVerdict, Vote
from genprm.verify.casting import Tools, vote_seed
from genprm.verify.critique_history import CritiqueHistory
from genprm.verify.format import Mode
from genprm.verify.history import History, Namespace
from genprm.verify.judge import Clock, StepHistory, StepJudge
from genprm.verify.progress import VoteProgress, tell
from genprm.verify.session import vote_on_step
from genprm.verify.settings import Settings
from genprm.verify.turn import Stage
from genprm.verify.voting import next_batch, representative


class Verifier(StepJudge):
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
        clock: Clock = time.perf_counter,
    ) -> None:
        self.model = model
        self.sandbox = sandbox
        self.settings = settings
        self.clock = clock

    def using(self, settings: Settings) -> "Verifier":
        """The same judge under other settings."""
        return Verifier(self.model, self.sandbox, settings, clock=self.clock)

    @property
    def spec(self) -> JudgeSpec:
        """The model's identity and the settings."""
        return JudgeSpec(
            judge="genprm", model=self.model.identity, settings=json_object(self.settings)
        )

    def begin(self) -> StepHistory:
        """A history for a solution of which nothing has been judged yet."""
        if self.settings.mode is Mode.CRITIQUE:
            return CritiqueHistory(self._tools)
        return VerifierHistory(self, History(self.sandbox))

    async def judge_next(self, solution: Solution, history: History, *, row: int) -> StepVerdict:
        """Judge the first step that `history` holds no turn for, and add its turn."""
        settings, step = self.settings, len(history.turns)
        chat = settings.prompt_format.messages(
            solution.problem, solution.steps, history.turns, mode=settings.mode
        )
        form = settings.prompt_format
        prompt = self.model.render(chat, generation_prompt=form.marks_assistant)
        votes: list[Vote] = []
        async with AsyncExitStack() as namespaces:
            copies: list[Namespace] = []
            while batch := next_batch(
                [vote.reward for vote in votes if vote.reward is not None],
                len(votes),
                settings.votes,
                settings.adaptive,
                settings.error_rate,
            ):
                asked = range(len(votes), len(votes) + batch)
                copies += [Namespace(history) for _ in asked]
                for vote in asked:
                    namespaces.push_async_callback(copies[vote].close)
                votes += await together(
                    self._vote(
                        prompt,
                        VoteProgress(step, vote),
                        vote_seed(settings.seed, row, step, vote),
                        copies[vote],
                    )
                    for vote in asked
                )
            verdict = StepVerdict(tuple(votes), settings.votes, model=self.model.identity)
            kept = representative(verdict)
            if kept is None:
                history.skip()
            else:
                await history.extend(votes[kept], copies[kept])
        return verdict

    def vote_session(self, prompt: str, step: int) -> Stage[Vote]:
        """The protocol of one vote on step `step` (from 1). Override it for a mode of your own."""
        return vote_on_step(
            prompt,
            step=step,
            mode=self.settings.mode,
            limits=self.settings.limits,
            context_length=self.model.context_length,
            prompt_format=self.settings.prompt_format,
            literal=self.model.literal,
        )

    async def _vote(
        self, prompt: str, place: VoteProgress, seed: int, namespace: Namespace
    ) -> Vote:
        session = self.vote_session(prompt, place.step + 1)
        vote, seconds = await self._tools.cast(session, prompt, place, seed, namespace)
        vote = replace(vote, usage=replace(vote.usage, seconds=seconds))
        tell(replace(place, text=vote.text, vote=vote))
        return vote

    @property
    def _tools(self) -> Tools:
        return Tools(self.model, self.sandbox, self.settings, self.clock)


class VerifierHistory(StepHistory):
    """The kept turns of a solution, and the namespace after their code."""

    def __init__(self, verifier: Verifier, history: History) -> None:
        self._verifier = verifier
        self._history = history

    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """Cast the votes on the next step; the first one that agrees with the label is kept."""
        return await self._verifier.judge_next(solution, self._history, row=row)

    async def follow(self, verdict: StepVerdict | None) -> None:
        """Keep another judge's turn; its code is run again in this namespace."""
        kept = None if verdict is None else representative(verdict)
        if verdict is None or kept is None:
            self._history.skip()
        else:
            await self._history.adopt(verdict.votes[kept], self._verifier.settings.code_timeout)

    async def copy(self) -> "VerifierHistory":
        """The same turns and an independent namespace."""
        return VerifierHistory(self._verifier, await self._history.copy())

    async def close(self) -> None:
        """Discard the namespace. Idempotent."""
        await self._history.close()
