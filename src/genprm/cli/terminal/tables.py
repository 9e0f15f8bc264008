"""Tables of numbers on a terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Grid

from genprm.cli.terminal.visible import plain
from genprm.report.tables import Table


def print_tables(tables: Sequence[Table]) -> None:
    """Print tables one under the other; nothing is cut off where output is not a terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 240
    for table in tables:
        console.print(plain(table.title, "bold"))
        if table.note:
            console.print(plain(table.note, "dim"))
        grid = Grid(box=SIMPLE, pad_edge=False)
        for index, column in enumerate(table.columns):
            grid.add_column(column, justify="left" if index == 0 else "right")
        for row in table.rows:
            grid.add_row(*map(plain, row))
        console.print(grid)
