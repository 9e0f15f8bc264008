"""What came out of benchmarks/paper_questions.py: a table, the headline pairs, and a figure.

    python benchmarks/paper_answers.py [build/questions] [--figure docs/questions.svg]

Intervals are 95 % over rows, drawn alike for every model; of several seeds the mean is drawn.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from paper_questions import EXPERIMENTS, RESULT, VOTES, judged_folder

from genprm.evaluate.intervals import Floats, bounds
from genprm.evaluate.run import SUMMARY, read_run
from genprm.evaluate.summary import average_draws, subset_draws
from genprm.report.comparison import shared_rows
from genprm.report.tables import signed, with_interval

TITLES = {"held_out": "held-out problems", "real": "BIG-Bench-Mistake"}
PAIRS = [
    ("hard", "ratio-0.8"),
    ("hard-K", "ratio-0.8-K"),
    ("direct", "ratio-0.8"),
    ("no-consensus", "ratio-0.8"),
]


@dataclass(frozen=True, slots=True)
class Score:
    """First-error F1 in percent, [seeds], and its mean over seeds as [draws] over rows."""

    seeds: list[float]
    draws: Floats

    @property
    def mean(self) -> float:
        """Over seeds."""
        return float(np.mean(self.seeds))

    def __str__(self) -> str:
        """The mean, its interval and the seeds, if several."""
        seeds = f" ({', '.join(f'{one:.1f}' for one in self.seeds)})" if len(self.seeds) > 1 else ""
        return with_interval(self.mean, bounds(self.draws)) + seeds


@dataclass(frozen=True, slots=True)
class Answer:
    """One experiment's scores by rows, judged with one vote or with several."""

    name: str
    votes: int
    about: dict[str, Any]
    scores: dict[str, Score]

    @property
    def title(self) -> str:
        """Experiment and votes."""
        return self.name if self.votes == 1 else f"{self.name}, Maj@{self.votes}"


def main() -> None:
    """Print what is known, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/questions"))
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    found = list(answers(asked.folder))
    print_answers(found)
    print_pairs(found)
    if asked.figure:
        draw(found, asked.figure)


def answers(folder: Path) -> Iterator[Answer]:
    """All that was judged, in the experiments' order."""
    for name, experiment in EXPERIMENTS.items():
        own = [folder / f"{name}-s{seed}" for seed in range(experiment.seeds)]
        done = [run for run in own if (run / RESULT).exists()]
        for votes in (1, VOTES) if done else ():
            scores = {
                rows: score([judged_folder(run, rows, votes) for run in done]) for rows in TITLES
            }
            known = {rows: one for rows, one in scores.items() if one}
            if known:
                yield Answer(name, votes, json.loads((done[0] / RESULT).read_text()), known)


def score(runs: list[Path]) -> Score | None:
    """Of one experiment's seeds on the same rows; None where none was judged."""
    judged = [run for run in runs if (run / SUMMARY).exists()]
    if not judged:
        return None
    found = [read_run(run) for run in judged]
    rows = shared_rows(found)
    draws = [average_draws(subset_draws(rows, run.predictions)) for run in found]
    seeds = [json.loads((run / SUMMARY).read_text())["average_f1"] for run in judged]
    return Score(seeds, np.mean(draws, axis=0))


def print_answers(found: list[Answer]) -> None:
    """A Markdown row for each."""
    print("| question | experiment | chats | held out | BIG-Bench-Mistake |")
    print("|---|---|---|---|---|")
    for one in found:
        cells = [one.about["question"], one.title, str(one.about["chats"])]
        cells += [str(one.scores.get(rows, "")) for rows in TITLES]
        print("| " + " | ".join(cells) + " |")


def print_pairs(found: list[Answer]) -> None:
    """Differences of the headline pairs, resampled together."""
    by_title = {one.title: one for one in found}
    for left, right in [*PAIRS, tuple(f"{name}, Maj@{VOTES}" for name in PAIRS[0])]:
        if left in by_title and right in by_title:
            print(f"{left} - {right}:", *differences(by_title[left], by_title[right]), sep="  ")


def differences(left: Answer, right: Answer) -> Iterator[str]:
    """For each set of rows, the difference of the means over seeds with its interval."""
    for rows in (rows for rows in TITLES if rows in left.scores and rows in right.scores):
        first, second = left.scores[rows], right.scores[rows]
        yield f"{rows} {signed(first.mean - second.mean, bounds(first.draws - second.draws))}"


def draw(found: list[Answer], path: Path) -> None:
    """Mean and interval of every answer and the single seeds, one panel for each set of rows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.6 + 0.3 * len(found)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    questions = list(dict.fromkeys(one.about["question"] for one in found))
    for panel, (rows, title) in zip(panels, TITLES.items(), strict=True):
        for place, one in enumerate(found):
            if rows not in one.scores:
                continue
            known, color = one.scores[rows], f"C{questions.index(one.about['question'])}"
            panel.plot(bounds(known.draws) or [], [place, place], color=color, lw=1.5)
            panel.plot(known.mean, place, "o", color=color, ms=5)
            panel.plot(known.seeds, [place] * len(known.seeds), "|", color=color, ms=9)
        panel.set_xlabel(f"first-error F1, {title}")
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(range(len(found)), [one.title for one in found])
    panels[0].invert_yaxis()
    figure.savefig(path)
    print(f"→ {path}")


if __name__ == "__main__":
    main()
