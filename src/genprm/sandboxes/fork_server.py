"""The default sandbox on Linux: every session a locked-down copy of one warmed-up interpreter.

    async with ForkServer() as box, box.session() as session:
        result = await session.run("import sympy; print(sympy.sqrt(8))")
        copy = await session.fork()

What it covers
- A snippet cannot read files other than those of the interpreter and its packages, cannot write
  any, has no network, no other processes, no threads, no signals to others, no capabilities, and
  nothing of the host's environment, descriptors or memory. See `lockdown` for the layers, `tiers`
  for the layers of each tier, and `probe` for a test of those that work on this machine.
- It cannot exceed its time (+0.5 s), fill the memory (1 GiB per session beyond the interpreter,
  and half of the machine for all sessions together), the disk, the output (64 KiB), or the host's
  event loop.
- A fork shares no memory and no descriptor with its original: `MAP_SHARED` is refused, and what was
  open is closed in the copy. One vote cannot change another vote's data.
- When the host or the supervisor ends, by whatever means, every process of the sandbox ends, known
  to the host or not, in every tier.

What it does not cover
- Bugs of the kernel itself: the allow-list keeps the attack surface small, but it is one kernel.
- The processor: 32 snippets at once (or 8 per core) share it, and the others wait for their turn
  before their time starts to count. A snippet can keep one core busy until its time-out, and one
  that gets control of the runner can do so until its session is closed.
- The truth of what a session prints: a snippet controls its process, so it can falsify the results
  of its own session and of forks that are made from it later, but not those of other sessions.
- In the tiers without seccomp, the isolation of forks: they may share memory.
- In the `bare` tiers, metadata: whether a path exists, its size and times, wherever the uid has
  access. Contents stay closed.
- Covert channels (timing, caches, load).

Sessions share the state of one template: the same hash seed and the same `random` state, hence the
same random numbers in each. That makes runs repeatable; a snippet that needs other numbers can seed
its own generator. There is no writable file system at all, not even a temporary directory.
"""

import asyncio
import os
import resource
from collections.abc import Sequence
from dataclasses import replace
from typing import Self

from genprm.errors import SandboxError
from genprm.sandbox import RunResult
from genprm.sandboxes.host.memory import default_total
from genprm.sandboxes.host.process import SessionProcess
from genprm.sandboxes.host.supervision import Supervision
from genprm.sandboxes.host.tiers import AUTO, STRONG, TIERS, Tier, configuration
from genprm.sandboxes.replay import REPLAY_BUDGET, History

MEMORY = 1 << 30  # bytes of address space per session, beyond the warmed-up interpreter's
PRELOAD = ("math", "sympy", "numpy")
RUNNING_AT_ONCE = 32  # so that a crowd of sessions waits for its turn, not for its time-out
_OPEN_FILES = 1 << 16  # two per session, and the host has its own


class ForkSession:
    """One namespace of a `ForkServer`. Its process starts with the first `run`."""

    def __init__(self, server: "ForkServer", history: History | None = None) -> None:
        self._server = server
        self._history = history or History()
        self._process: SessionProcess | None = None
        self._is_closed = False
        self._turn = asyncio.Lock()

    async def run(self, code: str, timeout: float = 5.0) -> RunResult:
        """Run one snippet; see the port. A lost namespace is rebuilt before this returns."""
        async with self._turn, self._server.running:
            process, was_rebuilt = await self._living()
            result = await process.run(code, timeout)
            if process.is_dead:
                self._process = None
                is_kept = await self._rebuild()
            else:
                is_kept = True
                self._history.record(code, result)
            return replace(result, namespace_lost=not (was_rebuilt and is_kept))

    async def fork(self) -> "ForkSession":
        """An independent copy; see the port.

        The copy is a clone of the process. If the session has no process yet, or its process does
        not respond, the copy is made by replay when it is first used.
        """
        async with self._turn:
            self._check_open()
            copy = ForkSession(self._server, self._history.copy())
            if self._process is not None and not self._process.is_dead:
                copy._process = await self._server.copy_process(self._process)
            return copy

    async def close(self) -> None:
        """Kill the process. Idempotent."""
        self._is_closed = True
        if self._process is not None:
            self._server.drop_process(self._process)
            self._process = None

    @property
    def pid(self) -> int | None:
        """The id of its process on the host; None if it has no process."""
        return None if self._process is None else self._process.pid

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise SandboxError("the sandbox session is closed")

    async def _living(self) -> tuple[SessionProcess, bool]:
        """A process to run in, and whether it holds the right namespace."""
        self._check_open()
        if self._process is not None and not self._process.is_dead:
            return self._process, True
        is_kept = await self._rebuild()
        if self._process is None:
            self._process = await self._server.new_process()
        return self._process, is_kept

    async def _rebuild(self) -> bool:
        """Replay the history in a new process, and return whether this restored the namespace.

        An empty history needs no process. One that cannot be replayed is forgotten.
        """
        if not self._history:
            return True
        history, self._history = self._history, History()
        if not history.is_affordable(self._server.replay_budget):
            return False
        process = await self._server.new_process()
        if not await history.replay(process.run, self._server.replay_budget):
            self._server.drop_process(process)
            return False
        self._process, self._history = process, history
        return True


class ForkServer:
    """The sandbox backend: `async with ForkServer() as box`.

    Entering starts the interpreter and returns; the imports continue in the background, and the
    first `run` waits for them.

    Args:
        tier: `auto`, or the name of a row in `tiers`. Anything weaker than `bare` must be named.
        memory: bytes of address space that a session may use beyond the interpreter's own.
        total_memory: bytes that all sessions together may use; None is half of the memory of this
            machine or container. Beyond it, the largest session is killed with the status `memory`.
            The sum is checked every 0.05 to 1 s, more often when it is close to the limit.
        preload: modules that are imported once, before the first session.
        replay_budget: most seconds for rebuilding a lost namespace.
    """

    def __init__(
        self,
        tier: str = AUTO,
        *,
        memory: int = MEMORY,
        total_memory: int | None = None,
        preload: Sequence[str] = PRELOAD,
        replay_budget: float = REPLAY_BUDGET,
    ) -> None:
        if tier != AUTO and tier not in TIERS:
            raise SandboxError(
                f"there is no sandbox tier {tier!r}; fix: name {AUTO}, {', '.join(TIERS)}"
            )
        self._candidates = [TIERS[name] for name in (STRONG if tier == AUTO else (tier,))]
        self._memory = memory
        self._total_memory = default_total() if total_memory is None else total_memory
        self._preload = tuple(preload)
        self.replay_budget = replay_budget
        self._supervision: Supervision | None = None
        self._starting = asyncio.Lock()
        self.running = asyncio.Semaphore(max(RUNNING_AT_ONCE, 8 * (os.cpu_count() or 1)))
        self.tier: Tier | None = None  # the one that holds, once entered
        self.passed_over: tuple[str, ...] = ()  # why a stronger one does not

    def session(self) -> ForkSession:
        """A new, empty namespace."""
        return ForkSession(self)

    @property
    def tier_name(self) -> str:
        """The tier in use; empty before the sandbox is entered."""
        return "" if self.tier is None else self.tier.name

    async def __aenter__(self) -> Self:
        _allow_many_files()
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._supervision is not None:
            await self._supervision.stop()
            self._supervision = None

    # --- for sessions ---

    async def new_process(self) -> SessionProcess:
        """A process with an empty namespace; restarts a supervisor that was lost."""
        if self._supervision is None:
            raise SandboxError("the sandbox is not open; fix: use async with ForkServer() as box")
        if self._supervision.is_lost:
            async with self._starting:
                if self._supervision.is_lost:
                    await self._supervision.stop()
                    await self._start()
        return await self._supervision.new()

    async def copy_process(self, process: SessionProcess) -> SessionProcess | None:
        """A clone, or None if the process does not cooperate."""
        return None if self._supervision is None else await self._supervision.copy(process)

    def drop_process(self, process: SessionProcess) -> None:
        """Kill the process and forget it."""
        if self._supervision is not None:
            self._supervision.drop(process)

    # --- starting ---

    async def _start(self) -> None:
        faults = []
        for tier in self._candidates:
            if lacks := tier.missing():
                faults.append(f"{tier.name}: missing {', '.join(lacks)}")
                continue
            try:
                config = configuration(tier, preload=self._preload, memory=self._memory)
                self._supervision = await Supervision.start(tier, config, self._total_memory)
            except SandboxError as error:
                faults.append(str(error))
            else:
                self.tier, self.passed_over = tier, tuple(faults)
                return
        raise SandboxError(
            f"there is no safe sandbox here ({'; '.join(faults)}); "
            f"fix: provide what is missing, or name a weaker tier: {', '.join(TIERS)}; "
            "more: genprm explain no-safe-sandbox"
        )


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
