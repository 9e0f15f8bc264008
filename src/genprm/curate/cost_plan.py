"""The expected cost of the stages, computed before a run and compared with the actual cost.

A plan comes from a pilot, which is the same pipeline with a few of the problems, scaled up, or from
the assumptions in the recipe. It is stored as `plan.json` in the curation's folder.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil, log2
from pathlib import Path

from genprm.curate.engines import Engines
from genprm.curate.recipe import Assumptions, Curation, Estimator
from genprm.curate.scores import completions
from genprm.curate.stages import Stage
from genprm.curate.stats import CurationStats, StageCost
from genprm.errors import InputError
from genprm.problem import Problem

_NEEDED = (
    "solved",
    "kept_problems",
    "samples",
    "paths",
    "steps",
    "problem_tokens",
    "step_tokens",
    "critique_tokens",
    "sampled",
    "agreed",
)


@dataclass(frozen=True, slots=True)
class CostPlan:
    """A plan: costs by stage, and the number of rows that the funnel leaves."""

    basis: str  # "pilot of N problems" or "the recipe's assumptions"
    problems: int
    kept_problems: float
    paths: float
    kept_paths: float
    costs: dict[Stage, StageCost]
    gpu_hours: dict[Stage, float | None]  # None: no throughput is known
    binary_completions: float | None  # what a binary search would take instead

    def store(self, file: Path) -> None:
        """Write `plan.json`."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, file: Path) -> "CostPlan | None":
        """Read what `store` wrote, if it exists."""
        if not file.exists():
            return None
        content = json.loads(file.read_text("utf-8"))
        content["costs"] = {Stage(k): StageCost(**v) for k, v in content["costs"].items()}
        content["gpu_hours"] = {Stage(k): v for k, v in content["gpu_hours"].items()}
        return cls(**content)


class PilotEngines:
    """Engines for a few of the problems."""

    def __init__(self, engines: Engines, problems: Sequence[Problem], count: int) -> None:
        self._few = pilot_problems(problems, count)
        self.policy = engines.policy
        self.completer = engines.completer
        self.teacher = engines.teacher
        self.checker = engines.checker

    def problems(self) -> list[Problem]:
        """See `Engines`."""
        return self._few


def pilot_problems(problems: Sequence[Problem], count: int) -> list[Problem]:
    """`count` problems, spread evenly over all, in case the file is sorted."""
    count = min(count, len(problems))
    return [problems[index * len(problems) // count] for index in range(count)]


def from_pilot(pilot: CurationStats, recipe: Curation, problems: int) -> CostPlan:
    """Scale what a pilot measured."""
    assert pilot.solutions is not None
    factor = problems / pilot.solutions.problems
    costs = {stage: cost.scaled(factor) for stage, cost in pilot.costs.items()}
    rollouts, rationales = pilot.rollouts, pilot.rationales
    return CostPlan(
        basis=f"a pilot of {pilot.solutions.problems} problems",
        problems=problems,
        kept_problems=pilot.solutions.kept * factor,
        paths=(pilot.solutions.correct + pilot.solutions.incorrect) * factor,
        kept_paths=(rationales.kept if rationales else 0) * factor,
        costs=costs,
        gpu_hours={stage: _hours(stage, cost, recipe.plan) for stage, cost in costs.items()},
        binary_completions=rollouts.binary * factor if rollouts and rollouts.binary else None,
    )


def from_assumptions(recipe: Curation, problems: int) -> CostPlan:
    """What the recipe's `plan` table implies.

    Raises:
        InputError: an assumption is missing.
    """
    plan = recipe.plan
    missing = [name for name in _NEEDED if getattr(plan, name) is None]
    if missing:
        raise InputError(
            f"field curate.plan: {', '.join(missing)} missing; fix: add them, or --pilot N"
        )
    # Checked just above: no field that is needed is None.
    known = {name: float(getattr(plan, name)) for name in _NEEDED}
    kept = problems * known["kept_problems"]
    paths = kept * known["paths"]
    samples = problems * known["samples"]
    solution = known["steps"] * known["step_tokens"]
    critiques = paths * recipe.rationales.samples
    per_prefix = completions(Fraction(str(plan.solved)), recipe.rollouts.bands)
    exhaustive = paths * max(known["steps"] - 1, 0) * per_prefix * known["sampled"]
    binary = paths / 2 * ceil(log2(max(known["steps"], 2))) * per_prefix
    rollouts = exhaustive if recipe.rollouts.estimator is Estimator.EXHAUSTIVE else binary
    costs = {
        Stage.SOLUTIONS: StageCost(samples, samples * known["problem_tokens"], samples * solution),
        Stage.ROLLOUTS: StageCost(
            rollouts,
            rollouts * (known["problem_tokens"] + solution / 2),
            rollouts * solution / 2,
        ),
        Stage.RATIONALES: StageCost(
            critiques * (1 + known["steps"]),  # about one block a step
            critiques * (1 + known["steps"]) * (known["problem_tokens"] + solution),
            critiques * known["critique_tokens"],
        ),
    }
    return CostPlan(
        basis="the recipe's assumptions",
        problems=problems,
        kept_problems=kept,
        paths=paths,
        kept_paths=paths * known["agreed"],
        costs=costs,
        gpu_hours={stage: _hours(stage, cost, plan) for stage, cost in costs.items()},
        binary_completions=binary,
    )


def _hours(stage: Stage, cost: StageCost, plan: Assumptions) -> float | None:
    """GPU hours by the recipe's throughput, or otherwise the scaled time of one engine."""
    rate: float | None = getattr(plan.tokens_per_second, stage.value)
    if rate is not None:
        return cost.tokens_out / rate / 3600
    return None if cost.seconds is None else cost.seconds / 3600
