"""Code that fails, and how to continue after the failure.

A small model sometimes drops a bracket, or uses a name that no earlier block has defined. From such
examples it learns to write the block again and to define everything it needs from the text.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

BRACKETS = "()[]"


@dataclass(frozen=True, slots=True)
class Slip:
    """A block that failed and what was printed for it."""

    code: str
    output: str


def make_slip(code: str, rng: random.Random) -> Slip | None:
    """The block with its definitions left out or a bracket dropped; None if it still runs."""
    *definitions, comparison = code.split("\n")
    if rng.random() < 0.5:
        broken = comparison
    else:
        places = [index for index, character in enumerate(comparison) if character in BRACKETS]
        place = rng.choice(places)
        broken = "\n".join((*definitions, comparison[:place] + comparison[place + 1 :]))
    try:
        exec(compile(broken, "<string>", "exec"), {"print": lambda *_: None})
    except (SyntaxError, NameError, TypeError) as error:
        return Slip(broken, f"Code execute Error: {type(error).__name__}: {error}")
    return None
