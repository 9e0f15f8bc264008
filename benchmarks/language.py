"""Code, the calculator and the other judges without a model, on text that people wrote.

    python -m training.language.typed_set build/language
    python -m training.language.gsm8k_set ../shared/data/gsm8k/train.jsonl build/language
    python benchmarks/language.py build/language ../shared/data [NAME=RUN-FOLDER ...]

First-error F1 in percent with 95 % bootstrap intervals over rows, the share of errors found that a
false printed equation gives away and of the others, and the paired difference to the calculator. A
run folder is one of `genprm evaluate processbench` on typed-test.jsonl.
"""

import asyncio
import sys
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from genprm.calculator.equations import equations
from genprm.calculator.expressions import Expression
from genprm.calculator.units import conversions
from genprm.calculator.unknowns import Unknowns
from genprm.evaluate.baselines.trivial import Calculator, Constant, Position
from genprm.evaluate.intervals import bootstrap_f1, bounds, hits
from genprm.evaluate.labelled import LabelledSolution, read_files
from genprm.evaluate.metrics import score
from genprm.evaluate.run import read_run
from genprm.problem import Solution

Predictions = Sequence[int | None]
SETS = (
    ("typed, dev", "typed-dev.jsonl"),
    ("typed, test", "typed-test.jsonl"),
    ("GSM8K, one planted error", "gsm8k-planted.jsonl"),
)


def code(solution: Solution) -> int:
    """The first step that code refutes: what the default judge says of text far from its model."""
    unknowns, expression = Unknowns(solution.problem), Expression(solution.problem)
    for index, step in enumerate(solution.steps):
        claims = [*equations(step), *conversions(step)]
        claims += [*unknowns.check(step), *expression.check(step)]
        if not all(claim.holds for claim in claims):
            return index
    return -1


async def baseline(judge: Constant | Calculator | Position, row: LabelledSolution) -> int | None:
    return (await judge.judge(0, row.solution)).first_error


def judged(rows: Sequence[LabelledSolution]) -> dict[str, Predictions]:
    judges: dict[str, Constant | Calculator | Position] = {
        "constant": Constant(),
        "position": Position(),
        "calculator": Calculator(),
    }
    found: dict[str, Predictions] = {
        name: [asyncio.run(baseline(judge, row)) for row in rows] for name, judge in judges.items()
    }
    return {**found, "code": [code(row.solution) for row in rows]}


def shown(row: LabelledSolution) -> bool:
    """Whether a false printed equation stands in the first wrong step."""
    step = row.solution.steps[row.first_error]
    return row.wrong and not all(claim.holds for claim in equations(step))


def table(name: str, rows: Sequence[LabelledSolution], judges: Mapping[str, Predictions]) -> None:
    labels = [row.first_error for row in rows]
    wrong = [(row, shown(row)) for row in rows if row.wrong]
    print(
        f"\n{name}: {len(rows)} rows, {len(wrong)} wrong, {sum(s for _, s in wrong)} of them shown"
    )
    reference = bootstrap_f1(name, hits(labels, judges["calculator"])).f1
    for judge, predictions in judges.items():
        scores = score(labels, predictions)
        draws = bootstrap_f1(name, hits(labels, predictions)).f1
        by_id = {row.id: p for row, p in zip(rows, predictions, strict=True)}
        parts = [
            f"{sum(by_id[r.id] == r.first_error for r in own)}/{len(own)}"
            for own in ([r for r, s in wrong if s], [r for r, s in wrong if not s])
        ]
        print(
            f"  {judge:12} F1 {_percent(scores.f1)} {_bounds(bounds(draws))}"
            f"  wrong {_percent(scores.error_accuracy)} right {_percent(scores.correct_accuracy)}"
            f"  shown {parts[0]} hidden {parts[1]}"
            f"  minus calculator {_bounds(bounds(draws - reference))}"
        )


def half(row: LabelledSolution) -> int:
    """0 for development, 1 to report on: by a hash of the problem, so nothing else decides it."""
    return zlib.crc32(row.solution.problem.encode()) % 2


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _bounds(found: Sequence[float] | None) -> str:
    return "-" if found is None else f"[{found[0]:+.1f}, {found[1]:+.1f}]"


def main(folder: Path, shared: Path, runs: Mapping[str, Path]) -> None:
    sets = [(name, read_files([folder / file])) for name, file in SETS if (folder / file).exists()]
    bigbench = read_files([shared / "bigbench_mistake/multistep_arithmetic.jsonl"])
    written = read_files([shared / "verify_then_generate/dataset.json"])
    sets += [("BIG-Bench-Mistake", bigbench), ("verify_then_generate, second half", written[426:])]
    for number, part in enumerate(("dev half", "reported half")):
        rows = [row for row in bigbench if half(row) == number]
        sets.append((f"BIG-Bench-Mistake, {part}", rows))
    for name, rows in sets:
        judges = judged(rows)
        for run, place in runs.items():
            predictions = read_run(place).predictions
            if all(row.id in predictions for row in rows):
                judges[run] = [predictions[row.id] for row in rows]
        table(name, rows, judges)


named = (argument.split("=") for argument in sys.argv[3:])
main(Path(sys.argv[1]), Path(sys.argv[2]), {name: Path(place) for name, place in named})
