"""Stage 1, solutions: right and wrong paths through each problem, by step forcing (spec §3.1).

A problem is sampled in waves until it has enough paths of both kinds, or the cap is reached.
A row is a wave: what came of its samples, and those of them that are kept as paths. The share of
all samples that reach the gold answer is the problem's Pass@1, `MC(s_1)`.
"""

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from genprm.answer import AnswerChecker, Match, extract_answer
from genprm.concurrency import as_finished, together
from genprm.curate.folder import KEY, Row, StageJournal, draw_seed
from genprm.curate.recipe import Solutions
from genprm.policy import Policy, Sample
from genprm.problem import Problem
from genprm.verdict import total


class Fate(StrEnum):
    """What came of a sample: its answer, or why it cannot be a path."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"  # whether the answer is right cannot be said
    UNFINISHED = "unfinished"  # cut off by a bound
    UNMARKED = "unmarked"  # not `Step 1: … Step T: …`
    TOO_LONG = "too_long"  # more steps than the recipe allows


class Dropped(StrEnum):
    """Why a problem is not used."""

    NEVER_RIGHT = "never_right"
    NEVER_WRONG = "never_wrong"
    NO_PATH = "no_path"  # neither


@dataclass(frozen=True, slots=True)
class Path:
    """A solution that is used: one of a problem's kept samples."""

    id: str
    steps: tuple[str, ...]
    right: bool


@dataclass(frozen=True, slots=True)
class Paths:
    """What a problem's waves say together."""

    fates: Mapping[Fate, int]
    hits: int  # samples with the gold answer, whether or not they can be a path
    misses: int
    paths: tuple[Path, ...]

    @property
    def sampled(self) -> int:
        """Samples drawn."""
        return sum(self.fates.values())

    @property
    def pass_at_1(self) -> Fraction:
        """MC(s_1): the share of decided samples that reach the gold answer."""
        decided = self.hits + self.misses
        return Fraction(self.hits, decided) if decided else Fraction(0)

    @property
    def right(self) -> int:
        """Kept paths that reach the gold answer."""
        return sum(path.right for path in self.paths)

    @property
    def wrong(self) -> int:
        """Kept paths that do not."""
        return len(self.paths) - self.right

    @property
    def dropped(self) -> Dropped | None:
        """Why the problem gives no training data, if it gives none."""
        if self.right and self.wrong:
            return None
        if self.right:
            return Dropped.NEVER_WRONG
        return Dropped.NEVER_RIGHT if self.wrong else Dropped.NO_PATH

    def settled(self, settings: Solutions) -> bool:
        """Whether no further wave is needed."""
        enough = self.right >= settings.right and self.wrong >= settings.wrong
        return enough or self.sampled >= settings.cap


def gather(waves: Iterable[Row]) -> Paths:
    """A problem's waves, in order, as one."""
    fates: Counter[Fate] = Counter()
    hits = misses = 0
    paths: list[Path] = []
    for wave in waves:
        fates.update({Fate(name): count for name, count in wave["fates"].items()})
        hits, misses = hits + wave["hits"], misses + wave["misses"]
        paths += (Path(p["id"], tuple(p["steps"]), p["right"]) for p in wave["paths"])
    return Paths(fates, hits, misses, tuple(paths))


def by_problem(rows: Iterable[Row]) -> dict[str, Paths]:
    """All waves, gathered by the problem they belong to."""
    waves: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        waves[row["problem"]].append(row)
    return {
        problem: gather(sorted(own, key=lambda wave: int(wave["wave"])))
        for problem, own in waves.items()
    }


def fate(sample: Sample, match: Match, max_steps: int) -> Fate:
    """What a sample is good for."""
    if not sample.complete:
        return Fate.UNFINISHED
    if not well_marked(sample.steps):
        return Fate.UNMARKED
    if len(sample.steps) > max_steps:
        return Fate.TOO_LONG
    if match is Match.UNDECIDED:
        return Fate.UNDECIDED
    return Fate.RIGHT if match is Match.EQUAL else Fate.WRONG


def well_marked(steps: Sequence[str]) -> bool:
    """Whether the steps begin with `Step 1`, `Step 2`, … as they were forced to."""
    return bool(steps) and all(
        re.match(rf"(?:\*\*|#+ )?Step {number}\b", step) for number, step in enumerate(steps, 1)
    )


async def sample_solutions(
    problems: Sequence[Problem],
    policy: Policy,
    checker: AnswerChecker,
    settings: Solutions,
    *,
    seed: int,
    journal: StageJournal,
    on_problem: Callable[[], None] = lambda: None,
) -> None:
    """Sample until every problem is settled; each wave is journalled as it finishes.

    Raises:
        ModelError: the policy's engine failed for good.
    """
    known = defaultdict(list)
    for row in journal.rows():
        known[row["problem"]].append(row)

    async def settle(problem: Problem) -> None:
        waves = sorted(known[problem.id], key=lambda wave: int(wave["wave"]))
        while not (paths := gather(waves)).settled(settings):
            row = await _wave(problem, len(waves), paths)
            journal.append(row)
            waves.append(row)
        on_problem()

    async def _wave(problem: Problem, number: int, paths: Paths) -> Row:
        indices = range(paths.sampled, min(paths.sampled + settings.wave, settings.cap))
        samples = await together(
            policy.solve(problem.text, seed=draw_seed(seed, "solution", problem.id, index))
            for index in indices
        )
        matches = await judge_samples(problem, samples, checker)
        return {
            KEY: f"{problem.id}#{number}",
            "problem": problem.id,
            "wave": number,
            **wave_row(problem, samples, matches, paths, settings),
        }

    jobs = (settle(problem) for problem in problems)
    at_once = max(1, settings.concurrency // settings.wave)
    async with aclosing(as_finished(jobs, at_once)) as settling:
        async for _ in settling:
            pass


async def judge_samples(
    problem: Problem, samples: Sequence[Sample], checker: AnswerChecker
) -> list[Match]:
    """Whether each sample reaches the gold answer; one that was cut off does not."""
    assert problem.answer is not None
    answers = [extract_answer(sample.text) if sample.complete else None for sample in samples]
    pairs = [(problem.answer, answer) for answer in answers]
    return await asyncio.to_thread(checker.compare_many, pairs)


def wave_row(
    problem: Problem,
    samples: Sequence[Sample],
    matches: Sequence[Match],
    before: Paths,
    settings: Solutions,
) -> dict[str, Any]:
    """A wave's counts, and its samples that become paths: distinct ones, while they are wanted."""
    fates: Counter[Fate] = Counter()
    wanted = {True: settings.right - before.right, False: settings.wrong - before.wrong}
    seen = {path.steps for path in before.paths}
    paths: list[dict[str, Any]] = []
    for index, (sample, match) in enumerate(zip(samples, matches, strict=True), before.sampled):
        own = fate(sample, match, settings.max_steps)
        fates[own] += 1
        right = own is Fate.RIGHT
        if own in (Fate.RIGHT, Fate.WRONG) and wanted[right] > 0 and sample.steps not in seen:
            wanted[right] -= 1
            seen.add(sample.steps)
            name = f"{problem.id}/{index}"
            paths.append(
                {"id": name, "seed": sample.seed, "right": right, "steps": list(sample.steps)}
            )
    return {
        "fates": {own.value: count for own, count in sorted(fates.items())},
        "hits": sum(match is Match.EQUAL for match in matches),
        "misses": sum(match is Match.DIFFERENT for match in matches),
        "paths": paths,
        "usage": asdict(total(sample.usage for sample in samples)),
    }


def wave_order(problems: Sequence[Problem], journal: StageJournal) -> list[str]:
    """Keys of all waves: problems in order, waves in order."""
    waves: Counter[str] = Counter(row["problem"] for row in journal.rows())
    return [f"{p.id}#{number}" for p in problems for number in range(waves[p.id])]
