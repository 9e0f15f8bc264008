"""The blocks of code in a page, and what a reader is told about them.

A block in `sh` or `python` is run by the tests, in order, in one temporary folder for each page.
What cannot be run there has a line directly above it that a reader sees, too:

    *Needs a GPU.*

Two marks, which a reader does not see, say more about a block that is run:

    <!-- background: URL -->   above `sh`: it goes on in the background until the page is done, and
                               the next block waits until something listens there
    <!-- output -->            above `text`: what the block before prints; `…` stands for anything
"""

import re
from dataclasses import dataclass
from pathlib import Path

RUN = ("sh", "python")
GENERATED = {"cli.md", "api.md", "rows.md", "recipes.md", "errors.md"}

_FENCE = re.compile(
    r"(?P<above>(?:^[^\n]*\n(?:[ \t]*\n)?)?)^```(?P<language>\w*)[^\n]*\n(?P<code>.*?)^```[ \t]*$",
    re.M | re.S,
)
_NEEDS = re.compile(r"^\*Needs (?P<what>.+)\.\*$")
_BACKGROUND = re.compile(r"^<!-- background: (?P<url>\S+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `needs` says what a reader needs to run it, if the tests cannot."""

    line: int
    language: str
    code: str
    needs: str | None = None
    background: str | None = None
    is_output: bool = False

    @property
    def runs(self) -> bool:
        """The tests run this block."""
        return self.language in RUN and self.needs is None


def pages() -> list[Path]:
    """Every page that people wrote."""
    found = [Path(name) for name in ("README.md", "AGENTS.md", "SECURITY.md", "CONTRIBUTING.md")]
    return found + [
        path for path in sorted(Path("docs").rglob("*.md")) if path.name not in GENERATED
    ]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    found = []
    for match in _FENCE.finditer(text):
        above = match["above"].strip()
        needs, background = _NEEDS.match(above), _BACKGROUND.match(above)
        found.append(
            Block(
                text.count("\n", 0, match.start("language")) + 1,
                match["language"],
                match["code"],
                needs["what"] if needs else None,
                background["url"] if background else None,
                above == "<!-- output -->",
            )
        )
    return found


def matches(expected: str, printed: str) -> bool:
    """Whether `printed` is what a page shows; `…` stands for anything, white space for white."""
    parts = [re.escape(" ".join(part.split())) for part in expected.split("…")]
    return re.fullmatch(r"\s*" + r".*".join(parts) + r"\s*", " ".join(printed.split())) is not None
