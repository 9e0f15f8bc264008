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

    error_accuracy: float | None  # share of rows with an error whose first error was found, %
    correct_accuracy: float | None  # share of rows without an error that were judged so, %
    f1: float | None  # harmonic mean of the two, %
    errors: int  # rows with an error
    corrects: int  # rows without an error
    abstained: int  # rows without a prediction


class ScoreIntervals(Record):
    """The 95 % bootstrap intervals of a subset's metrics."""

    error_accuracy: Bounds  # of the error accuracy, %
    correct_accuracy: Bounds  # of the correct accuracy, %
    f1: Bounds  # of F1, %


class RunCost(Record):
    """The mean cost of a solution, over `solutions` of them."""

    solutions: int  # number of solutions
    tokens_in: float  # tokens of prompts
    tokens_out: float  # generated tokens
    tokens_cached: float  # tokens of prompts that came from the prefix cache
    executions: float  # blocks of code that ran
    seconds: float  # wall-clock seconds


class SubsetScores(GroupScores):
    """A subset's metrics; `cost` is absent if stored predictions were scored."""

    interval: ScoreIntervals  # 95 % intervals
    cost: RunCost | None = None  # mean cost of a solution


class MajorityScores(Record):
    """A subset's metrics under Maj@k."""

    error_accuracy: float | None  # as in GroupScores
    correct_accuracy: float | None  # as in GroupScores
    f1: float | None  # as in GroupScores


class Majority(Record):
    """Maj@k: the mean over all k-subsets of the votes."""

    subsets: Mapping[str, MajorityScores]  # metrics by subset
    average_f1: float | None  # mean F1 over subsets, %
    average_f1_interval: Bounds  # its 95 % interval


class PassAt1(Record):
    """The average F1 of single votes: its mean, its standard deviation, and that of each vote."""

    average_f1: float  # mean over the votes, %
    spread: float | None  # standard deviation over the votes
    votes: tuple[float, ...]  # average F1 of each vote


@dataclass(frozen=True, slots=True)
class Bin:
    """Steps whose reward fell into [low, high), the last bin closed."""

    low: float  # lower bound
    high: float  # upper bound
    count: int  # number of steps
    reward: float | None  # mean reward
    right: float | None  # share of correct steps


@dataclass(frozen=True, slots=True)
class Calibration:
    """Expected calibration error, Brier score and reliability curve of `steps` labelled steps."""

    steps: int  # number of labelled steps
    ece: float  # expected calibration error
    brier: float  # Brier score
    bins: tuple[Bin, ...]  # reliability curve


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Answering only the most confident rows: `risk` [i] is the error rate at `coverage` [i].

    Rows of equal confidence are added together, and abstained rows last, as errors. `area` is the
    mean risk over all coverages (AURC; lower is better).
    """

    coverage: tuple[float, ...]  # shares of rows that are answered
    risk: tuple[float, ...]  # error rate at each of these shares
    area: float  # mean risk over all shares (AURC)


class Summary(Record):
    """The numbers of a run. Those that need votes are absent if stored predictions were scored."""

    subsets: Mapping[str, SubsetScores]  # metrics by subset
    average_f1: float | None  # mean F1 over subsets, %
    average_f1_interval: Bounds  # its 95 % interval
    rows: int  # number of rows
    abstained: int  # rows without a prediction
    abstained_ids: tuple[str, ...] = ()  # ids of these rows
    # metrics by other properties of rows
    breakdowns: Mapping[str, Mapping[str, GroupScores]] = Field(default_factory=dict)
    cost: RunCost | None = None  # mean cost of a solution
    # rows that could not be judged, with the cause
    failed: Mapping[str, str] = Field(default_factory=dict)
    majority: Mapping[str, Majority | None] = Field(default_factory=dict)  # Maj@k by k
    pass_at_1: PassAt1 | None = None  # average F1 of single votes
    calibration: Calibration | None = None  # calibration of step rewards
    risk_coverage: RiskCoverage | None = None  # error rate by share of answered rows
    # input rows that were left out, with the cause
    unreadable: Mapping[str, str] = Field(default_factory=dict)
    unknown_ids: tuple[str, ...] = ()  # stored predictions that match no row

    def shown(self) -> JsonObject:
        """The summary as plain JSON values, without what was not measured."""
        values: JsonObject = self.model_dump(mode="json", exclude_unset=True)
        return values

    def text(self) -> str:
        """The content of `summary.json`."""
        return json.dumps(self.shown(), indent=1) + "\n"
