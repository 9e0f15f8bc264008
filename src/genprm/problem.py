"""A problem, a solution in steps, and how a text is split into steps."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from genprm.markup import Span, inside, protected_spans
from genprm.step_marker import step_markers

_LINE_END = re.compile(r"\r\n?|\u2028|\u2029")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem `x` with its gold answer `q*`, if one is known."""

    id: str
    text: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Solution:
    """A problem with the steps `a_1 … a_T` of one solution, as they will be judged."""

    problem: str
    steps: tuple[str, ...]
    id: str = ""
    extra: Mapping[str, object] = field(
        default_factory=dict
    )  # the row's other fields, passed through


def split_steps(text: str) -> tuple[str, ...]:
    """Split a solution into steps.

    The text is split at step markers (`Step 2:`, `### Step 2`, …) if there are at least two;
    otherwise at blank lines (ProcessBench's convention), and without any at line ends. Blocks of
    code and display mathematics stay whole. Only white space between steps is lost, and line ends
    become `\\n`.
    """
    text = _LINE_END.sub("\n", text).strip()
    whole = protected_spans(text)
    markers = [marker.start for marker in step_markers(text) if not inside(whole, marker.start)]
    if len(markers) >= 2:
        return _stripped(pieces(text, markers))
    paragraphs = _stripped(pieces(text, _ends(_BLANK_LINES, text, whole)))
    if len(paragraphs) > 1:
        return paragraphs
    return _stripped(pieces(text, _ends(re.compile(r"\n"), text, whole)))


def pieces(text: str, cuts: Iterable[int]) -> list[str]:
    """The text cut at the given places, which are in order. Joined, the parts are the text."""
    places = [0, *cuts, len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def _ends(separator: re.Pattern[str], text: str, whole: list[Span]) -> Iterable[int]:
    """The ends of the separators that do not lie inside what stays whole."""
    return (match.end() for match in separator.finditer(text) if not inside(whole, match.start()))


def _stripped(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in parts if part.strip())
