"""Port: the engines of a curation, and the callback for its progress."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from genprm.answer import AnswerChecker
from genprm.curate.stages import Stage
from genprm.curate.teacher import Teacher
from genprm.policy import Policy
from genprm.problem import Problem


class Engines(Protocol):
    """The engines of a curation. Each is opened when a stage needs it, and closed afterwards."""

    def problems(self) -> list[Problem]:
        """The recipe's problems."""
        ...

    def policy(self) -> AbstractAsyncContextManager[Policy]:
        """The policy, which writes the solutions."""
        ...

    def completer(self) -> AbstractAsyncContextManager[Policy]:
        """The completion model, which finishes prefixes of solutions."""
        ...

    def teacher(self) -> AbstractAsyncContextManager[Teacher]:
        """The teacher, which writes the rationales."""
        ...

    def checker(self) -> AnswerChecker:
        """The checker, which compares answers."""
        ...


@dataclass(frozen=True, slots=True)
class ProgressCallback:
    """Receives the progress of a stage: `begin(stage, units)`, then `advance()` for each unit."""

    begin: Callable[[Stage, int], None] = lambda *_: None
    advance: Callable[[], None] = lambda: None
