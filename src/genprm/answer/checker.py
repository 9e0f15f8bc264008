"""Decides whether two final answers are the same.

Numbers, names and what is composed of them are compared exactly and at once (`compare`). Formulas
need Math-Verify (SymPy inside), which may hang or use up memory on text that a model wrote. So it
runs in confined worker processes that are killed at a hard time-out. A pair that cannot be decided
is `Match.UNDECIDED`, and listed in `AnswerChecker.undecided`; it never silently counts as "wrong".
"""

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from genprm.answer.compare import compare
from genprm.answer.extraction import extract_answer
from genprm.answer.match import Match
from genprm.answer.reading import read_answer
from genprm.answer.spelling import plain_tex
from genprm.answer.worker import WorkerProcess

__all__ = ["AnswerChecker", "Comparison", "Match", "extract_answer"]

_LONGEST = 8_000  # characters of a pair; no answer is longer


@dataclass(frozen=True, slots=True)
class Comparison:
    """One decided or undecided pair; `cause` says why it could not be decided."""

    gold: str
    answer: str
    match: Match
    cause: str | None = None


class AnswerChecker:
    """Compares answers with gold answers. Thread-safe; use it as a context manager.

    The calls block: from asyncio, `await asyncio.to_thread(checker.compare_many, pairs)`.

    Args:
        workers: processes that compare at the same time; started when first needed.
        timeout: seconds after which a comparison is killed and undecided.
    """

    def __init__(self, *, workers: int = 1, timeout: float = 5.0) -> None:
        self._cache: dict[tuple[str, str], Comparison] = {}
        self._workers = [WorkerProcess(timeout) for _ in range(workers)]
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._lock = threading.Lock()

    def compare(self, gold: str, answer: str | None) -> Match:
        """Whether `answer` equals `gold`; no answer at all is DIFFERENT."""
        return self.compare_many([(gold, answer)])[0]

    def compare_many(self, pairs: Iterable[tuple[str, str | None]]) -> list[Match]:
        """`compare` for many (gold, answer) pairs, in order, over all workers."""
        asked = list(pairs)
        unknown = {
            (gold, answer): None
            for gold, answer in asked
            if answer is not None and (gold, answer) not in self._cache
        }
        hard = []
        for gold, answer in unknown:
            easy = _decide_at_once(gold, answer)
            if easy is None:
                hard.append((gold, answer))
            else:
                self._remember(Comparison(gold, answer, easy))
        if len(self._workers) == 1 or len(hard) < 2:
            for pair in hard:
                self._remember(self._ask_worker(*pair))
        else:
            with ThreadPoolExecutor(len(self._workers)) as pool:
                for comparison in pool.map(lambda pair: self._ask_worker(*pair), hard):
                    self._remember(comparison)
        return [
            Match.DIFFERENT if answer is None else self._cache[gold, answer].match
            for gold, answer in asked
        ]

    def classes(self, answers: Sequence[str | None]) -> list[int | None]:
        """For each answer, the index of the first equal one: the groups for majority voting.

        The groups do not depend on the order of the answers, although "equal" is not transitive:
        `15\\%` equals both 15 and 0.15. None stays None: a missing answer has no vote.
        """
        heads: list[str] = []
        head_of: dict[str, str] = {}
        for answer in sorted({answer for answer in answers if answer is not None}, key=_precedence):
            equal = (head for head in heads if self.compare(head, answer) is Match.EQUAL)
            head_of[answer] = next(equal, answer)
            if head_of[answer] == answer:
                heads.append(answer)
        firsts: dict[str, int] = {}
        return [
            None if answer is None else firsts.setdefault(head_of[answer], index)
            for index, answer in enumerate(answers)
        ]

    @property
    def undecided(self) -> list[Comparison]:
        """The pairs so far that could not be decided."""
        with self._lock:
            return [pair for pair in self._cache.values() if pair.match is Match.UNDECIDED]

    def close(self) -> None:
        """Stop the workers. Idempotent; a later comparison starts them again."""
        for worker in self._workers:
            worker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask_worker(self, gold: str, answer: str) -> Comparison:
        worker = self._idle.get()
        try:
            match, cause = worker.compare(gold, answer)
        finally:
            self._idle.put(worker)
        return Comparison(gold, answer, Match(match), cause)

    def _remember(self, comparison: Comparison) -> None:
        with self._lock:
            self._cache[comparison.gold, comparison.answer] = comparison


def _precedence(answer: str) -> tuple[int, str]:
    """The order of answers: short ones represent a group; any fixed order gives the same groups."""
    return len(answer), answer


def _decide_at_once(gold: str, answer: str) -> Match | None:
    """Compare answers that can be read exactly or are spelled the same; None: use a worker."""
    if gold.strip() == answer.strip() and gold.strip():
        return Match.EQUAL
    if len(gold) + len(answer) > _LONGEST:
        return Match.UNDECIDED
    spellings = plain_tex(gold), plain_tex(answer)
    if spellings[0] == spellings[1] and spellings[0]:
        return Match.EQUAL
    return compare(read_answer(gold), read_answer(answer))
