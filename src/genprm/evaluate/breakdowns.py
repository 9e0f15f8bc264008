"""The same metrics over parts of the rows: where a judge is good and where it is not."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.metrics import Scores, score

LENGTHS = (1, 4, 7, 10, 13, 1_000_000)  # bounds of the groups by number of steps
POSITIONS = (0, 1, 2, 3, 4, 6, 9, 1_000_000)  # bounds of the groups by index of the error


def breakdowns(
    rows: Sequence[LabelledSolution], predictions: Mapping[str, int | None]
) -> dict[str, dict[str, Scores]]:
    """Scores by group, for every way of grouping that applies to these rows.

    `right_answer_wrong_process` holds rows with a correct final answer and a wrong step.
    """
    lucky = {True: "right answer, wrong process", False: "wrong answer, wrong process"}
    groupings: dict[str, Callable[[LabelledSolution], str | None]] = {
        "generator": lambda row: row.generator,
        "error_position": lambda row: _range(row.first_error, POSITIONS) if row.has_error else None,
        "steps": lambda row: _range(len(row.solution.steps), LENGTHS),
        "process": lambda row: (
            lucky[row.answer_correct] if row.has_error and row.answer_correct is not None else None
        ),
    }
    return {
        name: groups
        for name, grouping in groupings.items()
        if (groups := _scores(rows, predictions, grouping))
    }


def _scores(
    rows: Sequence[LabelledSolution],
    predictions: Mapping[str, int | None],
    grouping: Callable[[LabelledSolution], str | None],
) -> dict[str, Scores]:
    groups: dict[str, list[LabelledSolution]] = {}
    for row in rows:
        name = grouping(row)
        if name is not None:
            groups.setdefault(name, []).append(row)
    return {
        name: score([row.first_error for row in own], [predictions.get(row.id) for row in own])
        for name, own in sorted(groups.items(), key=lambda item: _natural(item[0]))
    }


def _range(value: int, bounds: Sequence[int]) -> str:
    """The name of the half-open range that a value falls into."""
    for low, high in pairwise(bounds):
        if low <= value < high:
            if high == bounds[-1]:
                return f"{low}+"
            return str(low) if high == low + 1 else f"{low}-{high - 1}"
    raise ValueError(f"{value} is outside {bounds}")


def _natural(name: str) -> tuple[int, str]:
    digits = name.rstrip("+").split("-")[0]
    return (int(digits) if digits.isdecimal() else 0, name)
