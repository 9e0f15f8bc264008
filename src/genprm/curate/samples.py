"""The outcome of a problem's samples: kept paths, Pass@1, and why a problem is dropped."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from genprm.answer import Match
from genprm.curate.recipe import Solutions
from genprm.policy import Sample
from genprm.problem import Problem
from genprm.records.curation import BatchRow, PathRow, SampleOutcome
from genprm.verdict import total

_EXAMPLE = 2000  # characters of a sample that is kept to be read


class Dropped(StrEnum):
    """Why a problem is not used."""

    NEVER_CORRECT = "never_correct"
    NEVER_INCORRECT = "never_incorrect"
    NO_PATH = "no_path"  # neither


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sample and how its answer compares with the gold one; `failed` if there is no sample."""

    sample: Sample | None
    match: Match
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class SolutionPath:
    """A kept sample of a problem."""

    id: str
    steps: tuple[str, ...]
    correct: bool


@dataclass(frozen=True, slots=True)
class ProblemSamples:
    """All batches of a problem together."""

    outcomes: Mapping[SampleOutcome, int]
    hits: int  # samples with the gold answer, whether or not they can be a path
    misses: int
    paths: tuple[SolutionPath, ...]
    shown: frozenset[SampleOutcome] = frozenset()  # outcomes of which an example is kept
    failed: str | None = None  # why the last batch failed as a whole, if it did

    @property
    def sampled(self) -> int:
        """The number of samples drawn."""
        return sum(self.outcomes.values())

    @property
    def pass_at_1(self) -> Fraction:
        """MC(s_1): the share of decided samples that reach the gold answer."""
        decided = self.hits + self.misses
        return Fraction(self.hits, decided) if decided else Fraction(0)

    @property
    def correct(self) -> int:
        """Kept paths that reach the gold answer."""
        return sum(path.correct for path in self.paths)

    @property
    def incorrect(self) -> int:
        """Kept paths that do not."""
        return len(self.paths) - self.correct

    @property
    def dropped(self) -> Dropped | None:
        """Why the problem gives no training data, if it gives none."""
        if self.correct and self.incorrect:
            return None
        if self.correct:
            return Dropped.NEVER_INCORRECT
        return Dropped.NEVER_CORRECT if self.incorrect else Dropped.NO_PATH

    def settled(self, settings: Solutions) -> bool:
        """Whether no further batch is drawn; after a batch that failed as a whole, none is."""
        enough = self.correct >= settings.correct and self.incorrect >= settings.incorrect
        return enough or self.sampled >= settings.max_samples or self.failed is not None


def combine(batches: Iterable[BatchRow]) -> ProblemSamples:
    """Combine a problem's batches, in order."""
    outcomes: Counter[SampleOutcome] = Counter()
    hits = misses = 0
    paths: list[SolutionPath] = []
    shown: set[SampleOutcome] = set()
    failed = None
    for batch in batches:
        outcomes.update(batch.outcomes)
        hits, misses = hits + batch.hits, misses + batch.misses
        paths += (SolutionPath(path.id, path.steps, path.correct) for path in batch.paths)
        shown.update(batch.examples)
        failed = batch.failed
    return ProblemSamples(outcomes, hits, misses, tuple(paths), frozenset(shown), failed)


def by_problem(rows: Iterable[BatchRow]) -> dict[str, ProblemSamples]:
    """All batches, combined by the problem they belong to."""
    batches: dict[str, list[BatchRow]] = defaultdict(list)
    for row in rows:
        batches[row.problem].append(row)
    return {
        problem: combine(sorted(own, key=lambda batch: batch.batch))
        for problem, own in batches.items()
    }


def outcome_of(sample: Sample, match: Match, max_steps: int) -> SampleOutcome:
    """The outcome of a sample."""
    if not sample.complete:
        return SampleOutcome.UNFINISHED
    if not well_marked(sample.steps):
        return SampleOutcome.UNMARKED
    if len(sample.steps) > max_steps:
        return SampleOutcome.TOO_LONG
    if match is Match.UNDECIDED:
        return SampleOutcome.UNDECIDED
    return SampleOutcome.CORRECT if match is Match.EQUAL else SampleOutcome.INCORRECT


def well_marked(steps: Sequence[str]) -> bool:
    """Whether the steps begin with `Step 1`, `Step 2`, …, as step forcing demands."""
    return bool(steps) and all(
        re.match(rf"(?:\*\*|#+ )?Step {number}\b", step) for number, step in enumerate(steps, 1)
    )


def batch_row(
    problem: Problem,
    number: int,
    drawn: Sequence[Drawn],
    before: ProblemSamples,
    settings: Solutions,
) -> BatchRow:
    """Batch `number` of a problem, after the batches `before` it.

    Its samples become paths as long as more are wanted, each different solution once.
    """
    outcomes: Counter[SampleOutcome] = Counter()
    wanted = {True: settings.correct - before.correct, False: settings.incorrect - before.incorrect}
    seen = {path.steps for path in before.paths}
    paths: list[PathRow] = []
    examples: dict[SampleOutcome, str] = {}
    for index, one in enumerate(drawn, before.sampled):
        if one.sample is None:
            own, text = SampleOutcome.FAILED, one.failed or ""
        else:
            own, text = outcome_of(one.sample, one.match, settings.max_steps), one.sample.text
        outcomes[own] += 1
        if own not in (SampleOutcome.CORRECT, SampleOutcome.INCORRECT):
            if own not in before.shown:
                examples.setdefault(own, text[:_EXAMPLE])
            continue
        assert one.sample is not None
        correct = own is SampleOutcome.CORRECT
        if wanted[correct] > 0 and one.sample.steps not in seen:
            wanted[correct] -= 1
            seen.add(one.sample.steps)
            paths.append(
                PathRow(
                    id=f"{problem.id}/{index}",
                    seed=one.sample.seed,
                    correct=correct,
                    steps=one.sample.steps,
                )
            )
    samples = [one.sample for one in drawn if one.sample is not None]
    return BatchRow(
        key=f"{problem.id}#{number}",
        problem=problem.id,
        batch=number,
        outcomes=dict(sorted(outcomes.items())),
        hits=sum(one.match is Match.EQUAL for one in drawn),
        misses=sum(one.match is Match.DIFFERENT and one.sample is not None for one in drawn),
        paths=tuple(paths),
        examples=examples,
        usage=total(sample.usage for sample in samples),
        failed=drawn[0].failed if drawn and not samples else None,
    )
