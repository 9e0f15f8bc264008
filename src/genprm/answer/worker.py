"""A process that compares formulas and can be killed.

SymPy runs arbitrary simplifications on what a model wrote: it may loop forever inside C code,
where no exception reaches it, or ask for all memory. So every comparison runs in a child, the
program `genprm.answer.child`, which has shut itself in (no files, no network, no new processes,
bounded memory); the parent kills it when its time is up and starts another when it is next needed.
"""

from typing import NamedTuple

from genprm.json_process import ChildLost, JsonProcess

_PROGRAM = "genprm.answer.child"


class Outcome(NamedTuple):
    """`match` is equal, different or undecided; `cause` says why undecided."""

    match: str
    cause: str | None = None


class WorkerProcess:
    """One child, started at the first comparison and after every loss. Not thread-safe."""

    def __init__(self, timeout: float) -> None:
        self._process = JsonProcess(_PROGRAM, timeout)

    def compare(self, gold: str, answer: str) -> Outcome:
        """Ask the child; a hang or a crash is an undecided outcome, not an error."""
        try:
            reply = self._process.ask({"gold": gold, "answer": answer})
        except ChildLost as error:
            return Outcome("undecided", f"the comparison process: {error}")
        cause = reply["cause"]
        return Outcome(str(reply["match"]), None if cause is None else str(cause))

    def close(self) -> None:
        """Kill the child. Idempotent."""
        self._process.close()
