"""Finds chains of equations in any text, in a time that grows only with its length.

A pattern for `3 + 4 = 7 = …` has to try many ways to read a long run of brackets and spaces. So it
is applied only to short runs with an equals sign; equations that people print are not longer.
"""

import re
from collections.abc import Iterator

OF_NUMBERS = re.compile(r"(?:sqrt(?=\()|[-+*/().\d\s%=])+")
OF_UNKNOWNS = re.compile(r"(?:[-+*/().\d\s=]|(?<![A-Za-z])[a-z](?![A-Za-z]))+")
_LONGEST = 300  # characters of a run, or of its line where a run is longer


def find_chains(
    pattern: re.Pattern[str], text: str, runs: re.Pattern[str] = OF_NUMBERS
) -> Iterator[tuple[int, str]]:
    """The start of each match of `pattern`, and its first group.

    Matches of the pattern contain an equals sign and only what `runs` match; it may look two
    characters behind and ahead.
    """
    for start, end in _short_runs(runs, text):
        for chain in pattern.finditer(text[start:end]):
            yield start + chain.start(), chain[1]


def _short_runs(runs: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """The runs with two characters on either side; a run that is too long is split into lines."""
    for run in runs.finditer(text):
        if "=" not in run[0]:
            continue
        if len(run[0]) <= _LONGEST:
            yield max(0, run.start() - 2), run.end() + 2
            continue
        start = run.start()
        for line in run[0].split("\n"):
            if "=" in line and len(line) <= _LONGEST:
                yield start, start + len(line)
            start += len(line) + 1
