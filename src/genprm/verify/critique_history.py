"""Steps judged by reviews of the whole solution: each vote reads all of it once.

A step's reward is the share of the votes that find no error in it or before it, so the first step
called wrong is the median of the first errors that the votes name. A solution that grows, as in a
search, is reviewed again after each new step.
"""

from contextlib import AsyncExitStack
from dataclasses import replace

from genprm.concurrency import together
from genprm.problem import Solution
from genprm.verdict import StepVerdict
from genprm.verify.casting import Tools, vote_seed
from genprm.verify.critique_format import critique_messages
from genprm.verify.critique_session import WholeVote, critique_solution
from genprm.verify.history import History, Namespace
from genprm.verify.judge import StepHistory
from genprm.verify.progress import VoteProgress, tell
from genprm.verify.voting import next_batch


class CritiqueHistory(StepHistory):
    """The number of judged steps, and the reviews of the solution that they belong to."""

    def __init__(self, tools: Tools, judged: int = 0) -> None:
        self._tools = tools
        self._judged = judged
        self._reviewed: Solution | None = None
        self._votes: list[WholeVote] = []

    async def judge_next(self, solution: Solution, *, row: int = 0) -> StepVerdict:
        """What the reviews say about the next step; if there are none, they are written first."""
        step = self._judged
        fresh = self._reviewed is None or self._reviewed.steps != solution.steps
        if fresh:
            self._votes = await self._review(solution, row)
            self._reviewed = solution
        self._judged += 1
        votes = tuple(vote.on_step(step, first=fresh) for vote in self._votes)
        model = self._tools.model.identity
        return StepVerdict(votes, self._tools.settings.votes, model=model)

    async def follow(self, verdict: StepVerdict | None) -> None:
        """Count the step as judged; reviews do not use another judge's verdict."""
        self._judged += 1

    async def copy(self) -> "CritiqueHistory":
        """The same reviews, independent of this history from now on."""
        twin = CritiqueHistory(self._tools, self._judged)
        twin._reviewed, twin._votes = self._reviewed, self._votes
        return twin

    async def close(self) -> None:
        """Nothing to release."""

    async def _review(self, solution: Solution, row: int) -> list[WholeVote]:
        settings = self._tools.settings
        messages = critique_messages(solution.problem, solution.steps)
        prompt = self._tools.model.render(messages, generation_prompt=True)
        votes: list[WholeVote] = []
        while batch := self._next_batch(votes, len(solution.steps)):
            seeds = [
                vote_seed(settings.seed, row, self._judged, vote)
                for vote in range(len(votes), len(votes) + batch)
            ]
            votes += await together(
                self._cast(prompt, solution, VoteProgress(self._judged, len(votes) + at), seed)
                for at, seed in enumerate(seeds)
            )
        return votes

    def _next_batch(self, votes: list[WholeVote], steps: int) -> int:
        """How many more votes could still change the label of a step."""
        settings = self._tools.settings
        rewards = (
            [vote.on_step(step, first=False).reward for vote in votes]
            for step in range(self._judged, steps)
        )
        return max(
            next_batch(
                [reward for reward in on_step if reward is not None],
                len(votes),
                settings.votes,
                settings.adaptive,
                settings.error_rate,
            )
            for on_step in rewards
        )

    async def _cast(
        self, prompt: str, solution: Solution, place: VoteProgress, seed: int
    ) -> WholeVote:
        model, settings = self._tools.model, self._tools.settings
        session = critique_solution(
            prompt,
            steps=len(solution.steps),
            limits=settings.limits,
            context_length=model.context_length,
            prompt_format=settings.prompt_format,
            literal=model.literal,
        )
        async with AsyncExitStack() as stack:
            namespace = Namespace(History(self._tools.sandbox))
            stack.push_async_callback(namespace.close)
            whole, seconds = await self._tools.cast(session, prompt, place, seed, namespace)
        turn = replace(whole.turn, usage=replace(whole.turn.usage, seconds=seconds))
        whole = replace(whole, turn=turn)
        vote = whole.on_step(place.step, first=True)
        tell(replace(place, text=vote.text, vote=vote))
        return whole
