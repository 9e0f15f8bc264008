"""What the votes on the next step start from: the kept turns, and the namespace after them."""

import asyncio
from typing import Self

from genprm.sandbox import RunResult, SandboxBackend, SandboxSession
from genprm.verdict import Vote
from genprm.verify.format import without_thought


class History:
    """The earlier steps as one judge sees them. Judging a step adds a turn.

    Copies are independent: each node of a search tree continues a copy of its parent's history.
    """

    def __init__(self, sandbox: SandboxBackend) -> None:
        self.turns: list[str] = []
        self._sandbox = sandbox
        self._session: SandboxSession | None = None
        self._forking = asyncio.Lock()

    async def fork(self) -> SandboxSession:
        """A copy of the namespace for one vote."""
        if self._session is None:
            return self._sandbox.session()
        async with self._forking:
            return await self._session.fork()

    async def copy(self) -> "History":
        """The same turns and an independent namespace."""
        twin = History(self._sandbox)
        twin.turns = list(self.turns)
        if self._session is not None:
            twin._session = await self.fork()
        return twin

    async def extend(self, vote: Vote, namespace: "Namespace") -> None:
        """Keep this vote's turn and, if it ran code, the namespace after it."""
        self.turns.append(without_thought(vote.text))
        if session := namespace.release():
            await self.close()
            self._session = session

    async def adopt(self, vote: Vote, timeout: float) -> None:
        """Keep another judge's turn; its code is run again in this namespace."""
        namespace = Namespace(self)
        for run in vote.runs:
            await namespace.run(run.code, timeout)
        await self.extend(vote, namespace)

    def skip(self) -> None:
        """Add an empty turn for this step, as the authors do for turns that were not judged."""
        self.turns.append("")

    async def close(self) -> None:
        """Discard the namespace. Idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Namespace:
    """A vote's own copy of the history's namespace, made when the vote first runs code."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._session: SandboxSession | None = None

    async def run(self, code: str, timeout: float) -> RunResult:
        """Run one block."""
        if self._session is None:
            self._session = await self._history.fork()
        return await self._session.run(code, timeout)

    def release(self) -> SandboxSession | None:
        """Hand over the namespace; None if no code ran."""
        session, self._session = self._session, None
        return session

    async def close(self) -> None:
        """Discard the copy. Idempotent."""
        if self._session is not None:
            await self._session.close()
