"""One run's numbers: `summary.json`, what `--json` prints, and what reports read.

Accuracies and F1 are in percent; None where they are undefined. An interval is (low, high).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import Field

from genprm.records.record import JsonObject, Record

Bounds: TypeAlias = tuple[float, float] | None


class GroupScores(Record):
    """Metrics of some rows: their numbers with and without an error, and without a prediction."""

    error_accuracy: float | None
    correct_accuracy: float | None
    f1: float | None
    errors: int
    corrects: int
    abstained: int


class ScoreIntervals(Record):
    """The 95 % bootstrap intervals of a subset's metrics."""

    error_accuracy: Bounds
    correct_accuracy: Bounds
    f1: Bounds


class RunCost(Record):
    """What a solution cost on average, over `solutions` of them."""

    solutions: int
    tokens_in: float
    tokens_out: float
    tokens_cached: float
    executions: float
    seconds: float


class SubsetScores(GroupScores):
    """A subset's metrics; `cost` where a judge was at work."""

    interval: ScoreIntervals
    cost: RunCost | None = None


class MajorityScores(Record):
    """A subset's metrics under Maj@k."""

    error_accuracy: float | None
    correct_accuracy: float | None
    f1: float | None


class Majority(Record):
    """Maj@k: the mean over all k-subsets of the votes."""

    subsets: Mapping[str, MajorityScores]
    average_f1: float | None
    average_f1_interval: Bounds


class PassAt1(Record):
    """The average F1 of single votes: its mean, its standard deviation, and each one's."""

    average_f1: float
    spread: float | None
    votes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """Steps whose reward fell into [low, high), the last bin closed."""

    low: float
    high: float
    count: int
    reward: float | None  # mean
    right: float | None  # share of correct steps


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of `steps` labelled steps: expected calibration error, Brier score, reliability curve."""

    steps: int
    ece: float
    brier: float
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Answering only the most confident rows: `risk` [i] is the error rate at `coverage` [i].

    Rows of equal confidence enter together. Abstained rows enter last, as errors. `area` is the
    mean risk over all coverages (AURC; lower is better).
    """

    coverage: tuple[float, ...]
    risk: tuple[float, ...]
    area: float


class Summary(Record):
    """The numbers of a run. What needs votes is absent where predictions are scored."""

    subsets: Mapping[str, SubsetScores]
    average_f1: float | None
    average_f1_interval: Bounds
    rows: int
    abstained: int
    abstained_ids: tuple[str, ...] = ()
    breakdowns: Mapping[str, Mapping[str, GroupScores]] = Field(default_factory=dict)
    cost: RunCost | None = None
    failed: Mapping[str, str] = Field(default_factory=dict)
    majority: Mapping[str, Majority | None] = Field(default_factory=dict)
    pass_at_1: PassAt1 | None = None
    calibration: Calibration | None = None
    risk_coverage: RiskCoverage | None = None
    unreadable: Mapping[str, str] = Field(default_factory=dict)
    unknown_ids: tuple[str, ...] = ()

    def shown(self) -> JsonObject:
        """As plain JSON values, without what was not measured."""
        values: JsonObject = self.model_dump(mode="json", exclude_unset=True)
        return values

    def text(self) -> str:
        """The content of `summary.json`."""
        return json.dumps(self.shown(), indent=1) + "\n"
