"""Stage 3's rows: every path with its scores, progress and labels."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from genprm.curate.progress import labels, progress
from genprm.curate.recipe import Progress, Rollouts
from genprm.curate.rollouts import ProblemPaths, scored_paths
from genprm.curate.scores import Score
from genprm.records.curation import LabelledPathRow
from genprm.verdict import first_error


def label_rows(
    problems: Sequence[ProblemPaths],
    stored: Mapping[str, Score],
    rollouts: Rollouts,
    settings: Progress,
) -> Iterator[LabelledPathRow]:
    """One row for each path that has its scores."""
    for problem in problems:
        for path, scores in scored_paths(problem, rollouts, stored):
            own = labels(scores, problem.pass_at_1, settings)
            compared = progress(scores, problem.pass_at_1, settings.rule)
            yield LabelledPathRow(
                key=path.id,
                problem=problem.problem.id,
                correct=path.correct,
                pass_at_1=float(problem.pass_at_1),
                steps=path.steps,
                mc=tuple(None if score is None else float(score.value) for score in scores),
                progress=tuple(map(_number, compared)),
                labels=tuple(own),
                first_error=first_error(own),
            )


def _number(value: Fraction | None) -> float | None:
    return None if value is None else float(value)
