"""Port: what computes rows, in this process or on a cluster, behind the same two calls."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from genprm.records.record import Row
from genprm.records.run_spec import JudgeSpec, PolicySpec

Item_contra = TypeVar("Item_contra", contravariant=True)
Item = TypeVar("Item")
R_co = TypeVar("R_co", bound=Row, covariant=True)
R = TypeVar("R", bound=Row)


class Worker(Protocol[Item_contra, R_co]):
    """Makes rows of one kind from items. Calls of `make` run concurrently."""

    @property
    def judge(self) -> JudgeSpec | None:
        """The judge that is at work, if there is one."""
        ...

    @property
    def policy(self) -> PolicySpec | None:
        """The policy that is at work, if there is one."""
        ...

    async def make(self, row: int, item: Item_contra) -> R_co:
        """The row of item number `row`.

        Raises:
            RequestFailed: this row cannot be made; others can.
            GenprmError: no row can.
        """
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """What the work asks of a cluster; None leaves it to the command line.

    `actors` is how many make rows; the others are of each of them: CPUs, GPUs (a fraction shares
    one) and GiB of memory.
    """

    actors: int | None = None
    cpus: float | None = None
    gpus: float | None = None
    memory: float | None = None


class Work(Protocol[Item_contra, R_co]):
    """What makes a worker, here or elsewhere: picklable plain data."""

    @property
    def needs(self) -> Needs:
        """What one worker asks of a cluster."""
        ...

    def open(self) -> AbstractAsyncContextManager[Worker[Item_contra, R_co]]:
        """The worker, closed at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Opened(Generic[Item, R]):
    """A worker that is ready, and how many rows it should be asked for at once."""

    worker: Worker[Item, R]
    at_once: int
