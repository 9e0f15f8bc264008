"""Final answers: find them in a text, and say whether two of them are the same.

The comparison is Math-Verify's (SymPy inside), which may hang or eat memory on what a model
wrote, so it runs in worker processes that are killed at a hard time-out. A pair that cannot be
decided is `Match.UNDECIDED`, counted and listed in `AnswerChecker.undecided`: never a silent
"wrong". Plain numbers and identical texts are decided here, exactly and at once.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from genprm.answer_worker import WorkerProcess


class Match(StrEnum):
    """Whether an answer says the same as the gold answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One decided or undecided pair; `cause` says why it could not be decided."""

    gold: str
    answer: str
    match: Match
    cause: str | None = None


def extract_answer(text: str) -> str | None:
    r"""The final answer that a worked solution states, or None.

    In this order: the last balanced `\boxed{}`, GSM8K's `####`, "the answer is …", then what the
    last line that sets anything apart does: bold, mathematics, or its last number.
    """
    boxed = _last_boxed(text)
    if boxed is not None:
        return boxed
    if "####" in text:
        return text.rsplit("####", 1)[1].strip().split("\n")[0].strip() or None
    stated = _STATED.findall(text)
    if stated:
        sentence = stated[-1].strip().rstrip(".")
        return _salient(sentence) or sentence or None
    results = (_salient(line) for line in reversed(text.splitlines()))
    return next((result for result in results if result and re.search(r"\w", result)), None)


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
        """Index of each answer's first equal: the groups that majority voting counts.

        None stays None: an answer that was never given votes for nothing.
        """
        firsts: list[int] = []
        group: list[int | None] = []
        for index, answer in enumerate(answers):
            if answer is None:
                group.append(None)
                continue
            equal = (
                first
                for first in firsts
                if self.compare(str(answers[first]), answer) is Match.EQUAL
            )
            found = next(equal, None)
            if found is None:
                firsts.append(index)
                found = index
            group.append(found)
        return group

    @property
    def undecided(self) -> list[Comparison]:
        """The pairs asked so far that could not be decided."""
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


_STATED = re.compile(r"\banswer(?:\s+is\s*:?|\s*[:=])\s*([^\n]+?)(?:\.\s|\.?$)", re.I | re.M)
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_INLINE_MATH = re.compile(r"\$(?=\S)([^$]+?)(?<=\S)\$(?!\d)|\\\((.+?)\\\)")  # not "$3 and $4"
_NUMBER_IN_TEXT = re.compile(r"-?\d[\d,]*(?:\.\d+)?(?:/\d+)?")
_PLAIN_NUMBER = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?")
_FRACTION = re.compile(r"(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}|(-?)(\d+)/(\d+)")
_TEXT_COMMAND = re.compile(r"\\(?:text|mbox|textbf|mathrm|textit)\{([^{}]*)\}")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[\s'-]+[^\W\d_]+)*")


def _last_boxed(text: str) -> str | None:
    """Content of the last `\\boxed{…}` whose braces balance."""
    for match in reversed(list(re.finditer(r"\\(?:boxed|fbox)\s*\{", text))):
        depth = 1
        for index in range(match.end(), len(text)):
            depth += {"{": 1, "}": -1}.get(text[index], 0)
            if depth == 0:
                return text[match.end() : index].strip() or None
    return None


def _salient(sentence: str) -> str | None:
    """What a sentence sets apart as its result: bold, then mathematics, then a number."""
    bold = _BOLD.findall(sentence)
    if bold:
        return _salient(bold[-1]) or bold[-1].strip()
    mathematics = _INLINE_MATH.findall(sentence)
    if mathematics:
        return "".join(mathematics[-1]).strip()
    numbers = _NUMBER_IN_TEXT.findall(sentence)
    return numbers[-1].rstrip(",") if numbers else None


def _decide_at_once(gold: str, answer: str) -> Match | None:
    """The easy cases, exactly; None leaves the pair to Math-Verify."""
    left, right = _plain(gold), _plain(answer)
    if left == right and left:
        return Match.EQUAL
    numbers = _number(left), _number(right)
    if numbers[0] is not None and numbers[1] is not None:
        return Match.EQUAL if numbers[0] == numbers[1] else Match.DIFFERENT
    words = _WORDS.fullmatch(left), _WORDS.fullmatch(right)
    if all(words):
        return Match.EQUAL if left.casefold() == right.casefold() else Match.DIFFERENT
    if any(words) and any(number is not None for number in numbers):
        return Match.DIFFERENT
    return None


def _plain(answer: str) -> str:
    """Without math delimiters, text commands, thin spaces and a final full stop."""
    bare = re.sub(r"\\[!,;$]", "", answer.strip().strip("$"))
    bare = re.sub(r"^\\[(\[]|\\[)\]]$", "", bare.strip())
    bare = _TEXT_COMMAND.sub(r"\1", bare)
    return re.sub(r"\s+", " ", bare).strip().removesuffix(".").strip()


def _number(plain: str) -> Fraction | None:
    """The exact value of a plain decimal or fraction."""
    if fraction := _FRACTION.fullmatch(plain):
        sign, top, bottom = fraction.group(1, 2, 3) if fraction[2] else fraction.group(4, 5, 6)
        return Fraction(int(f"{sign}{top}"), int(bottom)) if int(bottom) else None
    if len(plain) < 400 and plain not in ("", "-") and _PLAIN_NUMBER.fullmatch(plain):
        return Fraction(plain.replace(",", ""))
    return None
