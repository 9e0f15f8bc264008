"""The executor on a Ray cluster, whose actors hold an engine and a sandbox and compute the rows.

It uses Ray's actors instead of Ray Data, although both could run the same functions, because Ray
Data's unit of failure is a block. A block that fails is dropped or computed again as a whole, and a
row that kills its actor is tried again with its block without limit, or ends the run. Here each row
is written to a journal as soon as it is finished, in any order, and each that fails is stored with
its cause. In addition, two stages of a curation are not maps over a table, because what they ask
for next depends on the previous answer.
"""

import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, fields, replace
from importlib import metadata
from typing import TYPE_CHECKING, cast

from genprm.sandboxes.load import TOKEN_VARIABLE
from genprm.tasks.actor import TaskActor
from genprm.tasks.ray_connection import connected, nodes
from genprm.worker import Item, Needs, Opened, R, Work

if TYPE_CHECKING:
    from genprm.tasks.actor_pool import Handle

WAIT = 60.0  # seconds until the first actor must have been placed
_SPARE_CALLS = 4  # beside the rows: open, stay, close, node
_PASSED_ON = (TOKEN_VARIABLE,)


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Where and how actors are placed.

    Args:
        address: the cluster's address; see `ray_connection.connected`.
        needs: the needs of work that does not state its own; without `actors`, as many as fit.
        wait: seconds within which the first actor must be placed.
    """

    address: str = "auto"
    needs: Needs = Needs(cpus=1.0, gpus=0.0)
    wait: float = WAIT


class RayCluster:
    """See `Executor`."""

    def __init__(self, settings: ClusterSettings, notify: Callable[[str], None]) -> None:
        self._settings = settings
        self._notify = notify
        self._alive: Callable[[], int] = lambda: 0
        self._count = 0

    @property
    def status(self) -> str:
        """How many actors are alive."""
        return f"{self._alive()}/{self._count} actors"

    @asynccontextmanager
    async def open(
        self, work: Work[Item, R], *, rows_at_once: int
    ) -> AsyncGenerator[Opened[Item, R], None]:
        """See `Executor.open`; actors that are still being opened join the work later."""
        from genprm.tasks.actor_pool import ActorPool, Outlook

        needs = merged(work.needs, self._settings.needs)
        count = needs.actors or max(1, sum(node.room(needs) for node in nodes()))
        pool: ActorPool[Item, R] = ActorPool(
            lambda: _start(work, needs, rows_at_once),
            count=count,
            seats=rows_at_once,
            wait=self._settings.wait,
            outlook=Outlook(
                lambda: {node.id for node in nodes()},
                lambda: _not_placed(needs, self._settings.wait),
                self._notify,
            ),
            version=metadata.version("genprm"),
        )
        self._alive, self._count = (lambda: pool.alive), count
        async with pool:
            yield Opened(pool, rows_at_once * count)


@contextmanager
def ray_cluster(settings: ClusterSettings, notify: Callable[[str], None]) -> Iterator[RayCluster]:
    """The executor on a cluster while it is connected; raises as `connected`."""
    with connected(settings.address):
        yield RayCluster(settings, notify)


def merged(asked: Needs, otherwise: Needs) -> Needs:
    """The requested needs, with the others as defaults."""
    missing = {
        field.name: getattr(otherwise, field.name)
        for field in fields(Needs)
        if getattr(asked, field.name) is None
    }
    return replace(asked, **missing)


def _start(work: Work[Item, R], needs: Needs, seats: int) -> "Handle":
    import ray

    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    actor = ray.remote(TaskActor).options(
        num_cpus=needs.cpus,
        num_gpus=needs.gpus,
        memory=None if needs.memory is None else int(needs.memory * 2**30),
        max_concurrency=seats + _SPARE_CALLS,
        max_restarts=0,  # the pool replaces them, and knows when
        max_task_retries=0,
        scheduling_strategy="SPREAD",
    )
    return cast("Handle", actor.remote(work, os.getcwd(), environment))


def _not_placed(needs: Needs, wait: float) -> str:
    memory = "" if needs.memory is None else f", {needs.memory:g} GiB"
    have = "; ".join(map(str, nodes())) or "there is none"
    return (
        f"no node has had room for an actor within {wait:g} s: each asks for {needs.cpus:g} CPU, "
        f"{needs.gpus:g} GPU{memory}, and {have}; fix: ask for less (--actor-cpus, --actor-gpus, "
        "--actor-memory), wait longer (--actor-wait), or free the cluster"
    )
