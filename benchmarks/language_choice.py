"""Best-of-8 by the lowest step reward on real samples, for judges without a model.

    python benchmarks/language_choice.py ../shared/data/bon32/gsm8k_a.jsonl

The mean over all subsets of 8 of each problem's 32 samples, 95 % bootstrap intervals over problems,
and the paired differences to majority. The default judge asks its model only near to the model's
own text; the last line tells for how many samples that would be so.
"""

import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import numpy as np

from genprm.answer import AnswerChecker
from genprm.calculator.equations import Claim, equations
from genprm.calculator.expressions import Expression
from genprm.calculator.units import conversions
from genprm.calculator.unknowns import Unknowns
from genprm.evaluate.baselines.trivial import adds_up
from genprm.evaluate.best_of_n import best_of_n, majority, pass_at_n
from genprm.evaluate.intervals import Floats, bootstrap_mean, bounds
from genprm.evaluate.pools import read_graded
from genprm.pools import Pool, read_pools
from genprm.verify.aggregate import Aggregate
from genprm.verify.code_judge import ALL_HOLD, NOTHING_CHECKED
from genprm.verify.domain import Domain

N = 8


def code(problem: str, steps: tuple[str, ...]) -> Iterator[float]:
    """The code judge's reward of each step."""
    unknowns, expression = Unknowns(problem), Expression(problem)
    for step in steps:
        claims: list[Claim] = [*equations(step), *conversions(step)]
        claims += [*unknowns.check(step), *expression.check(step)]
        if not claims:
            yield NOTHING_CHECKED
        else:
            yield ALL_HOLD if all(claim.holds for claim in claims) else 0.0


def refuted(problem: str, steps: tuple[str, ...]) -> Iterator[float]:
    """The same without the guessed rewards of what code does not refute."""
    return (float(reward > 0) for reward in code(problem, steps))


def calculator(_: str, steps: tuple[str, ...]) -> Iterator[float]:
    return (float(adds_up(step)) for step in steps)


JUDGES: dict[str, Callable[[str, tuple[str, ...]], Iterator[float]]] = {
    "calculator": calculator,
    "code, refuted or not": refuted,
    "default": code,
}


def lowest(pool: Pool, judge: str) -> list[float | None]:
    rewards = JUDGES[judge]
    steps = (sample.steps for sample in pool.samples)
    return [Aggregate.MIN.score(list(rewards(pool.problem.text, one))) for one in steps]


def main(path: Path) -> None:
    pools = read_pools(str(path))
    with AnswerChecker() as checker:
        graded = read_graded(path, checker)
    expected: dict[str, list[Floats]] = {
        "one sample": [pass_at_n(pool.correct)[:1].repeat(N) for pool in graded],
        "majority": [majority(pool.answers, pool.correct) for pool in graded],
        "Pass@8": [pass_at_n(pool.correct) for pool in graded],
    }
    for judge in JUDGES:
        expected[judge] = [
            best_of_n(lowest(pool, judge), own.correct)
            for pool, own in zip(pools, graded, strict=True)
        ]
    values = {name: np.array([curve[N - 1] for curve in own]) for name, own in expected.items()}
    print(f"{path.name}: {len(pools)} problems")
    for name, own in values.items():
        level = bounds(bootstrap_mean("bon32", own * 100))
        gap = bounds(bootstrap_mean("bon32", (own - values["majority"]) * 100))
        print(f"| {name} | {own.mean() * 100:.1f} {_shown(level)} | {_shown(gap)} |")
    weights = resources.files("genprm") / "arithmetic/weights/verifier/domain.txt"
    domain = Domain.read(Path(str(weights)))
    samples = [(pool.problem.text, sample.steps) for pool in pools for sample in pool.samples]
    near = sum(domain.covers((problem, steps[0])) for problem, steps in samples)
    print(f"{near} of {len(samples)} samples begin near to the shipped model's own text")


def _shown(found: list[float] | None) -> str:
    return "" if found is None else f"[{found[0]:.1f}, {found[1]:.1f}]"


main(Path(sys.argv[1]))
