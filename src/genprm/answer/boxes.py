r"""The `\boxed{…}` answers of a text. One pass, linear in its length."""

import re
from collections.abc import Sequence
from typing import NamedTuple


class Box(NamedTuple):
    r"""`text[start:end]` is `\boxed{content}`."""

    start: int
    end: int
    content: str


_TOKEN = re.compile(r"\\\\?(?:boxed|fbox|framebox)\s*\{|\\.|[{}]", re.S)
_UNBRACED = re.compile(
    r"\\(?:boxed|fbox|framebox)[ \t]*(?![a-zA-Z{\s])"
    r"([^$\n{}]{1,80}(?:\{[^{}\n]{0,80}\}[^$\n{}]{0,40}){0,4})"
)
_LABEL = r"(?:\\?[A-Za-z](?:_\{?\w{1,3}\}?)?\s{0,2}[=:]|\(?[a-z0-9]{1,2}\)|[-*•])"
# What may stand between two boxes that are one answer: `$\boxed{4}$ and $\boxed{9}$`.
_GLUE = re.compile(
    r"(?:[\s$,;&.]|\\[()\[\],;! ]|\\(?:quad|qquad|text\{\s*(?:and|or|,)?\s*\})|\*\*"
    r"|\b(?:and|or|as well as)\b"
    rf"|{_LABEL})*"
)
_LONGEST_GLUE = 60


def boxes(text: str) -> list[Box]:
    """The outermost balanced boxes that are not empty, in order."""
    open_braces: list[tuple[int, int, bool]] = []  # start, start of the content, is a box
    found: list[tuple[int, int, int]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            open_braces.append((token.start(), token.end(), False))
        elif token[0] == "}":
            if open_braces:
                start, content, is_box = open_braces.pop()
                if is_box:
                    while found and found[-1][0] > start:
                        found.pop()  # inside this one
                    found.append((start, content, token.start()))
        elif len(token[0]) > 2:
            open_braces.append((token.start(), token.end(), True))
    braced = [Box(start, end + 1, _flat(text[content:end])) for start, content, end in found]
    if not braced:
        braced = [
            Box(match.start(), match.end(), match[1].strip().rstrip("."))
            for match in _UNBRACED.finditer(text)
        ]
    return [box for box in braced if box.content]


def last_group(text: str, found: Sequence[Box]) -> list[Box]:
    """The last box, and those before it that only an "and" or a comma separates from it."""
    group = [found[-1]]
    for box in reversed(found[:-1]):
        between = text[box.end : group[0].start]
        if len(between) > _LONGEST_GLUE or "\n\n" in between or not _GLUE.fullmatch(between):
            break
        group.insert(0, box)
    return group


def _flat(content: str) -> str:
    """The content, with inner boxes replaced by their contents."""
    if "box" not in content:
        return content.strip()
    kept: list[str] = []
    at = 0
    open_braces: list[bool] = []
    for token in _TOKEN.finditer(content):
        if token[0] == "{":
            open_braces.append(False)
        elif token[0] == "}":
            if open_braces and open_braces.pop():
                kept.append(content[at : token.start()])
                at = token.end()
        elif len(token[0]) > 2:
            open_braces.append(True)
            kept.append(content[at : token.start()])
            at = token.end()
    return "".join([*kept, content[at:]]).strip()
