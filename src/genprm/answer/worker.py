"""A process that compares formulas and can be killed.

SymPy runs arbitrary simplifications on text that a model wrote. It may loop forever inside C code,
where no exception reaches it, or use up all memory. So every comparison runs in a child, the
program `genprm.answer.child`, which has confined itself (no files, no network, no new processes,
limited memory). The parent kills it when its time is up, and starts another one when needed.
"""

from typing import NamedTuple

from genprm.json_process import ChildLost, JsonProcess

_PROGRAM = "genprm.answer.child"


class Outcome(NamedTuple):
    """The result `match`; `cause` says why it is undecided, if it is."""

    match: str
    cause: str | None = None


class WorkerProcess:
    """One child, started for the first comparison and after every loss. Not thread-safe."""

    def __init__(self, timeout: float) -> None:
        self._process = JsonProcess(_PROGRAM, timeout)

    def compare(self, gold: str, answer: str) -> Outcome:
        """Ask the child; if it hangs or crashes, the outcome is undecided, not an error."""
        try:
            reply = self._process.ask({"gold": gold, "answer": answer})
        except ChildLost as error:
            return Outcome("undecided", f"the comparison process: {error}")
        cause = reply["cause"]
        return Outcome(str(reply["match"]), None if cause is None else str(cause))

    def close(self) -> None:
        """Kill the child. Idempotent."""
        self._process.close()
