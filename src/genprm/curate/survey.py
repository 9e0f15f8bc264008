"""What a curation holds, counted once from its rows: for the plan, the card and the report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from genprm.curate.folder import KEY, Folder, Row
from genprm.curate.problems import stored_problems
from genprm.curate.recipe import Curation, Estimator
from genprm.curate.rollouts import Tree, path_scores, score_of, trees
from genprm.curate.scores import Score, completions
from genprm.curate.solutions import by_problem
from genprm.curate.stages import Stage
from genprm.curate.stopwatch import seconds
from genprm.verdict import Usage, total


@dataclass(frozen=True, slots=True)
class Cost:
    """What a stage cost, or will. Seconds are the stage's wall clock."""

    requests: float = 0
    tokens_in: float = 0
    tokens_out: float = 0
    seconds: float | None = None

    def scaled(self, factor: float) -> "Cost":
        """The same for `factor` times the work."""
        return Cost(
            self.requests * factor,
            self.tokens_in * factor,
            self.tokens_out * factor,
            None if self.seconds is None else self.seconds * factor,
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """Stage 1."""

    problems: int
    pass_at_1: tuple[float, ...]  # of each problem
    fates: Counter[str]
    dropped: Counter[str]
    kept: int  # problems
    right: int  # paths
    wrong: int
    cost: Cost


@dataclass(frozen=True, slots=True)
class Scoring:
    """Stage 2, and what its work would have been otherwise."""

    prefixes: int
    completions: int
    undecided: int
    unpruned: int  # completions if every prefix had been sampled, zeros or not
    binary: int | None  # completions of a binary search over these scores
    interval_width: float  # mean, of Wilson's 95 % intervals
    cost: Cost


@dataclass(frozen=True, slots=True)
class Labelling:
    """Stage 3. Positions are step indices from 0."""

    mc: tuple[float, ...]  # every estimated score
    progress: tuple[float, ...]
    right_at: tuple[int, ...]  # steps labelled right at each position
    wrong_at: tuple[int, ...]
    first_errors: Counter[int]


@dataclass(frozen=True, slots=True)
class Teaching:
    """Stages 4 and 5."""

    critiques: int
    unreadable: Counter[str]
    runs: Counter[str]  # executed blocks by how they ended
    cost: Cost
    kept: int = 0
    gone: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class ChatCount:
    """Stage 6, one mode."""

    chats: int
    turns: int
    yes: int  # judgements
    characters: int


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything, as far as the curation has come; later stages are None until they finish."""

    sampling: Sampling | None = None
    scoring: Scoring | None = None
    labelling: Labelling | None = None
    teaching: Teaching | None = None
    chats: dict[str, ChatCount] | None = None

    @property
    def costs(self) -> dict[Stage, Cost]:
        """What the stages that ask models cost."""
        found = {
            Stage.SOLUTIONS: self.sampling,
            Stage.ROLLOUTS: self.scoring,
            Stage.RATIONALES: self.teaching,
        }
        return {stage: part.cost for stage, part in found.items() if part is not None}


def survey(folder: Folder, recipe: Curation) -> Survey:
    """Count what is there."""
    clock = seconds(folder.path / "seconds.jsonl")
    done = {stage for stage in Stage if folder.is_done(stage)}
    return Survey(
        _sampling(folder, clock) if Stage.SOLUTIONS in done else None,
        _scoring(folder, recipe, clock) if Stage.ROLLOUTS in done else None,
        _labelling(folder.rows(Stage.PROGRESS)) if Stage.PROGRESS in done else None,
        _teaching(folder, recipe, clock, done) if Stage.RATIONALES in done else None,
        _chats(folder.rows(Stage.CHATS)) if Stage.CHATS in done else None,
    )


def _cost(stage: Stage, requests: float, spent: Usage, clock: dict[str, float]) -> Cost:
    return Cost(requests, spent.tokens_in, spent.tokens_out, clock.get(stage.value))


def _sampling(folder: Folder, clock: dict[str, float]) -> Sampling:
    rows = list(folder.rows(Stage.SOLUTIONS))
    problems = by_problem(rows)
    fates: Counter[str] = Counter()
    for own in problems.values():
        fates.update({fate.value: count for fate, count in own.fates.items()})
    kept = [own for own in problems.values() if own.dropped is None]
    return Sampling(
        problems=len(problems),
        pass_at_1=tuple(float(own.pass_at_1) for own in problems.values()),
        fates=fates,
        dropped=Counter(own.dropped.value for own in problems.values() if own.dropped),
        kept=len(kept),
        right=sum(own.right for own in kept),
        wrong=sum(own.wrong for own in kept),
        cost=_cost(Stage.SOLUTIONS, fates.total(), _spent(rows), clock),
    )


def _scoring(folder: Folder, recipe: Curation, clock: dict[str, float]) -> Scoring:
    rows = list(folder.rows(Stage.ROLLOUTS))
    forest = trees(stored_problems(folder), by_problem(folder.rows(Stage.SOLUTIONS)))
    sampled = sum(row["hits"] + row["misses"] + row["undecided"] for row in rows)
    widths = [high - low for low, high in (row["interval"] for row in rows)]
    return Scoring(
        prefixes=len(rows),
        completions=sampled,
        undecided=sum(row["undecided"] for row in rows),
        unpruned=sum(_unpruned(tree, recipe) for tree in forest),
        binary=_binary_cost(forest, rows, recipe),
        interval_width=sum(widths) / len(widths) if widths else 0.0,
        cost=_cost(Stage.ROLLOUTS, sampled, _spent(rows), clock),
    )


def _unpruned(tree: Tree, recipe: Curation) -> int:
    prefixes = {tree.key(p.steps[:n]) for p in tree.paths for n in range(1, len(p.steps))}
    return len(prefixes) * completions(tree.pass_at_1, recipe.rollouts.bands)


def _binary_cost(forest: Iterable[Tree], rows: Iterable[Row], recipe: Curation) -> int | None:
    """Completions that a binary search would have taken: its walk over the stored scores."""
    if recipe.rollouts.estimator is not Estimator.EXHAUSTIVE:
        return None
    stored = {row[KEY]: score_of(row) for row in rows}
    binary = recipe.rollouts.model_copy(update={"estimator": Estimator.BINARY})
    cost = 0
    for tree in forest:
        known = _AlsoPruned(stored)
        keys = set(chain.from_iterable(path_scores(tree, p, binary, known)[1] for p in tree.paths))
        cost += len(keys) * completions(tree.pass_at_1, recipe.rollouts.bands)
    return cost


class _AlsoPruned(dict[str, Score]):
    """Stored scores; a prefix that was not sampled stands after a zero."""

    def __missing__(self, key: str) -> Score:
        return Score(0, 1)


def _labelling(rows: Iterable[Row]) -> Labelling:
    mc: list[float] = []
    progress: list[float] = []
    counts: dict[int, Counter[bool]] = defaultdict(Counter)
    errors: Counter[int] = Counter()
    for row in rows:
        mc += (score for score in row["mc"] if score is not None)
        progress += (value for value in row["progress"] if value is not None)
        errors[row["first_error"]] += 1
        for position, label in enumerate(row["labels"]):
            counts[position][label] += 1
    positions = range(max(counts, default=-1) + 1)
    return Labelling(
        tuple(mc),
        tuple(progress),
        tuple(counts[position][True] for position in positions),
        tuple(counts[position][False] for position in positions),
        errors,
    )


def _teaching(
    folder: Folder, recipe: Curation, clock: dict[str, float], done: set[Stage]
) -> Teaching:
    rows = list(folder.rows(Stage.RATIONALES))
    spent = _spent(rows)
    asked = len(rows) * (1 + recipe.rationales.thinks) + spent.executions
    gone: Counter[str | None] = Counter()
    if Stage.CONSENSUS in done:
        gone.update(row["cause"] for row in folder.rows(Stage.CONSENSUS))
    return Teaching(
        critiques=len(rows),
        unreadable=Counter(row["unreadable"] for row in rows if row["unreadable"]),
        runs=Counter(_statuses(rows)),
        cost=_cost(Stage.RATIONALES, asked if spent.tokens_out else 0, spent, clock),
        kept=gone.pop(None, 0),
        gone=Counter({cause: count for cause, count in gone.items() if cause}),
    )


def _statuses(rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        for paragraph in row["paragraphs"]:
            yield from (block["status"] for block in paragraph["blocks"])


def _chats(rows: Iterable[Row]) -> dict[str, ChatCount]:
    found: dict[str, ChatCount] = {}
    for row in rows:
        before = found.get(row["mode"], ChatCount(0, 0, 0, 0))
        found[row["mode"]] = ChatCount(
            before.chats + 1,
            before.turns + len(row["labels"]),
            before.yes + sum(row["labels"]),
            before.characters + sum(len(message["content"]) for message in row["messages"]),
        )
    return found


def _spent(rows: Iterable[Row]) -> Usage:
    return total(Usage(**row["usage"]) for row in rows)
