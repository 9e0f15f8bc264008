"""A scripted teacher: the rationale of every step of an `Exercise`, in the wire format.

It lets execution decide. The analysis repeats what the problem or an earlier paragraph says this
step computes, before it looks at the step. The code assigns this value to a name and compares every
expression of the step's chain with it. A model that imitates the teacher must only copy correctly.
"""

from __future__ import annotations

import contextlib
import io
import random
from dataclasses import dataclass

from genprm.arithmetic.exercise import Claim, Exercise, Family
from genprm.arithmetic.slips import Slip, make_slip

ALL_EQUAL, NOT_EQUAL = "All equal.", "Not equal, so there is an error."
FAILED = ("The code failed, so once more:", "That did not run. Again, with all definitions:")
STATED = "This paragraph says {}."


@dataclass(frozen=True, slots=True)
class Rationale:
    """The teacher's text for one step, cut where the driver of the wire format cuts it."""

    analysis: str
    code: str
    output: str  # of the code, run after the code of the earlier steps
    reflection: str
    correct: bool  # what the execution says
    slip: Slip | None = None  # a block before `code` that failed
    excuse: str = ""  # what follows a slip


def rationales(exercise: Exercise, rng: random.Random, *, slips: float = 0.0) -> list[Rationale]:
    """One rationale for each step; a share of `slips` begins with code that fails.

    Steps after the first error are judged by their own claims: a later step that is true for the
    problem is correct, and one that builds on the wrong value is wrong.
    """
    namespace: dict[str, object] = {}
    written: list[Rationale] = []
    for index, claim in enumerate(exercise.claims):
        trusted = exercise.first_error < 0 or index <= exercise.first_error
        slipped = trusted and bool(claim.recall) and rng.random() < slips
        written.append(_rationale(claim, exercise.family, namespace, rng, slipped=slipped))
    return written


def _rationale(
    claim: Claim, family: Family, namespace: dict[str, object], rng: random.Random, *, slipped: bool
) -> Rationale:
    stated = STATED.format(claim.links[-1])
    code = "\n".join((*claim.setup, comparison(claim, family)))
    slip = make_slip(code, rng) if slipped else None
    if slip:
        code = "\n".join((*claim.recall, comparison(claim, family)))
    output = run(code, namespace)
    correct = "False" not in output
    reflection = ALL_EQUAL if correct else NOT_EQUAL
    analysis = f"{claim.source} {stated}"
    return Rationale(analysis, code, output, reflection, correct, slip, rng.choice(FAILED))


def comparison(claim: Claim, family: Family) -> str:
    """The line that compares every expression of the step with the target.

    Word problems have decimals, so theirs allow for rounding.
    """
    test = f"x == {claim.target}" if family is Family.NESTED else f"abs(x - {claim.target}) < 1e-6"
    return f"print([{test} for x in [{', '.join(claim.links)}]])"


def run(code: str, namespace: dict[str, object]) -> str:
    """The output of our own code; `namespace` is kept from step to step."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue().strip()
