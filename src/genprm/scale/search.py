"""Guide: the verifier judges every step as it is written, and only good ones are continued.

    beam   the best `beams` of all children are continued (step-level beam search)
    dvts   `beams` independent trees, in each of which the best child is continued (diverse
           verifier tree search): less greedy, more varied answers

With `lookahead` k, a child is valued by the rewards up to the end of k more greedy steps, which
are then discarded. Equal steps below a node are one node and judged once. A complete solution
keeps its place among the beams.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum

from genprm.concurrency import together
from genprm.model import GREEDY
from genprm.policy import Policy, Sample
from genprm.problem import Problem, Solution
from genprm.records.pools import Cost
from genprm.scale.budget import Budget, total
from genprm.scale.methods import Strategy
from genprm.scale.pool import sample_seed
from genprm.scale.prefixes import CANDIDATES
from genprm.scale.tree import Node, Tree
from genprm.verify.aggregate import Aggregate
from genprm.verify.judge import StepHistory, StepJudge


class SearchEnd(StrEnum):
    """Why a search ended."""

    COMPLETE = "complete"  # every beam holds a whole solution
    DEPTH = "depth"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """Everything that decides a search, apart from the models."""

    strategy: Strategy = Strategy.BEAM
    beams: int = 4  # solutions that grow at the same time
    branch: int = 4  # next steps sampled for each of them
    lookahead: int = 0
    max_steps: int = 40
    score: Aggregate = Aggregate.MIN
    seed: int = 0
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: whole solutions, the best first, and the tree that they are part of.

    If a limit ended the search before any solution was complete, the policy finished the best one
    without the verifier; `unguided` is that rest.
    """

    tree: Tree
    leaves: tuple[Node, ...]
    unguided: Sample | None
    ended: SearchEnd

    @property
    def cost(self) -> Cost:
        """The cost of all nodes, kept or not."""
        rest = Cost(policy=self.unguided.usage) if self.unguided else Cost()
        return total(node.cost for node in self.tree.nodes) + rest


class Searcher:
    """Searches with one policy and one judge."""

    def __init__(self, policy: Policy, judge: StepJudge, settings: SearchSettings) -> None:
        self.policy = policy
        self.judge = judge
        self.settings = settings
        greedy = replace(policy.settings, sampling=GREEDY)
        self._greedy = Policy(policy.model, greedy)

    async def search(self, problem: Problem, *, row: int = 0) -> Found:
        """Build a tree until every beam is complete or a limit is reached.

        Raises:
            ModelError, SandboxError: as the policy's and the verifier's.
        """
        tree, settings = Tree(), self.settings
        frontier, leaves = [tree.nodes[0]], list[Node]()
        ended = SearchEnd.COMPLETE
        async with self._histories() as histories:
            while frontier:
                if len(frontier[0].steps) >= settings.max_steps:
                    ended = SearchEnd.DEPTH
                    break
                if settings.budget.exhausted(total(node.cost for node in tree.nodes)):
                    ended = SearchEnd.BUDGET
                    break
                grown = await self._expand(tree, frontier, problem, row)
                await together(self._value(tree, node, problem, row, histories) for node in grown)
                kept = select(grown, settings.strategy, settings.beams - len(leaves))
                for node in kept:
                    node.kept = True
                leaves += [node for node in kept if node.complete]
                frontier = [node for node in kept if not node.complete]
                await histories.keep(frontier)
        leaves.sort(key=_by_value)
        unguided = None
        if not leaves:
            best = min(frontier, key=_by_value) if frontier else tree.nodes[0]
            seed = sample_seed(settings.seed, row, 0, best.id)
            unguided = await self.policy.solve(problem.text, steps=best.steps, seed=seed)
        return Found(tree, tuple(leaves), unguided, ended)

    async def _expand(
        self, tree: Tree, frontier: Sequence[Node], problem: Problem, row: int
    ) -> list[Node]:
        """Sample the next steps below every node of the frontier, all at once."""
        settings = self.settings
        asked = [
            (node, child)
            for node in frontier
            for child in range(settings.branch * (1 if node.id else settings.beams))
        ]
        samples = await together(
            self.policy.next_step(
                problem.text,
                steps=node.steps,
                seed=sample_seed(settings.seed, row, child, *([node.id] if node.id else [])),
            )
            for node, child in asked
        )
        found: dict[tuple[int, int, tuple[str, ...]], Node] = {}
        for (node, child), sample in zip(asked, samples, strict=True):
            subtree = node.subtree if node.id else self._subtree(child)
            complete = sample.complete or len(sample.steps) == len(node.steps)
            twin = found.get((node.id, subtree, sample.steps))
            if twin is None:
                twin = tree.grow(
                    node, sample.steps, complete=complete, seed=sample.seed, subtree=subtree
                )
                found[node.id, subtree, sample.steps] = twin
            else:
                twin.count += 1
            twin.cost += Cost(policy=sample.usage)
        return list(found.values())

    def _subtree(self, child: int) -> int:
        return child // self.settings.branch if self.settings.strategy is Strategy.DVTS else 0

    async def _value(
        self, tree: Tree, node: Node, problem: Problem, row: int, histories: "_Histories"
    ) -> None:
        """Judge the node's step, and look ahead from it."""
        assert node.parent is not None
        if node.steps == tree.nodes[node.parent].steps:  # the policy had nothing to add
            node.verdict, node.value = (
                tree.nodes[node.parent].verdict,
                tree.nodes[node.parent].value,
            )
            return
        history = await histories.begin(node)
        place = row * CANDIDATES + node.id
        solution = Solution(problem.text, node.steps)
        node.verdict = await history.judge_next(solution, row=place)
        node.cost += Cost(verifier=node.verdict.usage)
        rewards = tree.rewards(node)
        if self.settings.lookahead and not node.complete:
            rewards += await self._look_ahead(node, problem, history, place)
        node.value = self.settings.score.score(rewards)

    async def _look_ahead(
        self, node: Node, problem: Problem, history: StepHistory, place: int
    ) -> list[float | None]:
        """The rewards of the next steps, which are written greedily and not kept."""
        steps, rewards = node.steps, list[float | None]()
        async with await history.copy() as beyond:
            for _ in range(self.settings.lookahead):
                sample = await self._greedy.next_step(problem.text, steps=steps, seed=node.seed)
                node.cost += Cost(policy=sample.usage)
                if len(sample.steps) == len(steps):
                    break
                steps = sample.steps
                solution = Solution(problem.text, steps)
                verdict = await beyond.judge_next(solution, row=place)
                node.cost += Cost(verifier=verdict.usage)
                rewards.append(verdict.reward)
                if sample.complete:
                    break
        return rewards

    @asynccontextmanager
    async def _histories(self) -> AsyncGenerator["_Histories", None]:
        histories = _Histories(self.judge.begin())
        try:
            yield histories
        finally:
            await histories.keep([])


def select(nodes: Sequence[Node], strategy: Strategy, beams: int) -> list[Node]:
    """The nodes to continue from: the best `beams` of all, or the best one of each subtree.

    Nodes without a value come last; among equals, the earlier node is taken.
    """
    ranked = sorted(nodes, key=_by_value)
    if strategy is Strategy.BEAM:
        return ranked[:beams]
    firsts: dict[int, Node] = {}
    for node in ranked:
        firsts.setdefault(node.subtree, node)
    return list(firsts.values())


def _by_value(node: Node) -> tuple[bool, float, int]:
    return node.value is None, -(node.value or 0.0), node.id


class _Histories:
    """The verifier's history at each node that may still be continued."""

    def __init__(self, root: StepHistory) -> None:
        self._open = {0: root}

    async def begin(self, node: Node) -> StepHistory:
        """A copy of the parent's history, with which the node's step is judged."""
        assert node.parent is not None
        history = self._open[node.id] = await self._open[node.parent].copy()
        return history

    async def keep(self, nodes: Sequence[Node]) -> None:
        """Close the histories of all other nodes."""
        kept = {node.id for node in nodes}
        for id in list(self._open.keys() - kept):
            await self._open.pop(id).close()
