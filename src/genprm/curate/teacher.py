"""Port: a teacher, who writes a rationale for every paragraph of a solution.

Whatever can do that can teach: a language model (`critique.ModelTeacher`), or a program that
knows the domain.
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
        """What decides its critiques besides the recipe's settings: the model, the instruction."""
        ...

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """Judge a solution; what cannot be read is a critique with its cause, not an error.

        Raises:
            RequestFailed: this critique cannot be had; others can.
            ModelError, SandboxError: what the teacher works with failed for good.
        """
        ...
