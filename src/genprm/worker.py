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
    """Computes rows of one kind from items. Calls of `make` run concurrently."""

    @property
    def judge(self) -> JudgeSpec | None:
        """The spec of the judge, if there is one."""
        ...

    @property
    def policy(self) -> PolicySpec | None:
        """The spec of the policy, if there is one."""
        ...

    async def make(self, row: int, item: Item_contra) -> R_co:
        """Compute the row of item number `row`.

        Raises:
            RequestFailed: this row failed; others may succeed.
            GenprmError: no row can be computed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Needs:
    """What the work needs on a cluster; for None, the command line decides.

    `actors` is the number of actors; the other fields are the CPUs, GPUs (a fraction shares one)
    and GiB of memory of each.
    """

    actors: int | None = None
    cpus: float | None = None
    gpus: float | None = None
    memory: float | None = None


class Work(Protocol[Item_contra, R_co]):
    """Plain, picklable data from which a worker can be opened, here or elsewhere."""

    @property
    def needs(self) -> Needs:
        """What one worker needs on a cluster."""
        ...

    def open(self) -> AbstractAsyncContextManager[Worker[Item_contra, R_co]]:
        """The worker, closed at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Opened(Generic[Item, R]):
    """A worker that is ready, and how many rows to request from it at once."""

    worker: Worker[Item, R]
    at_once: int
