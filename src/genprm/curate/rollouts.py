"""Stage 2, rollouts: completions of step prefixes, counted (spec §3.2, 3.3).

A row is a prefix. Paths of one problem often begin with the same steps; a prefix that they share is
sampled once. The completions of a prefix are requested together, so that the engine's cache serves
them. A problem's paths are scored step by step, so that nothing is sampled after a zero.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import as_finished, together
from genprm.curate.recipe import Rollouts
from genprm.curate.samples import ProblemSamples, SolutionPath
from genprm.curate.scores import Score, Scores, completions, estimate, replay
from genprm.errors import RequestFailed
from genprm.journal import Journal
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.records.curation import RolloutRow
from genprm.records.run_spec import PolicySpec
from genprm.seeds import seed_of
from genprm.verdict import total
from genprm.worker import Worker


class ScoreMissing(Exception):
    """All completions of a prefix failed, so the paths through it have no scores."""


@dataclass(frozen=True, slots=True)
class ProblemPaths:
    """A problem with its kept paths."""

    problem: Problem
    paths: tuple[SolutionPath, ...]
    pass_at_1: Fraction

    def key(self, prefix: Sequence[str]) -> str:
        """The key of a prefix in the journal, the same for every path that begins with it."""
        text = "\0".join(prefix).encode()
        return f"{self.problem.id}:{len(prefix)}:{blake2b(text, digest_size=8).hexdigest()}"


def usable_problems(
    problems: Iterable[Problem], samples: Mapping[str, ProblemSamples]
) -> list[ProblemPaths]:
    """The problems with both correct and incorrect paths."""
    return [
        ProblemPaths(problem, samples[problem.id].paths, samples[problem.id].pass_at_1)
        for problem in problems
        if samples[problem.id].dropped is None
    ]


def stored_scores(rows: Iterable[RolloutRow]) -> dict[str, Score]:
    """The score of each prefix by its key; without those whose completions all failed."""
    return {row.key: score_of(row) for row in rows if row.failed is None}


def score_of(row: RolloutRow) -> Score:
    """A row's score."""
    return Score(row.hits, row.hits + row.misses)


def path_scores(
    problem: ProblemPaths, path: SolutionPath, settings: Rollouts, stored: Mapping[str, Score]
) -> tuple[Scores, list[str]]:
    """The scores of a path's steps [T] from stored prefixes; also the keys that they needed.

    Raises:
        ScoreMissing: a prefix that is needed has no score.
    """

    def known(length: int) -> Score:
        try:
            return stored[problem.key(path.steps[:length])]
        except KeyError:
            raise ScoreMissing(path.id) from None

    estimation = estimate(settings.estimator, len(path.steps), correct=path.correct)
    scores, lengths = replay(estimation, known)
    return scores, [problem.key(path.steps[:n]) for n in lengths]


def scored_paths(
    problem: ProblemPaths, settings: Rollouts, stored: Mapping[str, Score]
) -> Iterator[tuple[SolutionPath, Scores]]:
    """The paths of a problem with their scores [T]; without those that lack one."""
    for path in problem.paths:
        try:
            scores, _ = path_scores(problem, path, settings, stored)
        except ScoreMissing:
            continue
        yield path, scores


def row_order(problems: Sequence[ProblemPaths], journal: Journal[RolloutRow]) -> list[str]:
    """Keys of all prefixes, each once, in the order of problems, paths and steps."""
    keys = (
        problem.key(path.steps[:length])
        for problem in problems
        for path in problem.paths
        for length in range(1, len(path.steps))
    )
    return [key for key in dict.fromkeys(keys) if key in journal]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first steps of a path, to be completed; `key` names them in the journal."""

    key: str
    problem: Problem
    steps: tuple[str, ...]
    pass_at_1: Fraction


async def score_prefixes(
    problems: Sequence[ProblemPaths],
    worker: Worker[Prefix, RolloutRow],
    settings: Rollouts,
    *,
    at_once: int,
    journal: Journal[RolloutRow],
    on_problem: Callable[[], None] = lambda: None,
) -> None:
    """Score every prefix that the estimator needs; each is journalled as it finishes.

    `at_once` problems are processed at the same time.

    Raises:
        ModelError: the completer's engine failed permanently.
    """
    stored = {row.key: row for row in journal.rows()}

    async def score_problem(place: int, problem: ProblemPaths) -> None:
        asked: dict[str, asyncio.Task[RolloutRow]] = {}
        try:
            await together(score_path(place, problem, path, asked) for path in problem.paths)
        finally:
            for task in asked.values():
                task.cancel()
            await asyncio.gather(*asked.values(), return_exceptions=True)
        on_problem()

    async def score_path(
        place: int,
        problem: ProblemPaths,
        path: SolutionPath,
        asked: dict[str, asyncio.Task[RolloutRow]],
    ) -> None:
        estimation = estimate(settings.estimator, len(path.steps), correct=path.correct)
        try:
            length = next(estimation)
            while True:
                steps = path.steps[:length]
                key = problem.key(steps)
                if key not in stored and key not in asked:
                    prefix = Prefix(key, problem.problem, steps, problem.pass_at_1)
                    asked[key] = asyncio.create_task(score(place, prefix))
                row = stored[key] if key in stored else await asked[key]
                if row.failed is not None:
                    return
                length = estimation.send(score_of(row))
        except StopIteration:
            return

    async def score(place: int, prefix: Prefix) -> RolloutRow:
        try:
            row = await worker.make(place, prefix)
        except RequestFailed as error:
            wanted = completions(prefix.pass_at_1, settings.bands)
            row = _row(prefix, [], {}, {}, [str(error)] * wanted)
        journal.append(row)
        return row

    jobs = (score_problem(place, problem) for place, problem in enumerate(problems))
    async with aclosing(as_finished(jobs, at_once)) as done:
        async for _ in done:
            pass


class RolloutWorker:
    """Completes prefixes and counts, with a limit on concurrent requests; see `Worker`."""

    judge = None

    def __init__(
        self, policy: Policy, checker: AnswerChecker, settings: Rollouts, *, seed: int
    ) -> None:
        self._policy = policy
        self._checker = checker
        self._settings = settings
        self._seed = seed
        self._gate = asyncio.Semaphore(settings.concurrency)  # first come, first served

    @property
    def policy(self) -> PolicySpec:
        """The spec of the completer."""
        return PolicySpec(model=self._policy.model.identity)

    async def make(self, row: int, item: Prefix) -> RolloutRow:
        """Complete the prefix and count the outcomes, including requests that failed."""
        wanted = completions(item.pass_at_1, self._settings.bands)
        ended = await together(self._complete(item, index) for index in range(wanted))
        samples = [one for one in ended if isinstance(one, Sample)]
        failures = [str(one) for one in ended if isinstance(one, RequestFailed)]
        answers = Counter(extract_answer(s.text) if s.complete else None for s in samples)
        assert item.problem.answer is not None
        pairs = [(item.problem.answer, answer) for answer in answers]
        matches = await asyncio.to_thread(self._checker.compare_many, pairs)
        compared = dict(zip(answers, matches, strict=True))
        return _row(item, samples, compared, answers, failures)

    async def _complete(self, prefix: Prefix, index: int) -> Sample | RequestFailed:
        async with self._gate:
            seed = seed_of(self._seed, "rollout", prefix.key, index, bits=31)
            try:
                return await self._policy.solve(prefix.problem.text, steps=prefix.steps, seed=seed)
            except RequestFailed as error:
                return error


def _row(
    prefix: Prefix,
    samples: Sequence[Sample],
    matches: Mapping[str | None, Match],
    answers: Mapping[str | None, int],
    failures: Sequence[str],
) -> RolloutRow:
    counts = dict.fromkeys(Match, 0)
    for answer, count in answers.items():
        counts[matches[answer]] += count
    score = Score(counts[Match.EQUAL], counts[Match.EQUAL] + counts[Match.DIFFERENT])
    ordered = sorted(answers.items(), key=_by_count)
    return RolloutRow(
        key=prefix.key,
        problem=prefix.problem.id,
        step=len(prefix.steps),
        hits=score.hits,
        misses=score.total - score.hits,
        undecided=counts[Match.UNDECIDED],
        failures=len(failures),
        mc=float(score.value),
        interval=score.interval,
        answers=tuple((answer, n, matches[answer].value) for answer, n in ordered),
        usage=total(sample.usage for sample in samples),
        failed=failures[0] if failures and not samples else None,
    )


def _by_count(entry: tuple[str | None, int]) -> tuple[int, str]:
    answer, count = entry
    return -count, answer or ""
