"""How similar a text is to a small model's training text: the share of word pairs it has seen.

A word is a run of letters. All numbers are the same word. Operators with spaces around them are
different words from those without. On text like the shipped model's training text the share is 1,
and on problems as people type them about a half (`docs/results.md`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

NEAR = 0.95  # the least share at which a model trained on such pairs is asked

UNFAMILIAR = 0.75
"""The share below which a text is unlike the model's own: midway between that and typed text."""

Pair = tuple[str, str]

_WORD = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?| [-+*/=×÷<>] |[^\sA-Za-z\d]")
_START, _END, _NUMBER, _LETTER = "^", "$", "#", "@"


class Domain:
    """The pairs of neighbouring words in a model's training texts."""

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self.pairs = frozenset(pairs)

    @classmethod
    def read(cls, path: Path) -> "Domain":
        """Read a file with one pair on each line, the two words separated by a tab."""
        lines = path.read_text().splitlines()
        return cls((one, other) for one, other in (line.split("\t") for line in lines))

    def nearness(self, texts: Sequence[str]) -> float:
        """The share of the texts' pairs that is known."""
        found = [pair for text in texts for pair in word_pairs(text)]
        return sum(pair in self.pairs for pair in found) / len(found) if found else 0.0

    def covers(self, texts: Sequence[str]) -> bool:
        """Whether the texts are similar enough to ask a model that was trained on these pairs."""
        return self.nearness(texts) >= NEAR


def word_pairs(text: str) -> Iterator[Pair]:
    """The pairs of neighbouring words of a text, its start and end included."""
    return pairwise((_START, *map(_word, _WORD.findall(text)), _END))


def _word(found: str) -> str:
    if found[0].isdigit():
        return _NUMBER
    return _LETTER if len(found) == 1 and found.isalpha() else found
