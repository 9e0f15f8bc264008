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
    """What does the work. Each is opened when a stage needs it, and closed after it."""

    def problems(self) -> list[Problem]:
        """The recipe's problems."""
        ...

    def policy(self) -> AbstractAsyncContextManager[Policy]:
        """Writes the solutions."""
        ...

    def completer(self) -> AbstractAsyncContextManager[Policy]:
        """Finishes prefixes of them."""
        ...

    def teacher(self) -> AbstractAsyncContextManager[Teacher]:
        """Writes the rationales."""
        ...

    def checker(self) -> AnswerChecker:
        """Compares answers."""
        ...


@dataclass(frozen=True, slots=True)
class ProgressCallback:
    """Is told how far a stage is: `begin(stage, units)`, then `advance()` for each unit."""

    begin: Callable[[Stage, int], None] = lambda *_: None
    advance: Callable[[], None] = lambda: None
