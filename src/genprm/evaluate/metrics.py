"""ProcessBench's metrics, as its official script (`code/run_eval*.py`) defines them.

A row is hit when the predicted first error equals the label; a prediction of None (the judge
abstained, or there is none) never is. Error accuracy is the share of hits among rows whose label
is not -1, correct accuracy among the others, F1 their harmonic mean; all in percent, and the
average is the plain mean of the subsets' F1.

Where the script divides by zero this differs: two accuracies of 0 give an F1 of 0.0 (the script
prints nan), and an accuracy over no rows is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genprm.evaluate.labelled import LabelledSolution


@dataclass(frozen=True, slots=True)
class Scores:
    """One subset's metrics, in percent; None where there are no rows of the kind."""

    error_accuracy: float | None
    correct_accuracy: float | None
    errors: int  # rows with an error
    corrects: int  # rows without one
    abstained: int  # rows without a prediction: misses

    @property
    def f1(self) -> float | None:
        """Harmonic mean of the two accuracies."""
        return f1(self.error_accuracy, self.correct_accuracy)


def score(labels: Sequence[int], predictions: Sequence[int | None]) -> Scores:
    """Metrics of predicted first errors [rows] against labels [rows]."""
    pairs = list(zip(labels, predictions, strict=True))
    error_hits = [label == prediction for label, prediction in pairs if label != -1]
    correct_hits = [label == prediction for label, prediction in pairs if label == -1]
    return Scores(
        percent(error_hits),
        percent(correct_hits),
        len(error_hits),
        len(correct_hits),
        sum(prediction is None for prediction in predictions),
    )


def score_subsets(
    rows: Sequence[LabelledSolution], predictions: Mapping[str, int | None]
) -> dict[str, Scores]:
    """Metrics by subset, in order of appearance; an id without a prediction is abstained."""
    return {
        subset: score([row.first_error for row in own], [predictions.get(row.id) for row in own])
        for subset, own in by_subset(rows).items()
    }


def by_subset(rows: Sequence[LabelledSolution]) -> dict[str, list[LabelledSolution]]:
    """Rows grouped by subset, in order of appearance."""
    groups: dict[str, list[LabelledSolution]] = {}
    for row in rows:
        groups.setdefault(row.subset, []).append(row)
    return groups


def f1(error_accuracy: float | None, correct_accuracy: float | None) -> float | None:
    """Harmonic mean of two percentages; None where one is undefined."""
    if error_accuracy is None or correct_accuracy is None:
        return None
    total = error_accuracy + correct_accuracy
    return 2 * error_accuracy * correct_accuracy / total if total else 0.0


def average(values: Sequence[float | None]) -> float | None:
    """Plain mean; None if a value is undefined, since a mean over fewer subsets would mislead."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def percent(hits: Sequence[bool | float]) -> float | None:
    """Mean in percent; None without values."""
    return sum(hits) / len(hits) * 100 if hits else None
