"""Pieces of Markdown that the generated pages share."""

from collections.abc import Iterable, Sequence


def cell(text: str) -> str:
    """`text` as the content of a table cell. What looks like a tag or a template stays text."""
    flat = " ".join(text.split())
    return flat.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
