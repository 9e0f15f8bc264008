"""Judges a pool as a tree of prefixes, so that equal steps after equal steps are judged once.

Samples of one policy often begin with the same steps, and a verdict depends only on the steps so
far. Each prefix continues a copy of its parent's history, so only distinct steps are judged.
"""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from genprm.concurrency import together
from genprm.policy import Sample
from genprm.problem import Solution
from genprm.verdict import StepVerdict
from genprm.verify.judge import StepHistory, StepJudge

Prefix = tuple[str, ...]
CANDIDATES = 1 << 16  # rows of a run lie this far apart in the verifier's seeds


class Prefixes:
    """The verdicts on a pool's steps, by the steps up to and including the judged one.

    The seeds of a prefix are those of the first sample that has it.
    """

    def __init__(self, judge: StepJudge, samples: Sequence[Sample], *, row: int) -> None:
        self.verdicts: dict[Prefix, StepVerdict] = {}
        self._judge = judge
        self._samples = samples
        self._first: dict[Prefix, int] = {}
        self._children: dict[Prefix, list[Prefix]] = {(): []}
        self._row = row
        self._open: dict[Prefix, StepHistory] = {}
        self._stack = AsyncExitStack()
        for index, sample in enumerate(samples):
            if sample.complete:  # a solution that was cut off has no answer to choose
                self._add(index, sample.steps)

    async def judge_all(self) -> None:
        """Judge every prefix, siblings concurrently."""
        await self._below((), self._judge.begin())

    async def judge(self, prefix: Prefix) -> StepVerdict:
        """Judge one prefix whose parent has been judged; only within the context of this object."""
        if prefix not in self.verdicts:
            parent = self._open[prefix[:-1]] if prefix[:-1] else self._judge.begin()
            history = await parent.copy()
            self._stack.push_async_callback(history.close)
            self._open[prefix] = history
            self.verdicts[prefix] = await self._judged(prefix, history)
        return self.verdicts[prefix]

    def steps(self, sample: Sample) -> tuple[StepVerdict, ...]:
        """The verdicts on a sample's steps, as far as they have been judged."""
        prefixes = (sample.steps[: end + 1] for end in range(len(sample.steps)))
        return tuple(self.verdicts[prefix] for prefix in prefixes if prefix in self.verdicts)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _add(self, index: int, steps: Prefix) -> None:
        for end in range(1, len(steps) + 1):
            if steps[:end] not in self._first:
                self._first[steps[:end]] = index
                self._children[steps[:end]] = []
                self._children[steps[: end - 1]].append(steps[:end])

    async def _below(self, prefix: Prefix, history: StepHistory) -> None:
        """Judge everything that follows a prefix; the last child reuses the prefix's history."""
        children = self._children[prefix]
        if not children:
            await history.close()
            return
        histories = [await history.copy() for _ in children[1:]] + [history]
        await together(map(self._grow, children, histories))

    async def _grow(self, prefix: Prefix, history: StepHistory) -> None:
        try:
            self.verdicts[prefix] = await self._judged(prefix, history)
        except BaseException:
            await history.close()
            raise
        await self._below(prefix, history)

    async def _judged(self, prefix: Prefix, history: StepHistory) -> StepVerdict:
        first = self._first[prefix]
        sample = self._samples[first]
        solution = Solution(sample.problem, sample.steps)  # a judge may look at the steps to come
        return await history.judge_next(solution, row=self._row * CANDIDATES + first)
