"""The built-in domain in a curation: its problems, and its scripted teacher behind the port.

A problem's id names its place in the generator's stream, so the teacher can draw the same exercise.
"""

import random
from collections.abc import Sequence

from genprm.arithmetic.critic import critique
from genprm.arithmetic.exercise import Exercise
from genprm.arithmetic.problems import Split, easy_exercise
from genprm.arithmetic.teacher import Rationale
from genprm.errors import InputError
from genprm.problem import Problem
from genprm.records.critiques import Block, Critique, Paragraph, Unreadable
from genprm.records.run_spec import JudgeSpec
from genprm.sandbox import RunStatus

_SCRIPTED = "arithmetic:scripted"


def draw_problems(seed: int, count: int) -> list[Problem]:
    """The first `count` training problems of the stream `seed`, each text once."""
    problems: dict[str, Problem] = {}
    index = 0
    while len(problems) < count:
        drawn = _draw(seed, index)
        problems.setdefault(drawn.problem, Problem(f"{seed}-{index}", drawn.problem, drawn.answer))
        index += 1
    return list(problems.values())


def scripted_teacher(name: str) -> "ScriptedTeacher":
    """The teacher `arithmetic:scripted`, or `arithmetic:scripted:0.05`, which errs at that rate.

    Raises:
        InputError: `name` is neither.
    """
    kind, _, errors = name.removeprefix(_SCRIPTED).partition(":")
    try:
        rate = float(errors or 0)
    except ValueError:
        rate = -1.0
    if not name.startswith(_SCRIPTED) or kind or not 0 <= rate <= 1:
        raise InputError(
            f"there is no teacher {name!r}; "
            f"fix: write {_SCRIPTED} or {_SCRIPTED}:ERRORS, with ERRORS from 0 to 1"
        )
    return ScriptedTeacher(name, rate)


class ScriptedTeacher:
    """Lets execution decide, and misjudges a step in a share of its critiques."""

    def __init__(self, name: str, errors: float) -> None:
        self.spec = JudgeSpec(judge=name)
        self._errors = errors

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """See `Teacher.critique`."""
        stream, _, index = problem.id.partition("-")
        drawn = _draw(int(stream), int(index))
        found = critique(drawn, steps, random.Random(seed), errors=self._errors)
        if found is None:
            return Critique((), Unreadable.PARAGRAPHS)
        return Critique(tuple(map(_paragraph, found)), text="\n\n".join(map(_shown, found)))


def _draw(seed: int, index: int) -> Exercise:
    return easy_exercise(seed, index, Split.TRAIN)


def _paragraph(rationale: Rationale) -> Paragraph:
    block = Block("", rationale.code, rationale.output, RunStatus.OK.value)
    return Paragraph(rationale.analysis, (block,), rationale.reflection, rationale.correct)


def _shown(rationale: Rationale) -> str:
    """The critique as text, for people who read the report."""
    return "\n".join(
        (rationale.analysis, rationale.code, f"→ {rationale.output}", rationale.reflection)
    )
