r"""Finds code and display mathematics in a text, where no step may be split.

This is a small scanner, linear in the text's length. It recognises

- code fences of three or more backticks or tildes, which a line of at least as many of the same
  closes, as in CommonMark;
- display mathematics: `\[ … \]`, `$$ … $$` and `\begin{name} … \end{name}`.

What is opened but never closed is ignored, so that a single `$$` in a sentence about prices does
not hide the rest of the solution. `\\[4pt]` is the end of a row with spacing, and `\$` is a dollar
sign.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """The part `text[start:end]`."""

    start: int
    end: int


_FENCE = re.compile(
    r"^[ \t]*+(?:>[ \t]?)*+"
    r"(?P<label>[^`~\n]{1,200}[:：][*_]{0,2}[ \t]*)?"  # `Step 1: ```python`, as models write it
    r"(?P<mark>`{3,}|~{3,})(?P<rest>[^\n]*)$",
    re.M,
)
_MATHEMATICS = re.compile(
    r"\\begin[ \t]*\{([A-Za-z]{1,30}\*?)\}"
    r"|\\end[ \t]*\{([A-Za-z]{1,30}\*?)\}"
    r"|\\([\[\]])"
    r"|\\[^\n]"  # an escaped character, a row's end `\\` among them
    r"|(?<!`)`[^`\n]{1,200}`(?!`)"  # code within a line
    r"|(\$\$)"
    r"|\$(?=\S)[^$\n]*[^\s$]\$(?!\d)"  # inline, so that `$a$$b$` holds no `$$`
)


def code_spans(text: str) -> list[Span]:
    """The fenced blocks of code, with their fences."""
    fences = list(_FENCE.finditer(text))
    longest = _longest_closers_after(fences)
    spans: list[Span] = []
    opened: re.Match[str] | None = None
    for fence, closers in zip(fences, longest, strict=True):
        mark, rest = fence["mark"], fence["rest"].strip()
        if opened is None:
            opens = mark[0] == "~" or "`" not in rest  # else it is code within a line
            if opens and closers[mark[0]] >= len(mark):
                opened = fence
        elif _closes(fence) and mark[0] == opened["mark"][0] and len(mark) >= len(opened["mark"]):
            spans.append(Span(opened.start("mark"), fence.end()))
            opened = None
    return spans


def _longest_closers_after(fences: Sequence[re.Match[str]]) -> list[dict[str, int]]:
    """For each fence and both characters, the length of the longest later fence that can close."""
    longest = {"`": 0, "~": 0}
    found = []
    for fence in reversed(fences):
        found.append(longest)
        if _closes(fence):
            sign = fence["mark"][0]
            longest = longest | {sign: max(longest[sign], len(fence["mark"]))}
    return found[::-1]


def _closes(fence: re.Match[str]) -> bool:
    return not fence["label"] and not fence["rest"].strip()


def display_spans(text: str, code: Sequence[Span] = ()) -> list[Span]:
    """The display mathematics outside of `code`, delimiters included, none inside another."""
    opened: list[tuple[str, int]] = []
    open_kinds: Counter[str] = Counter()
    spans: list[Span] = []
    for token in _MATHEMATICS.finditer(text):
        begin, end, bracket, dollars = token.groups()
        kind = begin or end or (bracket and r"\[") or dollars
        if not kind or inside(code, token.start()):
            continue
        if begin or bracket == "[" or (dollars and not open_kinds[kind]):
            opened.append((kind, token.start()))
            open_kinds[kind] += 1
            continue
        while open_kinds[kind]:  # what was opened later and is still open was never closed
            inner, start = opened.pop()
            open_kinds[inner] -= 1
            if inner == kind:
                spans.append(Span(start, token.end()))
                break
    return _outermost(spans)


def protected_spans(text: str) -> list[Span]:
    """Code and display mathematics, in order, none inside another."""
    code = code_spans(text)
    return _outermost([*code, *display_spans(text, code)])


def inside(spans: Sequence[Span], place: int) -> bool:
    """Whether `place` is inside one of the ordered spans, or at its start."""
    index = bisect_right(spans, place, key=lambda span: span.start) - 1
    return index >= 0 and place < spans[index].end


def _outermost(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
