"""Port: a teacher, which writes a rationale for every paragraph of a solution.

A teacher can be a language model (`critique.ModelTeacher`) or a program that knows the domain.
"""

from collections.abc import Sequence
from typing import Protocol

from genprm.problem import Problem
from genprm.records.critiques import Critique
from genprm.records.run_spec import JudgeSpec


class Teacher(Protocol):
    """Writes critiques. Safe to call concurrently from one event loop."""

    @property
    def spec(self) -> JudgeSpec:
        """What decides its critiques, apart from the recipe: the model and the instruction."""
        ...

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """Judge a solution; if the result cannot be read, the critique has the cause.

        Raises:
            RequestFailed: this critique failed; others may succeed.
            ModelError, SandboxError: the teacher's engine or sandbox failed permanently.
        """
        ...
