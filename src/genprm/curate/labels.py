"""Stage 3's rows: every path with its scores, progress and labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from genprm.curate.folder import KEY, Row
from genprm.curate.progress import first_error, labels, progress
from genprm.curate.recipe import Progress, Rollouts
from genprm.curate.rollouts import Tree, path_scores
from genprm.curate.scores import Score


@dataclass(frozen=True, slots=True)
class LabelledPath:
    """A path and the label of each step [T]."""

    id: str
    problem: str
    steps: tuple[str, ...]
    labels: tuple[bool, ...]


def label_rows(
    forest: Sequence[Tree], stored: Mapping[str, Score], rollouts: Rollouts, settings: Progress
) -> Iterator[Row]:
    """One row for each path."""
    for tree in forest:
        for path in tree.paths:
            scores, _ = path_scores(tree, path, rollouts, stored)
            own = labels(scores, tree.pass_at_1, settings)
            compared = progress(scores, tree.pass_at_1, settings.rule)
            yield {
                KEY: path.id,
                "problem": tree.problem.id,
                "right": path.right,
                "pass_at_1": float(tree.pass_at_1),
                "steps": list(path.steps),
                "mc": [None if score is None else float(score.value) for score in scores],
                "progress": [_shown(value) for value in compared],
                "labels": own,
                "first_error": first_error(own),
            }


def labelled_paths(rows: Iterable[Row]) -> list[LabelledPath]:
    """What `label_rows` wrote, as the later stages read it."""
    return [
        LabelledPath(row[KEY], row["problem"], tuple(row["steps"]), tuple(row["labels"]))
        for row in rows
    ]


def _shown(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
