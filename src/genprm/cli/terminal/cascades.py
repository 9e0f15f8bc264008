"""How `genprm evaluate cascade` pairs two runs, tests bands on them, and shows the curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE
from rich.table import Table

from genprm.cli.runs import label_of, spec_of, verdict_rows
from genprm.errors import InputError
from genprm.evaluate.metrics import score
from genprm.records.run_spec import JudgeSpec
from genprm.verify.cascade import Band, JudgedTwice, fit, outcome
from genprm.verify.cascade_config import CascadeConfig

ALLOWED = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)  # shares of differing first errors, for the curve


@dataclass(frozen=True, slots=True)
class Tested:
    """What a fitted band does on the solutions that it was not fitted on, as shares."""

    allowed: float
    low: float
    high: float
    asked: float
    tokens_saved: float
    agreement: float
    f1: float | None
    f1_of_strong: float | None


def curve(cheap: Path, strong: Path, label_field: str) -> list[Tested]:
    """Bands fitted on every second solution, tested on the others, one for each share allowed.

    Raises:
        InputError: the files are not two runs over the same solutions.
    """
    pairs, labels = _paired(cheap, strong, label_field)
    validation, test = pairs[::2], pairs[1::2]
    return [
        _tested(allowed, fit(validation, disagreement=allowed), test, labels[1::2])
        for allowed in ALLOWED
    ]


def fitted(cheap: Path, strong: Path, disagreement: float) -> CascadeConfig:
    """The cascade that is fitted on every second solution; raises as `curve`."""
    pairs, _ = _paired(cheap, strong, "label")
    return _config(cheap, strong, fit(pairs[::2], disagreement=disagreement))


def _paired(
    cheap: Path, strong: Path, label_field: str
) -> tuple[list[JudgedTwice], list[int | None]]:
    first, second = verdict_rows(cheap), verdict_rows(strong)
    if [row.solution for row in first] != [row.solution for row in second]:
        raise InputError(
            f"{cheap} and {strong} judge different solutions; "
            "fix: name two runs over the same input"
        )
    pairs = [
        JudgedTwice(one.verdict(), other.verdict())
        for one, other in zip(first, second, strict=True)
    ]
    return pairs, [label_of(row, label_field) for row in second]


def _tested(
    allowed: float, band: Band, pairs: Sequence[JudgedTwice], labels: Sequence[int | None]
) -> Tested:
    outcomes = [outcome(pair, band) for pair in pairs]
    spent = sum(one.cheap.tokens_out + one.strong.tokens_out for one in outcomes)
    alone = sum(_until_error(pair) for pair in pairs)
    same = sum(
        one.first_error == pair.strong.first_error
        for one, pair in zip(outcomes, pairs, strict=True)
    )
    known = [label for label in labels if label is not None]
    labelled = len(known) == len(labels)
    return Tested(
        allowed,
        band.low,
        band.high,
        asked=sum(one.asked for one in outcomes) / sum(one.steps for one in outcomes),
        tokens_saved=1 - spent / alone,
        agreement=same / len(pairs),
        f1=score(known, [one.first_error for one in outcomes]).f1 if labelled else None,
        f1_of_strong=(
            score(known, [pair.strong.first_error for pair in pairs]).f1 if labelled else None
        ),
    )


def _until_error(pair: JudgedTwice) -> int:
    """Tokens of the strong judge alone, stopping at its first error."""
    end = pair.strong.first_error
    judged = pair.strong.steps if end in (None, -1) else pair.strong.steps[: end + 1]
    return sum(step.usage.tokens_out for step in judged)


def _config(cheap: Path, strong: Path, band: Band) -> CascadeConfig:
    first, second = _judge_of(cheap), _judge_of(strong)
    model = first.model.name if first.model else None
    return CascadeConfig.model_validate(
        {
            "model": None if first.model == second.model else model,
            "mode": first.settings["mode"],
            "votes": first.settings["votes"],
            "low": band.low,
            "high": band.high,
        }
    )


def _judge_of(run: Path) -> JudgeSpec:
    judge = spec_of(run).judge
    if judge is None or judge.model is None:
        raise InputError(
            f"{run}: this run was judged without a model; fix: name an output of genprm verify"
        )
    return judge


def curve_table(curve: Sequence[Tested]) -> Table:
    """The curve, one allowed share in each line."""
    names = ("may differ", "unsure between", "steps asked", "tokens saved", "equal", "F1")
    table = Table(*names, "F1 of strong", box=SIMPLE)
    for row in curve:
        shares = (row.asked, row.tokens_saved, row.agreement)
        table.add_row(
            f"{100 * row.allowed:g} %",
            f"{max(row.low, 0):.3f} – {min(row.high, 1):.3f}",
            *(f"{100 * share:.1f} %" for share in shares),
            *("—" if f1 is None else f"{f1:.1f}" for f1 in (row.f1, row.f1_of_strong)),
        )
    return table
