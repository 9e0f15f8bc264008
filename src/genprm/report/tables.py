"""A table, and its Markdown and CSV."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text. The first column names the row."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """A GitHub table under a heading."""
        lines = [f"### {self.title}", ""]
        if self.note:
            lines += [self.note, ""]
        lines += [_line(self.columns), "|---|" + "---:|" * (len(self.columns) - 1)]
        lines += [_line(row) for row in self.rows]
        return "\n".join(lines) + "\n"

    def csv(self) -> str:
        """Comma-separated values with a head line."""
        buffer = io.StringIO()
        rows = ([_cell(text) for text in row] for row in (self.columns, *self.rows))
        csv.writer(buffer, lineterminator="\n").writerows(rows)
        return buffer.getvalue()


def number(value: float | None, digits: int = 1) -> str:
    """A number, or a dash where there is none."""
    return "—" if value is None else f"{value:.{digits}f}"


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """A number with its interval: `75.2 [73.9, 76.4]`."""
    if value is None or interval is None:
        return number(value)
    return f"{value:.1f} [{interval[0]:.1f}, {interval[1]:.1f}]"


def signed(value: float | None, interval: Sequence[float] | None) -> str:
    """A difference with its interval, starred where the interval leaves 0 out."""
    if value is None or interval is None:
        return "—"
    star = " *" if interval[0] > 0 or interval[1] < 0 else ""
    return f"{value:+.1f} [{interval[0]:+.1f}, {interval[1]:+.1f}]{star}"


_FORMULA = re.compile(r"[=@+\-\t\r]")
_SIGNED = re.compile(r"[+-]\d+(\.\d+)?( \[[-+.,\d ]*\]( \*)?)?")


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; signed numbers stay as they are."""
    return f"'{text}" if _FORMULA.match(text) and not _SIGNED.fullmatch(text) else text


def _line(cells: Sequence[str]) -> str:
    safe = (escape(cell, quote=False).replace("|", "\\|").replace("\n", " ") for cell in cells)
    return "| " + " | ".join(safe) + " |"
