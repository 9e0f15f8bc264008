"""Counts of a curation, computed once from its rows for the plan, the card and the report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from genprm.curate.folder import Folder
from genprm.curate.gold_problems import stored_problems
from genprm.curate.recipe import Curation, Estimator
from genprm.curate.rollouts import (
    ProblemPaths,
    path_scores,
    stored_scores,
    usable_problems,
)
from genprm.curate.samples import by_problem
from genprm.curate.scores import Score, completions
from genprm.curate.stages import Stage
from genprm.curate.stopwatch import seconds
from genprm.records.chats import ChatRow
from genprm.records.critiques import CritiqueRow
from genprm.records.curation import BatchRow, ConsensusRow, LabelledPathRow, RolloutRow
from genprm.verdict import Usage, total


@dataclass(frozen=True, slots=True)
class StageCost:
    """The actual or expected cost of a stage. Seconds are wall-clock time."""

    requests: float = 0
    tokens_in: float = 0
    tokens_out: float = 0
    seconds: float | None = None

    def scaled(self, factor: float) -> "StageCost":
        """The cost of `factor` times the work."""
        return StageCost(
            self.requests * factor,
            self.tokens_in * factor,
            self.tokens_out * factor,
            None if self.seconds is None else self.seconds * factor,
        )


@dataclass(frozen=True, slots=True)
class SolutionStats:
    """Counts of stage 1, solutions."""

    problems: int
    pass_at_1: tuple[float, ...]  # of each problem
    outcomes: Counter[str]
    dropped: Counter[str]
    kept: int  # problems
    correct: int  # paths
    incorrect: int
    cost: StageCost


@dataclass(frozen=True, slots=True)
class RolloutStats:
    """Counts of stage 2, rollouts, and what the work would have been with other estimators."""

    prefixes: int
    completions: int
    undecided: int
    failures: int  # requests that failed
    unpruned: int  # completions if every prefix had been sampled, zeros or not
    binary: int | None  # completions of a binary search over these scores
    interval_width: float  # mean, of Wilson's 95 % intervals
    cost: StageCost


@dataclass(frozen=True, slots=True)
class LabelStats:
    """Counts of stage 3, labels. Positions are step indices from 0."""

    mc: tuple[float, ...]  # every estimated score
    progress: tuple[float, ...]
    correct_at: tuple[int, ...]  # steps labelled correct at each position
    incorrect_at: tuple[int, ...]
    first_errors: Counter[int]


@dataclass(frozen=True, slots=True)
class RationaleStats:
    """Counts of stages 4 and 5; `gone` counts the solutions that consensus dropped, by cause."""

    critiques: int
    unreadable: Counter[str]
    runs: Counter[str]  # executed blocks by how they ended
    cost: StageCost
    kept: int = 0
    gone: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ChatStats:
    """Counts of stage 6, chats, for one mode."""

    chats: int
    turns: int
    yes: int  # judgements
    characters: int


@dataclass(frozen=True, slots=True)
class CurationStats:
    """The counts of all stages; those of unfinished stages are None."""

    solutions: SolutionStats | None = None
    rollouts: RolloutStats | None = None
    labels: LabelStats | None = None
    rationales: RationaleStats | None = None
    chats: dict[str, ChatStats] | None = None

    @property
    def costs(self) -> dict[Stage, StageCost]:
        """The costs of the stages that use models."""
        found = {
            Stage.SOLUTIONS: self.solutions,
            Stage.ROLLOUTS: self.rollouts,
            Stage.RATIONALES: self.rationales,
        }
        return {stage: part.cost for stage, part in found.items() if part is not None}


def count_stats(folder: Folder, recipe: Curation) -> CurationStats:
    """Count the rows of the finished stages."""
    clock = seconds(folder.path / "seconds.jsonl")
    done = {stage for stage in Stage if folder.is_done(stage)}
    return CurationStats(
        _solutions(folder, clock) if Stage.SOLUTIONS in done else None,
        _rollouts(folder, recipe, clock) if Stage.ROLLOUTS in done else None,
        _labels(folder) if Stage.PROGRESS in done else None,
        _rationales(folder, recipe, clock, done) if Stage.RATIONALES in done else None,
        _chats(folder.rows(Stage.CHATS, ChatRow)) if Stage.CHATS in done else None,
    )


def _cost(stage: Stage, requests: float, spent: Usage, clock: dict[str, float]) -> StageCost:
    return StageCost(requests, spent.tokens_in, spent.tokens_out, clock.get(stage.value))


def _solutions(folder: Folder, clock: dict[str, float]) -> SolutionStats:
    rows = list(folder.rows(Stage.SOLUTIONS, BatchRow))
    problems = by_problem(rows)
    outcomes: Counter[str] = Counter()
    for own in problems.values():
        outcomes.update({outcome.value: count for outcome, count in own.outcomes.items()})
    kept = [own for own in problems.values() if own.dropped is None]
    return SolutionStats(
        problems=len(problems),
        pass_at_1=tuple(float(own.pass_at_1) for own in problems.values()),
        outcomes=outcomes,
        dropped=Counter(own.dropped.value for own in problems.values() if own.dropped),
        kept=len(kept),
        correct=sum(own.correct for own in kept),
        incorrect=sum(own.incorrect for own in kept),
        cost=_cost(Stage.SOLUTIONS, outcomes.total(), total(row.usage for row in rows), clock),
    )


def _rollouts(folder: Folder, recipe: Curation, clock: dict[str, float]) -> RolloutStats:
    rows = list(folder.rows(Stage.ROLLOUTS, RolloutRow))
    samples = by_problem(folder.rows(Stage.SOLUTIONS, BatchRow))
    problems = usable_problems(stored_problems(folder), samples)
    sampled = sum(row.hits + row.misses + row.undecided for row in rows)
    failures = sum(row.failures for row in rows)
    widths = [high - low for low, high in (row.interval for row in rows)]
    spent = total(row.usage for row in rows)
    return RolloutStats(
        prefixes=len(rows),
        completions=sampled,
        undecided=sum(row.undecided for row in rows),
        failures=failures,
        unpruned=sum(_unpruned(problem, recipe) for problem in problems),
        binary=_binary_cost(problems, rows, recipe),
        interval_width=sum(widths) / len(widths) if widths else 0.0,
        cost=_cost(Stage.ROLLOUTS, sampled + failures, spent, clock),
    )


def _unpruned(problem: ProblemPaths, recipe: Curation) -> int:
    prefixes = {problem.key(p.steps[:n]) for p in problem.paths for n in range(1, len(p.steps))}
    return len(prefixes) * completions(problem.pass_at_1, recipe.rollouts.bands)


def _binary_cost(
    problems: Iterable[ProblemPaths], rows: Iterable[RolloutRow], recipe: Curation
) -> int | None:
    """Completions that a binary search would have taken over the stored scores."""
    if recipe.rollouts.estimator is not Estimator.EXHAUSTIVE:
        return None
    known = _AlsoPruned(stored_scores(rows))
    binary = recipe.rollouts.model_copy(update={"estimator": Estimator.BINARY})
    cost = 0
    for problem in problems:
        needed = (path_scores(problem, path, binary, known)[1] for path in problem.paths)
        keys = set(chain.from_iterable(needed))
        cost += len(keys) * completions(problem.pass_at_1, recipe.rollouts.bands)
    return cost


class _AlsoPruned(dict[str, Score]):
    """Stored scores; a prefix that was not sampled comes after a zero."""

    def __missing__(self, key: str) -> Score:
        return Score(0, 1)


def _labels(folder: Folder) -> LabelStats:
    mc: list[float] = []
    progress: list[float] = []
    counts: dict[int, Counter[bool]] = defaultdict(Counter)
    errors: Counter[int] = Counter()
    for row in folder.rows(Stage.PROGRESS, LabelledPathRow):
        mc += (score for score in row.mc if score is not None)
        progress += (value for value in row.progress if value is not None)
        errors[row.first_error] += 1
        for position, label in enumerate(row.labels):
            counts[position][label] += 1
    positions = range(max(counts, default=-1) + 1)
    return LabelStats(
        tuple(mc),
        tuple(progress),
        tuple(counts[position][True] for position in positions),
        tuple(counts[position][False] for position in positions),
        errors,
    )


def _rationales(
    folder: Folder, recipe: Curation, clock: dict[str, float], done: set[Stage]
) -> RationaleStats:
    rows = list(folder.rows(Stage.RATIONALES, CritiqueRow))
    spent = total(row.usage for row in rows)
    asked = len(rows) * (1 + recipe.rationales.thinks) + spent.executions
    kept, gone = 0, Counter[str]()
    if Stage.CONSENSUS in done:
        for row in folder.rows(Stage.CONSENSUS, ConsensusRow):
            kept += row.cause is None
            gone.update([row.cause.value] if row.cause else [])
    return RationaleStats(
        critiques=len(rows),
        unreadable=Counter(row.unreadable.value for row in rows if row.unreadable),
        runs=Counter(_statuses(rows)),
        cost=_cost(Stage.RATIONALES, asked if spent.tokens_out else 0, spent, clock),
        kept=kept,
        gone=gone,
    )


def _statuses(rows: Sequence[CritiqueRow]) -> Iterator[str]:
    paragraphs = (paragraph for row in rows for paragraph in row.paragraphs)
    return (block.status for paragraph in paragraphs for block in paragraph.blocks)


def _chats(rows: Iterable[ChatRow]) -> dict[str, ChatStats]:
    found: dict[str, ChatStats] = {}
    for row in rows:
        before = found.get(row.mode, ChatStats(0, 0, 0, 0))
        found[row.mode] = ChatStats(
            before.chats + 1,
            before.turns + len(row.labels),
            before.yes + sum(row.labels),
            before.characters + sum(len(message.content) for message in row.messages),
        )
    return found
