"""How often labels from rollouts name the true first error, by rule and by completions (Table 3).

    python benchmarks/label_accuracy.py build/questions/data/ratio-0.8-K [--figure docs/labels.svg]

The folder is a curation of generated problems, whose generator knows the truth. Fewer completions
are drawn from those stored, without replacement, so every point is about the same paths.
"""

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genprm.arithmetic.critic import critique
from genprm.arithmetic.problems import Split, easy_exercise
from genprm.curate.folder import Folder
from genprm.curate.gold_problems import stored_problems
from genprm.curate.progress import labels
from genprm.curate.recipe import Progress, Rollouts, Rule
from genprm.curate.rollouts import ProblemPaths, path_scores, stored_scores, usable_problems
from genprm.curate.samples import by_problem
from genprm.curate.scores import Score
from genprm.curate.stages import Stage
from genprm.evaluate.intervals import Floats, bounds, resample
from genprm.records.curation import BatchRow, RolloutRow
from genprm.report.tables import signed, with_interval
from genprm.verdict import first_error

RULES = {
    "hard": Progress(rule=Rule.HARD),
    **{f"ratio, eps {e}": Progress(rule=Rule.RATIO, epsilon=e) for e in (0.1, 0.5, 0.8, 1.0)},
    **{f"difference {e}": Progress(rule=Rule.DIFFERENCE, epsilon=e) for e in (-0.1, -0.3, -0.5)},
}
SHARES = (32, 16, 8, 4, 2, 1)  # one in so many of the stored completions
DRAWS = 10


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Percent of paths whose first error is labelled so; too early, too late: the others."""

    right: float
    early: float
    late: float
    draws: Floats  # of `right`, over problems


def main() -> None:
    """Print a table, and draw it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("curation", type=Path)
    parser.add_argument("--figure", type=Path)
    asked = parser.parse_args()
    folder = Folder(asked.curation)
    batches = by_problem(folder.rows(Stage.SOLUTIONS, BatchRow))
    problems = usable_problems(stored_problems(folder), batches)
    scores = stored_scores(folder.rows(Stage.ROLLOUTS, RolloutRow))
    truths = [list(true_first_errors(problem)) for problem in problems]
    fewer = {share: thinned(scores, share) for share in SHARES}
    found = {
        name: {share: accuracy(problems, truths, kept, rule) for share, kept in fewer.items()}
        for name, rule in RULES.items()
    }
    print_table(found)
    if asked.figure:
        draw(found, asked.figure)


def print_table(found: Mapping[str, Mapping[int, Accuracy]]) -> None:
    """Percent right by share; of all completions the interval, errors, and lead over `hard`."""
    shares = " | ".join(f"K/{share}" for share in SHARES[:-1])
    print(f"| label | {shares} | K | too early | too late | above hard |")
    print("|---" * (len(SHARES) + 4) + "|")
    for name, by_share in found.items():
        fewer = " | ".join(f"{by_share[share].right:.1f}" for share in SHARES[:-1])
        all_, hard = by_share[SHARES[-1]], found["hard"][SHARES[-1]]
        right = with_interval(all_.right, bounds(all_.draws))
        lead = signed(all_.right - hard.right, bounds(all_.draws - hard.draws))
        print(f"| {name} | {fewer} | {right} | {all_.early:.1f} | {all_.late:.1f} | {lead} |")


def true_first_errors(problem: ProblemPaths) -> Iterator[int | None]:
    """Of each path, as the scripted teacher finds it; None where it cannot read the path."""
    stream, _, index = problem.problem.id.partition("-")
    right = easy_exercise(int(stream), int(index), Split.TRAIN)
    for path in problem.paths:
        known = critique(right, path.steps, random.Random(0))
        yield None if known is None else first_error([rationale.correct for rationale in known])


def accuracy(
    problems: Sequence[ProblemPaths],
    truths: Sequence[Sequence[int | None]],
    draws: Sequence[Mapping[str, Score]],
    rule: Progress,
) -> Accuracy:
    """Of one rule: the mean over draws of scores."""
    counts = np.mean(
        [
            [
                outcomes(problem, truth, scores, rule)
                for problem, truth in zip(problems, truths, strict=True)
            ]
            for scores in draws
        ],
        axis=0,
    )  # [problems, right | early | late]
    right, early, late = 100 * counts.sum(axis=0) / counts.sum()
    drawn = resample("labels", len(counts)) @ counts
    return Accuracy(right, early, late, 100 * drawn[:, 0] / drawn.sum(axis=1))


def thinned(scores: Mapping[str, Score], share: int) -> list[dict[str, Score]]:
    """Draws of a share of the completions; all of them need no second draw."""
    rng = np.random.default_rng([share])
    return [thin(scores, share, rng) for _ in range(1 if share == 1 else DRAWS)]


def thin(scores: Mapping[str, Score], share: int, rng: np.random.Generator) -> dict[str, Score]:
    """What fewer completions would have said; at least one of each prefix."""
    kept = {key: max(1, score.total // share) for key, score in scores.items() if score.total}
    return {
        key: Score(int(rng.hypergeometric(s.hits, s.total - s.hits, kept[key])), kept[key])
        if key in kept
        else s
        for key, s in scores.items()
    }


def outcomes(
    problem: ProblemPaths, truths: Sequence[int | None], scores: Mapping[str, Score], rule: Progress
) -> Floats:
    """How many of a problem's paths are labelled [right, too early, too late]."""
    counts = np.zeros(3)
    for path, truth in zip(problem.paths, truths, strict=True):
        if truth is not None:
            own, _ = path_scores(problem, path, Rollouts.model_construct(), scores)
            said = first_error(labels(own, problem.pass_at_1, rule))
            early = said != -1 and (truth == -1 or said < truth)
            counts[0 if said == truth else 1 if early else 2] += 1
    return counts


def draw(found: Mapping[str, Mapping[int, Accuracy]], path: Path) -> None:
    """Accuracy over the share of the paper's K, a line for each rule."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, by_share in found.items():
        places = [1 / share for share in by_share]
        axes.plot(places, [one.right for one in by_share.values()], "o-", ms=4, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks([1 / share for share in SHARES], [f"1/{share}" for share in SHARES])
    axes.set_xlabel("share of the paper's completions a prefix (K = 128, 64, 32)")
    axes.set_ylabel("first error labelled right, % of paths")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path)
    print(f"→ {path}")


if __name__ == "__main__":
    main()
