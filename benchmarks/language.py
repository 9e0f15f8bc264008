"""The default judge, code, the calculator and the trivial judges, on text that people wrote.

    python -m training.language.typed_set build/language
    python -m training.language.gsm8k_set ../shared/data/gsm8k/train.jsonl build/language
    genprm evaluate processbench build/language/{typed-dev,typed-test,fresh,gsm8k-planted}.jsonl \\
        ../shared/data/verify_then_generate/dataset.json \\
        ../shared/data/bigbench_mistake/multistep_arithmetic.jsonl -o build/runs/default
    python benchmarks/language.py build/language ../shared/data default=build/runs/default

More runs of `genprm evaluate processbench` can be named; each is a row in the sets that it judged
whole. The held-out rows that `benchmarks/held_out.py 150 build/language/held-out` writes are sets,
too. The table is Markdown. F1 in percent with 95 % bootstrap intervals over rows (where no row is
right: the share of errors found), how many of the errors were found that a false printed equation
gives away ("shown") and of the others ("hidden"), and the paired difference to the calculator.
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
from genprm.evaluate.intervals import Floats, bootstrap_f1, bounds, hits
from genprm.evaluate.labelled import LabelledSolution, read_files
from genprm.evaluate.metrics import score
from genprm.evaluate.run import read_run
from genprm.problem import Solution

Predictions = Sequence[int | None]
SETS = (
    ("typed, dev", "typed-dev.jsonl"),
    ("typed, test", "typed-test.jsonl"),
    ("typed, fresh", "fresh.jsonl"),
    ("GSM8K, one planted error", "gsm8k-planted.jsonl"),
    ("held out, nested expressions", "held-out/nested.jsonl"),
    ("held out, word problems", "held-out/story.jsonl"),
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
    return row.has_error and not all(claim.holds for claim in equations(step))


def table(name: str, rows: Sequence[LabelledSolution], judges: Mapping[str, Predictions]) -> None:
    labels = [row.first_error for row in rows]
    wrong = [(place, shown(row)) for place, row in enumerate(rows) if row.has_error]
    title = f"{name} ({len(rows)}, {len(wrong)} wrong, {sum(s for _, s in wrong)} shown)"
    drawn = {judge: draws(name, labels, found) for judge, found in judges.items()}
    for judge, found in judges.items():
        scores = score(labels, found)
        main = scores.error_accuracy if scores.f1 is None else scores.f1
        parts = [
            f"{sum(found[place] == labels[place] for place in own)}/{len(own)}"
            for own in ([p for p, s in wrong if s], [p for p, s in wrong if not s])
        ]
        cells = (
            title if judge == "constant" else "",
            judge,
            f"{_percent(main)} {_bounds(bounds(drawn[judge]))}",
            f"{_percent(scores.error_accuracy)}, {_percent(scores.correct_accuracy)}",
            *parts,
            _bounds(bounds(drawn[judge] - drawn["calculator"])),
        )
        print(f"| {' | '.join(cells)} |")


def draws(name: str, labels: Sequence[int], found: Predictions) -> Floats:
    """Resampled F1, or shares of errors found where every row has an error."""
    resampled = bootstrap_f1(name, hits(labels, found))
    return resampled.error_accuracy if -1 not in labels else resampled.f1


def half(row: LabelledSolution) -> int:
    """0 for development, 1 to report on: by a hash of the problem, so nothing else decides it."""
    return zlib.crc32(row.solution.problem.encode()) % 2


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _bounds(found: Sequence[float] | None) -> str:
    return "" if found is None else f"[{found[0]:.1f}, {found[1]:.1f}]"


def main(folder: Path, shared: Path, runs: Mapping[str, Path]) -> None:
    sets = [(name, read_files([folder / file])) for name, file in SETS if (folder / file).exists()]
    bigbench = read_files([shared / "bigbench_mistake/multistep_arithmetic.jsonl"])
    written = read_files([shared / "verify_then_generate/dataset.json"])
    sets += [("BIG-Bench-Mistake", bigbench), ("verify_then_generate, second half", written[426:])]
    for number, part in enumerate(("dev half", "reported half")):
        rows = [row for row in bigbench if half(row) == number]
        sets.append((f"BIG-Bench-Mistake, {part}", rows))
    print("| rows | judge | F1 | with an error, without | shown | hidden | minus calculator |")
    print("|---|---|---|---|---|---|---|")
    for name, rows in sets:
        judges = judged(rows)
        for run, place in runs.items():
            predictions = read_run(place).predictions
            if all(row.id in predictions for row in rows):
                judges[run] = [predictions[row.id] for row in rows]
        table(name, rows, judges)


named = (argument.split("=") for argument in sys.argv[3:])
main(Path(sys.argv[1]), Path(sys.argv[2]), {name: Path(place) for name, place in named})
