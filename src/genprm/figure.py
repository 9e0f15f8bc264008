"""A figure in a file, drawn by matplotlib, the same bytes from the same data."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from genprm.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@contextmanager
def drawn(width: float, height: float, path: Path) -> Iterator["Figure"]:
    """An empty figure, inches wide and high, that is saved at the end.

    The file's ending picks its format.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", extra="evaluate") from error
    with mpl.rc_context({"font.size": 9, "svg.hashsalt": "genprm", "axes.grid": True}):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=200)
