"""What starts a step: the one definition that splitting, policies and searches share.

A marker is at the beginning of a line: `Step 2:`, `**Step 2:**`, `**Step 2**`, `### Step 2`,
`Step 2. Add them`, `- Step 2 (addition): …`. "Step 1 gave 5" at the beginning of a line only
mentions a step: in running text, a colon, full stop, bracket or dash must follow the number.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class StepMarker(NamedTuple):
    """A marker at `text[start:end]` of step `number`; the line begins at `start`."""

    start: int
    end: int
    number: int


_NUMBER = r"step[ \t]{1,4}(?:no\.[ \t]?|\#)?(\d{1,6})(?![\d.]*\d)"
_PLAIN_END = (
    r"(?:[ \t]{0,2}\([^()\n]{0,80}\))?[ \t]{0,2}"  # a title in brackets
    r"(?:[:：.)\]](?=[\s*_]|$|(?<=[:：]))|[-–—](?=[ \t*_])|$)(?:\*\*|__|[*_])?"
)
_MARKER = re.compile(
    r"^[ \t]{0,3}(?:>[ ]?)?(?:[-*+•][ \t]{1,4})?"
    r"(?:"
    rf"(?:\#{{1,6}})[ \t]*(?:\*\*|__)?{_NUMBER}(?:\*\*|__)?"  # heading
    r"[ \t]{0,2}[:：.)]?(?:\*\*|__)?"
    rf"|(?:\*\*|__|[*_]){_NUMBER}(?:\*\*|__|[*_])[ \t]{{0,2}}"  # bold number
    r"(?:[:：.)]|(?=[-–—(]|$|(?-i:[A-Z\d$\\])))"
    rf"|(?:\*\*|__|[*_]|\[)?{_NUMBER}{_PLAIN_END}"
    r")",
    re.M | re.I,
)


def step_markers(text: str) -> Iterator[StepMarker]:
    """All markers of a text, in order. Linear in its length."""
    for match in _MARKER.finditer(text):
        number = match[1] or match[2] or match[3]
        yield StepMarker(match.start(), match.end(), int(number))


def without_marker(line: str) -> str:
    """A step or a line without the marker at its beginning."""
    marker = _MARKER.match(line)
    return line[marker.end() :] if marker else line


def step_prefix(number: int) -> str:
    """The marker that genprm itself writes (spec §3.1, step forcing)."""
    return f"Step {number}:"


def stop_strings(number: int) -> tuple[str, ...]:
    """The stop strings of a policy that writes one step, at which step `number` would begin.

    Servers with OpenAI's API accept at most four. Other spellings also end the step:
    `first_step_end` finds them in the generated text.
    """
    return (
        f"\nStep {number}:",
        f"\n**Step {number}",
        f"\n### Step {number}",
        f"\n## Step {number}",
    )


def first_step_end(text: str, number: int) -> int | None:
    """Where step `number` begins in a text that should contain only the step before it."""
    places = (marker.start for marker in step_markers(text) if marker.number == number)
    return next((place for place in places if text[:place].strip()), None)
