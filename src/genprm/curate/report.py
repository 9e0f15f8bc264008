"""The report of a curation, one HTML file: funnel, costs, scores, labels, consensus, samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path

from genprm.curate.cost_plan import CostPlan
from genprm.curate.folder import Folder
from genprm.curate.recipe import Curation, Rule
from genprm.curate.stages import Stage
from genprm.curate.stats import CurationStats
from genprm.curate.unused import dropped_solutions, unreadable_critiques, unused_samples
from genprm.records.chats import Author, ChatRow
from genprm.verify.format import Mode

_BINS = 20
_SAMPLES = 12
_RANGE = {Rule.RATIO: (0.0, 2.0), Rule.DIFFERENCE: (-1.0, 1.0), Rule.HARD: (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart; heights are shares of the highest."""

    label: str
    count: int
    height: float


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """A message of a chat in parts, each with its author."""

    role: str
    parts: tuple[tuple[Author, str], ...]


@dataclass(frozen=True, slots=True)
class ShownChat:
    """A chat to read, with the parts that are learned marked."""

    id: str
    messages: tuple[ShownMessage, ...]


def write_report(
    folder: Folder, recipe: Curation, stats: CurationStats, plan: CostPlan | None
) -> Path:
    """Write `report.html` for the stages that have finished so far."""
    import jinja2

    source = resources.files("genprm.curate") / "report.html.jinja"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    done = {stage for stage in Stage if folder.is_done(stage)}
    page = environment.from_string(source.read_text("utf-8")).render(
        recipe=recipe,
        stats=stats,
        plan=plan,
        stages=[Stage.SOLUTIONS, Stage.ROLLOUTS, Stage.RATIONALES],
        funnel=funnel(stats),
        pass_at_1=histogram(stats.solutions.pass_at_1) if stats.solutions else [],
        mc=histogram(stats.labels.mc) if stats.labels else [],
        progress=histogram(stats.labels.progress, *_RANGE[recipe.progress.rule])
        if stats.labels
        else [],
        range=_RANGE[recipe.progress.rule],
        positions=positions(stats),
        kept=list(islice(kept_chats(folder, recipe.chats.modes[0]), _SAMPLES))
        if Stage.CHATS in done
        else [],
        dropped=dropped_solutions(folder) if Stage.CONSENSUS in done else [],
        unused=unused_samples(folder) if Stage.SOLUTIONS in done else [],
        unreadable=unreadable_critiques(folder) if Stage.RATIONALES in done else [],
    )
    file = folder.path / "report.html"
    file.write_text(page, "utf-8")
    return file


def funnel(stats: CurationStats) -> list[tuple[str, int]]:
    """(name, count) of each stage of the funnel, from problems to chats."""
    rows: list[tuple[str, int]] = []
    if stats.solutions:
        rows.append(("problems", stats.solutions.problems))
        rows.append(("problems with correct and incorrect paths", stats.solutions.kept))
        rows.append(("paths", stats.solutions.correct + stats.solutions.incorrect))
    if stats.rationales:
        critiques = stats.rationales.critiques
        rows.append(("critiques", critiques))
        readable = critiques - stats.rationales.unreadable.total()
        rows.append(("critiques that can be read", readable))
        rows.append(("solutions kept by consensus", stats.rationales.kept))
    rows += [(f"chats, {mode}", count.chats) for mode, count in (stats.chats or {}).items()]
    return rows


def histogram(
    values: Sequence[float], low: float = 0.0, high: float = 1.0, *, bins: int = _BINS
) -> list[Bar]:
    """Counts of values in [low, high]; values outside count in the first or last bar."""
    counts = [0] * bins
    width = (high - low) / bins
    for value in values:
        counts[max(0, min(int((value - low) / width), bins - 1))] += 1
    most = max([*counts, 1])
    return [
        Bar(f"{low + index * width:.2f} to {low + (index + 1) * width:.2f}", count, count / most)
        for index, count in enumerate(counts)
    ]


def positions(stats: CurationStats) -> list[tuple[int, int, int]]:
    """(step from 1, correct, incorrect) for each position."""
    if stats.labels is None:
        return []
    pairs = zip(stats.labels.correct_at, stats.labels.incorrect_at, strict=True)
    return [(step, correct, incorrect) for step, (correct, incorrect) in enumerate(pairs, start=1)]


def kept_chats(folder: Folder, mode: Mode) -> Iterator[ShownChat]:
    """Some chats of a mode, to be read."""
    for row in folder.rows(Stage.CHATS, ChatRow):
        if row.mode == mode:
            messages = (
                ShownMessage(message.role, tuple(row.stretches(index)))
                for index, message in enumerate(row.messages)
            )
            yield ShownChat(row.key, tuple(messages))
