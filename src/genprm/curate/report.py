"""The report of a curation, one HTML file: funnel, costs, scores, labels, consensus, samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any

from genprm.curate.chats import Author
from genprm.curate.folder import KEY, Folder, Row
from genprm.curate.plan import Forecast
from genprm.curate.recipe import Curation, Rule
from genprm.curate.stages import Stage
from genprm.curate.survey import Survey
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


def write_report(
    folder: Folder, recipe: Curation, survey: Survey, forecast: Forecast | None
) -> Path:
    """Write `report.html` for as far as the curation has come."""
    import jinja2

    source = resources.files("genprm.curate") / "report.html.jinja"
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(source.read_text("utf-8")).render(
        recipe=recipe,
        survey=survey,
        forecast=forecast,
        stages=[Stage.SOLUTIONS, Stage.ROLLOUTS, Stage.RATIONALES],
        funnel=funnel(survey),
        pass_at_1=histogram(survey.sampling.pass_at_1) if survey.sampling else [],
        mc=histogram(survey.labelling.mc) if survey.labelling else [],
        progress=histogram(survey.labelling.progress, *_RANGE[recipe.progress.rule])
        if survey.labelling
        else [],
        range=_RANGE[recipe.progress.rule],
        positions=positions(survey),
        kept=list(islice(kept_samples(folder, recipe.chats.modes[0]), _SAMPLES))
        if folder.is_done(Stage.CHATS)
        else [],
        gone=gone_samples(folder) if folder.is_done(Stage.CONSENSUS) else [],
    )
    file = folder.path / "report.html"
    file.write_text(page, "utf-8")
    return file


def funnel(survey: Survey) -> list[tuple[str, int]]:
    """(what, how many) from problems to chats."""
    rows: list[tuple[str, int]] = []
    if survey.sampling:
        rows.append(("problems", survey.sampling.problems))
        rows.append(("problems with right and wrong paths", survey.sampling.kept))
        rows.append(("paths", survey.sampling.right + survey.sampling.wrong))
    if survey.teaching:
        critiques = survey.teaching.critiques
        rows.append(("critiques", critiques))
        rows.append(("critiques that can be read", critiques - survey.teaching.unreadable.total()))
        rows.append(("solutions kept by consensus", survey.teaching.kept))
    rows += [(f"chats, {mode}", count.chats) for mode, count in (survey.chats or {}).items()]
    return rows


def histogram(
    values: Sequence[float], low: float = 0.0, high: float = 1.0, *, bins: int = _BINS
) -> list[Bar]:
    """Counts of values in [low, high]; what lies beyond counts in the outer bars."""
    counts = [0] * bins
    width = (high - low) / bins
    for value in values:
        counts[max(0, min(int((value - low) / width), bins - 1))] += 1
    most = max([*counts, 1])
    return [
        Bar(f"{low + index * width:.2f} to {low + (index + 1) * width:.2f}", count, count / most)
        for index, count in enumerate(counts)
    ]


def positions(survey: Survey) -> list[tuple[int, int, int]]:
    """(step from 1, right, wrong) for each position."""
    if survey.labelling is None:
        return []
    pairs = zip(survey.labelling.right_at, survey.labelling.wrong_at, strict=True)
    return [(step, right, wrong) for step, (right, wrong) in enumerate(pairs, start=1)]


def kept_samples(folder: Folder, mode: Mode) -> Iterator[dict[str, Any]]:
    """A mode's chats to read, their pieces apart, as the loss sees them."""
    for row in folder.rows(Stage.CHATS):
        if row["mode"] == mode:
            messages = [_message(row, index) for index in range(len(row["messages"]))]
            yield {"id": row[KEY], "messages": messages}


def _message(row: Row, index: int) -> dict[str, Any]:
    message, rest = row["messages"][index], row["messages"][index]["content"]
    parts = []
    for piece in row["pieces"][index]:
        parts.append((Author(piece["author"]), rest[: piece["characters"]]))
        rest = rest[piece["characters"] :]
    return {"role": message["role"], "parts": parts}


def gone_samples(folder: Folder) -> list[Row]:
    """For each cause the first few solutions that consensus dropped, with the teacher's labels."""
    shown: dict[str, list[Row]] = {}
    critiques = {row["path"]: row for row in folder.rows(Stage.RATIONALES) if row["sample"] == 0}
    for row in folder.rows(Stage.CONSENSUS):
        own = shown.setdefault(row["cause"] or "", [])
        if row["cause"] and len(own) < 3:
            critique = critiques[row[KEY]]
            taught = [paragraph["right"] for paragraph in critique["paragraphs"]]
            padded = [*taught, *[None] * (len(row["steps"]) - len(taught))]
            steps = zip(row["steps"], row["labels"], padded, strict=True)
            own.append({**row, "compared": list(steps), "text": critique["text"]})
    return [row for own in shown.values() for row in own]
