"""A real Ray cluster on this machine: a head without CPUs, and nodes that come and go.

Also tasks for it that any of its workers can import: sums that are made, killed, and refused.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from genprm.errors import ModelError, RequestFailed
from genprm.records.record import JsonObject, Row
from genprm.records.run_spec import JudgeSpec, PolicySpec, digest
from genprm.tasks.task import Task

STORE = 100 << 20  # bytes of each node's object store; Ray asks for 75 MiB at least


class Nodes:
    """A cluster's nodes."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        known = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, known))  # for the workers
        self._cluster: Any = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "object_store_memory": STORE,
            },
        )
        self._nodes: list[Any] = []

    @property
    def address(self) -> str:
        """Of the head."""
        address: str = self._cluster.address
        return address

    def add(self, *, cpus: int = 1) -> Any:
        """One more node, when it has joined."""
        node = self._cluster.add_node(num_cpus=cpus, object_store_memory=STORE)
        self._nodes.append(node)
        return node

    def ensure(self, count: int) -> None:
        """So many nodes besides the head."""
        while len(self._nodes) < count:
            self.add()

    def kill(self) -> None:
        """Kill the first of them, as a power cut would."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)

    def shutdown(self) -> None:
        """End all of it."""
        self._cluster.shutdown()


@contextmanager
def cluster(nodes: int) -> Iterator[Nodes]:
    """A cluster for a while."""
    found = Nodes()
    try:
        found.ensure(nodes)
        yield found
    finally:
        found.shutdown()


class SumRow(Row):
    """A number and its double, and nothing about who made it."""

    KEY: ClassVar[str] = "row"

    row: int
    double: int


@dataclass(frozen=True)
class Doubling(Task[int, SumRow]):
    """Doubles numbers, slowly. Every call is noted in the folder `notes`, if there is one."""

    command: ClassVar[str] = "double"
    row_type = SumRow

    notes: str = ""
    seconds: float = 0.01
    poison: int | None = None  # this number kills its actor
    refused: int | None = None  # and this one cannot be doubled
    fails_to_open: str | None = None
    breaks_at: int | None = None  # whose first time breaks the engine

    @property
    def settings(self) -> JsonObject:
        return {}

    def key(self, row: int, item: int) -> int:
        return row

    def problem(self, item: int) -> str:
        return str(item)

    def input(self, items: Sequence[int]) -> str:
        return digest(items)

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["Doubler", None]:
        if self.fails_to_open is not None:
            raise ModelError(self.fails_to_open)
        yield Doubler(self)


@dataclass(frozen=True)
class Doubler:
    task: Doubling
    judge: ClassVar[JudgeSpec | None] = None
    policy: ClassVar[PolicySpec | None] = None
    numbers: list[int] = field(default_factory=list)

    async def make(self, row: int, item: int) -> SumRow:
        if self.task.notes:
            note = Path(self.task.notes) / f"{row}-{os.getpid()}-{os.urandom(4).hex()}"
            note.touch()
        await asyncio.sleep(self.task.seconds)
        if item == self.task.poison:
            os.kill(os.getpid(), signal.SIGKILL)
        if item == self.task.refused:
            raise RequestFailed("HTTP 400: no")
        if item == self.task.breaks_at and len(calls(Path(self.task.notes), row)) == 1:
            raise ModelError("the engine is gone")
        return SumRow(row=row, double=2 * item)


def calls(notes: Path, row: int) -> list[Path]:
    """Every time that a row was tried."""
    return list(notes.glob(f"{row}-*"))
