"""The numbers of one run, as `--json` prints them and reports read them; accuracies in percent."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np

from genprm.evaluate.breakdowns import breakdowns
from genprm.evaluate.calibration import calibration, confidence, labelled_steps, risk_coverage
from genprm.evaluate.intervals import Draws, Floats, Hits, bootstrap_f1, hits, interval
from genprm.evaluate.judgement import Judgement
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.metrics import Scores, average, by_subset, f1, percent, score_subsets
from genprm.records.summaries import (
    Bounds,
    Calibration,
    GroupScores,
    Majority,
    MajorityScores,
    PassAt1,
    RiskCoverage,
    RunCost,
    ScoreIntervals,
    SubsetScores,
    Summary,
)
from genprm.verdict import total

MAJORITIES = (1, 2, 4, 8)


def summarise(rows: Sequence[LabelledSolution], predictions: Mapping[str, int | None]) -> Summary:
    """Metrics, intervals and breakdowns of predicted first errors by id."""
    scores = score_subsets(rows, predictions)
    draws = subset_draws(rows, predictions)
    abstained = [row.id for row in rows if predictions.get(row.id) is None]
    return Summary(
        subsets={
            name: SubsetScores(**_scores(own), interval=_intervals(draws[name]))
            for name, own in scores.items()
        },
        average_f1=average([subset.f1 for subset in scores.values()]),
        average_f1_interval=_bounds(average_draws(draws)),
        rows=len(rows),
        abstained=len(abstained),
        abstained_ids=tuple(abstained),
        breakdowns={
            name: {group: GroupScores(**_scores(own)) for group, own in groups.items()}
            for name, groups in breakdowns(rows, predictions).items()
        },
    )


def summarise_judgements(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]
) -> Summary:
    """Like `summarise`, with what needs votes: cost, Pass@1, Maj@k, calibration and risk."""
    summary = summarise(rows, {key: one.first_error for key, one in judgements.items()})
    costs = {name: _cost(own, judgements) for name, own in by_subset(rows).items()}
    return summary.model_copy(
        update={
            "subsets": {
                name: own.model_copy(update={"cost": costs[name]})
                for name, own in summary.subsets.items()
            },
            "cost": _cost(rows, judgements),
            "failed": {key: one.cause for key, one in judgements.items() if one.cause},
            "majority": _majorities(rows, judgements),
            "pass_at_1": _pass_at_1(rows, judgements),
            "calibration": _calibration(rows, judgements),
            "risk_coverage": _risk_coverage(rows, judgements),
        }
    )


def subset_draws(
    rows: Sequence[LabelledSolution], predictions: Mapping[str, int | None]
) -> dict[str, Draws]:
    """Bootstrap draws by subset; the same for every run over the same rows, so comparable."""
    return {
        name: bootstrap_f1(
            name,
            hits([row.first_error for row in own], [predictions.get(row.id) for row in own]),
        )
        for name, own in by_subset(rows).items()
    }


def average_draws(draws: Mapping[str, Draws]) -> Floats:
    """Draws [draws] of the average F1 over subsets."""
    by_draw: Floats = np.mean([subset.f1 for subset in draws.values()], axis=0)
    return by_draw


class _Scores(TypedDict):
    error_accuracy: float | None
    correct_accuracy: float | None
    f1: float | None
    errors: int
    corrects: int
    abstained: int


def _scores(scores: Scores) -> _Scores:
    return {
        "error_accuracy": scores.error_accuracy,
        "correct_accuracy": scores.correct_accuracy,
        "f1": scores.f1,
        "errors": scores.errors,
        "corrects": scores.corrects,
        "abstained": scores.abstained,
    }


def _intervals(draws: Draws) -> ScoreIntervals:
    return ScoreIntervals(
        error_accuracy=_bounds(draws.error_accuracy),
        correct_accuracy=_bounds(draws.correct_accuracy),
        f1=_bounds(draws.f1),
    )


def _bounds(draws: Floats) -> Bounds:
    found = interval(draws)
    return (found.low, found.high) if found else None


def _cost(rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]) -> RunCost | None:
    usages = [judgements[row.id].usage for row in rows if row.id in judgements]
    if not usages:
        return None
    spent, solutions = total(usages), len(usages)
    return RunCost(
        solutions=solutions,
        tokens_in=spent.tokens_in / solutions,
        tokens_out=spent.tokens_out / solutions,
        tokens_cached=spent.tokens_cached / solutions,
        executions=spent.executions / solutions,
        seconds=spent.seconds / solutions,
    )


def _majorities(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]
) -> dict[str, Majority | None]:
    """Maj@k for each k that the run has votes for; None if it stopped too early to know."""
    most = max((one.votes for one in judgements.values()), default=0)
    return {str(k): _majority(rows, judgements, k) for k in MAJORITIES if k <= most}


def _majority(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement], k: int
) -> Majority | None:
    """Metrics from each row's probability of a hit over all k-subsets of its votes."""

    def hit(row: LabelledSolution) -> float:
        judgement = judgements.get(row.id)
        if judgement is None or judgement.cause:
            return 0.0
        return judgement.hit_rate(row.first_error, k)

    subsets, draws = {}, {}
    for name, own in by_subset(rows).items():
        try:
            rates = {row.id: hit(row) for row in own}
        except LookupError:
            return None
        error = percent([rates[row.id] for row in own if row.has_error])
        correct = percent([rates[row.id] for row in own if not row.has_error])
        subsets[name] = MajorityScores(
            error_accuracy=error, correct_accuracy=correct, f1=f1(error, correct)
        )
        draws[name] = bootstrap_f1(
            name, Hits(np.array(list(rates.values())), np.array([row.has_error for row in own]))
        )
    return Majority(
        subsets=subsets,
        average_f1=average([one.f1 for one in subsets.values()]),
        average_f1_interval=_bounds(average_draws(draws)),
    )


def _pass_at_1(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]
) -> PassAt1 | None:
    """The average F1 of each vote on its own, over all rows: its mean and spread."""
    most = min((one.votes for one in judgements.values() if not one.cause), default=0)
    try:
        averages = [
            average(
                [
                    subset.f1
                    for subset in score_subsets(
                        rows,
                        {
                            key: None if one.cause else one.majority([vote])
                            for key, one in judgements.items()
                        },
                    ).values()
                ]
            )
            for vote in range(most)
        ]
    except LookupError:
        return None
    known = [value for value in averages if value is not None]
    if not known or len(known) < len(averages):
        return None
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return PassAt1(average_f1=float(np.mean(known)), spread=spread, votes=tuple(known))


def _calibration(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]
) -> Calibration | None:
    return calibration(*labelled_steps(rows, judgements))


def _risk_coverage(
    rows: Sequence[LabelledSolution], judgements: Mapping[str, Judgement]
) -> RiskCoverage | None:
    predicted = [judgements.get(row.id) for row in rows]
    firsts = [one.first_error if one else None for one in predicted]
    return risk_coverage(
        [confidence(one) if one else 0.0 for one in predicted],
        [row.first_error == first for row, first in zip(rows, firsts, strict=True)],
        [first is None for first in firsts],
    )
