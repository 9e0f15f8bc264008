"""Stage 2, rollouts: completions of step prefixes, counted (spec §3.2, 3.3).

A row is a prefix. Paths of one problem often begin alike: a prefix they share is sampled once.
The completions of a prefix are asked for together, so that the engine's cache serves them, and a
problem's paths are walked step by step, so that what a zero decides is never sampled.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from fractions import Fraction
from hashlib import blake2b

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import as_finished, together
from genprm.curate.folder import KEY, Row, StageJournal, draw_seed
from genprm.curate.recipe import Rollouts
from genprm.curate.scores import Score, Scores, completions, estimate, replay
from genprm.curate.solutions import Path, Paths
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.verdict import total


@dataclass(frozen=True, slots=True)
class Tree:
    """A problem with the paths that were kept of it."""

    problem: Problem
    paths: tuple[Path, ...]
    pass_at_1: Fraction

    def key(self, prefix: Sequence[str]) -> str:
        """What names a prefix in the journal: the same for every path that begins with it."""
        text = "\0".join(prefix).encode()
        return f"{self.problem.id}:{len(prefix)}:{blake2b(text, digest_size=8).hexdigest()}"


def trees(problems: Iterable[Problem], paths: Mapping[str, Paths]) -> list[Tree]:
    """The problems that gave right and wrong paths."""
    return [
        Tree(problem, paths[problem.id].paths, paths[problem.id].pass_at_1)
        for problem in problems
        if paths[problem.id].dropped is None
    ]


def path_scores(
    tree: Tree, path: Path, settings: Rollouts, stored: Mapping[str, Score]
) -> tuple[Scores, list[str]]:
    """The scores of a path's steps [T] from stored prefixes; also the keys that they needed."""
    estimation = estimate(settings.estimator, len(path.steps), right=path.right)
    scores, lengths = replay(estimation, lambda n: stored[tree.key(path.steps[:n])])
    return scores, [tree.key(path.steps[:n]) for n in lengths]


def score_of(row: Row) -> Score:
    """A row's score."""
    return Score(row["hits"], row["hits"] + row["misses"])


def row_order(forest: Sequence[Tree], settings: Rollouts, stored: Mapping[str, Score]) -> list[str]:
    """Keys of all prefixes, each once, in the order of problems, paths and steps."""
    keys = (
        key
        for tree in forest
        for path in tree.paths
        for key in path_scores(tree, path, settings, stored)[1]
    )
    return list(dict.fromkeys(keys))


async def score_prefixes(
    forest: Sequence[Tree],
    policy: Policy,
    checker: AnswerChecker,
    settings: Rollouts,
    *,
    seed: int,
    journal: StageJournal,
    on_problem: Callable[[], None] = lambda: None,
) -> None:
    """Score every prefix that the estimator needs; each is journalled as it finishes.

    Raises:
        ModelError: the completer's engine failed for good.
    """
    stored = {row[KEY]: score_of(row) for row in journal.rows()}
    sampler = _Sampler(policy, checker, settings, seed, journal)

    async def walk(tree: Tree) -> None:
        scored: dict[str, asyncio.Task[Score]] = {}
        try:
            await together(climb(tree, path, scored) for path in tree.paths)
        finally:
            for task in scored.values():
                task.cancel()
            await asyncio.gather(*scored.values(), return_exceptions=True)
        on_problem()

    async def climb(tree: Tree, path: Path, scored: dict[str, asyncio.Task[Score]]) -> None:
        estimation = estimate(settings.estimator, len(path.steps), right=path.right)
        try:
            length = next(estimation)
            while True:
                prefix = path.steps[:length]
                key = tree.key(prefix)
                if key not in stored and key not in scored:
                    scored[key] = asyncio.create_task(sampler.score(tree, prefix))
                score = stored[key] if key in stored else await scored[key]
                length = estimation.send(score)
        except StopIteration:
            return

    async with aclosing(as_finished(map(walk, forest), settings.concurrency)) as walks:
        async for _ in walks:
            pass


class _Sampler:
    """Completes prefixes and counts; bounds the requests in flight over all problems."""

    def __init__(
        self,
        policy: Policy,
        checker: AnswerChecker,
        settings: Rollouts,
        seed: int,
        journal: StageJournal,
    ) -> None:
        self._policy = policy
        self._checker = checker
        self._settings = settings
        self._seed = seed
        self._journal = journal
        self._gate = asyncio.Semaphore(settings.concurrency)  # first come, first served

    async def score(self, tree: Tree, prefix: tuple[str, ...]) -> Score:
        key = tree.key(prefix)
        wanted = completions(tree.pass_at_1, self._settings.bands)
        samples = await together(self._complete(tree, prefix, key, i) for i in range(wanted))
        answers = Counter(extract_answer(s.text) if s.complete else None for s in samples)
        assert tree.problem.answer is not None
        pairs = [(tree.problem.answer, answer) for answer in answers]
        matches = await asyncio.to_thread(self._checker.compare_many, pairs)
        row = _row(tree, prefix, samples, dict(zip(answers, matches, strict=True)), answers)
        self._journal.append(row)
        return score_of(row)

    async def _complete(self, tree: Tree, prefix: tuple[str, ...], key: str, index: int) -> Sample:
        async with self._gate:
            seed = draw_seed(self._seed, "rollout", key, index)
            return await self._policy.solve(tree.problem.text, steps=prefix, seed=seed)


def _row(
    tree: Tree,
    prefix: Sequence[str],
    samples: Sequence[Sample],
    matches: Mapping[str | None, Match],
    answers: Mapping[str | None, int],
) -> Row:
    counts = dict.fromkeys(Match, 0)
    for answer, count in answers.items():
        counts[matches[answer]] += count
    score = Score(counts[Match.EQUAL], counts[Match.EQUAL] + counts[Match.DIFFERENT])
    return {
        KEY: tree.key(prefix),
        "problem": tree.problem.id,
        "step": len(prefix),
        "hits": score.hits,
        "misses": score.total - score.hits,
        "undecided": counts[Match.UNDECIDED],
        "mc": float(score.value),
        "interval": list(score.interval),
        "answers": [[a, n, matches[a].value] for a, n in sorted(answers.items(), key=_by_count)],
        "usage": asdict(total(sample.usage for sample in samples)),
    }


def _by_count(entry: tuple[str | None, int]) -> tuple[int, str]:
    answer, count = entry
    return -count, answer or ""
