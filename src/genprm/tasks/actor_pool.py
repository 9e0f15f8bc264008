"""The actors of one task: opened, given rows, and replaced when they die.

To its callers, a pool is a `Worker` like any other. A row whose actor died is tried again, alone on
an actor; one that has killed its actor three times is stored with its cause. If a whole node died,
this is not counted against a row. If an actor cannot be replaced, the others do its work.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Self

from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError

from genprm.errors import GenprmError, RequestFailed
from genprm.records.run_spec import JudgeSpec, PolicySpec, differences
from genprm.tasks.actor import Broken, Ready, RowFailed
from genprm.tasks.seats import Seats
from genprm.worker import Item, R

TRIES = 3  # of a row that kills its actor, and of an actor that dies while it is opened
CLOSE_SECONDS = 10.0  # for engines and sandboxes to close; then they are killed
FIRST_PAUSE = 1.0  # seconds before an actor that died while it was opened is opened again

Handle = ActorHandle[Any]
Start = Callable[[], Handle]


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """An actor that is ready."""

    handle: Handle
    ready: Ready
    node: str

    @property
    def place(self) -> str:
        """The place of its log."""
        return f"{self.ready.host}:{self.ready.log}"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a pool must know about its cluster."""

    living_nodes: Callable[[], set[str]]  # ids
    why_not_placed: Callable[[], str]  # said when no actor has been placed in time
    notify: Callable[[str], None]  # takes one line for people


class ActorPool(Generic[Item, R]):
    """`count` actors, each with the same number of slots.

    Raises on entering:
        GenprmError: no actor can be placed within `wait` seconds, or none can open its work.
    """

    def __init__(
        self, start: Start, *, count: int, seats: int, wait: float, outlook: Outlook, version: str
    ) -> None:
        self.count = count
        self._start = start
        self._wait = wait
        self._outlook = outlook
        self._version = version
        self._seats: Seats[Actor] = Seats(seats)
        self._handles: set[Handle] = set()  # of all actors, waiting for a place or at work
        self._open: set[Handle] = set()
        self._slots: list[asyncio.Task[None]] = []
        self._placed = asyncio.Event()
        self._started = asyncio.Event()
        self._given_up: list[str] = []
        self._fault: Exception | None = None  # why there are no actors, and will be none
        self._broken = 0  # actors that broke since a row was made
        self.first: Ready | None = None

    @property
    def alive(self) -> int:
        """The number of actors that are ready."""
        return len(self._seats)

    @property
    def judge(self) -> JudgeSpec | None:
        """See `Worker`; that of the first actor, as all actors have the same."""
        return self.first.judge if self.first else None

    @property
    def policy(self) -> PolicySpec | None:
        """See `Worker`."""
        return self.first.policy if self.first else None

    async def __aenter__(self) -> Self:
        self._slots = [asyncio.create_task(self._keep(number)) for number in range(self.count)]
        for slot in self._slots:
            slot.add_done_callback(self._ended)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._wait):
                    await self._placed.wait()
            if not self._placed.is_set():
                raise GenprmError(self._outlook.why_not_placed())
            await self._started.wait()
            if self._fault is not None:
                raise self._fault
        except BaseException:
            await self.close()
            raise
        for problem in self._given_up:
            self._outlook.notify(problem)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the engines and sandboxes, then kill the actors."""
        import ray

        for slot in self._slots:
            slot.cancel()
        await asyncio.gather(*self._slots, return_exceptions=True)
        open_ones = self._handles & self._open
        closing = [asyncio.ensure_future(_closed(handle)) for handle in open_ones]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        for task in closing:
            task.cancel()
        await asyncio.gather(*closing, return_exceptions=True)
        for handle in self._handles:
            ray.kill(handle)
        self._handles.clear()

    async def make(self, row: int, item: Item) -> R:
        """See `Worker.make`."""
        crashes = 0
        while True:
            async with self._seats.take(alone=crashes > 0) as actor:
                try:
                    outcome = await actor.handle.make.remote(row, item)
                except RayActorError as error:
                    self._seats.remove(actor)
                    cause = _cause(error)
                else:
                    if isinstance(outcome, RowFailed):
                        self._broken = 0
                        raise RequestFailed(outcome.cause)
                    if not isinstance(outcome, Broken):
                        self._broken = 0
                        made: R = outcome
                        return made
                    self._retire(actor, outcome.cause)
                    continue
            crashes += await self._was_a_crash(actor)
            if crashes == TRIES:
                self._outlook.notify(
                    f"row {row} is set aside: its actor died each of {TRIES} times ({cause}); "
                    f"the last log: {actor.place}"
                )
                raise RequestFailed(
                    f"the actor that worked on it died each of {TRIES} times ({cause})"
                )

    async def _was_a_crash(self, actor: Actor) -> bool:
        """Whether an actor died alone; if its node died too, that is noticed within a moment."""
        for _ in range(10):
            if actor.node not in await asyncio.to_thread(self._outlook.living_nodes):
                return False
            await asyncio.sleep(0.05)
        return True

    def _retire(self, actor: Actor, cause: str) -> None:
        """End an actor whose engine or sandbox is broken, and start another one in its place.

        Raises:
            GenprmError: several actors in a row broke, and no row was computed in between.
        """
        import ray

        if actor.handle in self._handles:
            self._seats.remove(actor)
            ray.kill(actor.handle)
            self._handles.discard(actor.handle)
            self._broken += 1
            self._outlook.notify(f"an actor is broken: {cause}; its log: {actor.place}")
        if self._broken >= TRIES:
            raise GenprmError(cause)

    async def _keep(self, number: int) -> None:
        """Keep one actor alive, replacing it when it dies, until it cannot be replaced."""
        deaths, pause = 0, FIRST_PAUSE
        while True:
            handle = self._start()
            self._handles.add(handle)
            try:
                opened = await self._opened(handle)
            except RayActorError as error:
                deaths += 1
                self._handles.discard(handle)
                problem = f"actor {number} died while its work was opened: {_cause(error)}"
                if deaths < TRIES and _may_come_again(error):
                    self._outlook.notify(f"{problem}; it is opened again")
                    await asyncio.sleep(pause)
                    pause *= 2
                    continue
                self._give_up(problem)
                return
            if isinstance(opened, str):
                self._give_up(opened)
                return
            deaths, pause = 0, FIRST_PAUSE
            self._seats.add(opened)
            self._started.set()
            try:
                await handle.stay.remote()
            except RayActorError as error:
                self._seats.remove(opened)
                if handle in self._handles:
                    self._handles.discard(handle)
                    self._outlook.notify(
                        f"actor {number} died ({_cause(error)}); its rows are made again by "
                        f"others; its log: {opened.place}"
                    )

    async def _opened(self, handle: Handle) -> Actor | str:
        """The actor when it is ready, or why it cannot be used."""
        node = await handle.node.remote()
        self._placed.set()
        ready = await handle.open.remote()
        if isinstance(ready, Broken):
            return ready.cause
        assert isinstance(ready, Ready)
        self._open.add(handle)
        if ready.version != self._version:
            return (
                f"{ready.host} has genprm {ready.version} and this command is {self._version}; "
                "fix: install the same version here and on every node"
            )
        if self.first is None:
            self.first = ready
        if changed := _differences(self.first, ready):
            return (
                f"{ready.host} would make other rows than {self.first.host}: {changed}; "
                "fix: put the same model files on every node"
            )
        return Actor(handle, ready, node)

    def _give_up(self, problem: str) -> None:
        self._given_up.append(problem)
        if self._started.is_set() and self.first is not None:
            self._outlook.notify(problem)
        if len(self._given_up) == self.count:
            self._end(GenprmError(problem))

    def _ended(self, slot: asyncio.Task[None]) -> None:
        """End the work if keeping an actor failed with an error of the program itself."""
        if not slot.cancelled() and isinstance(error := slot.exception(), Exception):
            self._end(error)

    def _end(self, fault: Exception) -> None:
        self._fault = fault
        self._placed.set()
        self._started.set()
        self._seats.fail(fault)


async def _closed(handle: Handle) -> None:
    with contextlib.suppress(RayError):
        await handle.close.remote()


def _differences(first: Ready, other: Ready) -> str:
    found: list[str] = []
    for one, two in ((first.judge, other.judge), (first.policy, other.policy)):
        if one is not None and two is not None:
            found.extend(differences(one.json_object(), two.json_object()))
    return "; ".join(found)


def _may_come_again(error: RayActorError) -> bool:
    """Whether another attempt may succeed; a missing module stays missing."""
    return "ModuleNotFoundError" not in str(error)


def _cause(error: RayActorError) -> str:
    """Why an actor died, in one short line."""
    text = " ".join(str(error).split())
    if missing := re.search(r"ModuleNotFoundError: (No module named '[^']+')", text):
        return f"{missing[1]}; fix: install the same genprm and extras on every node"
    if "node has died" in text or "node was terminated" in text or "NODE_DIED" in text:
        return "its node died"
    if "OOM" in text and "OutOfMemory" in text:
        return "its node was out of memory"
    if kind := re.search(r"Worker exit type: (\w+) Worker exit detail: ([^.]*)", text):
        return f"{kind[1]}: {kind[2].strip()}"
    return text[-200:]
