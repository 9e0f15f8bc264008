"""A task: plain data from which the rows of a command can be computed on any machine.

A task can be sent to another process. There it is opened once, which loads the model and starts
the sandbox, and then computes one row for each item. Rows are identified by their keys.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, Generic

from genprm.records.record import JsonObject, Key
from genprm.records.run_spec import RunSpec
from genprm.worker import Item, Needs, R, Worker


class Task(ABC, Generic[Item, R]):
    """How the rows of one command are computed from items: frozen, plain, picklable data."""

    command: ClassVar[str]
    needs: ClassVar[Needs] = Needs()
    row_type: type[R]

    @property
    @abstractmethod
    def settings(self) -> JsonObject:
        """The command's own settings, without those of the judge and the policy."""

    @abstractmethod
    def key(self, row: int, item: Item) -> Key:
        """The key of the item's row."""

    @abstractmethod
    def problem(self, item: Item) -> str:
        """The problem, which identifies an item whose row failed."""

    @abstractmethod
    def input(self, items: Sequence[Item]) -> str:
        """A hash of everything in the items that the rows depend on."""

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[Worker[Item, R]]:
        """The worker, closed at the end."""


def spec_of(task: Task[Item, R], worker: Worker[Item, R], items: Sequence[Item]) -> RunSpec:
    """Everything that decides the rows; a run that was started under another spec is refused."""
    return RunSpec(
        command=task.command,
        input=task.input(items),
        judge=worker.judge,
        policy=worker.policy,
        settings=task.settings,
    )
