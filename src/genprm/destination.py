"""Where the rows of a run are written: a file, a folder or an object store; JSON Lines or Parquet.

A run is always written as JSON Lines to a file on this machine, which can be appended to. If it
goes to an object store, it is copied there as it grows. A Parquet file is written at the end.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genprm.extras import require
from genprm.files import is_url
from genprm.journal import run_file
from genprm.mirror import Mirror
from genprm.object_store import ObjectStore

_LOCAL = "file://"
_PARQUET = ".parquet"


@contextmanager
def opened_file(output: str) -> Iterator[Path]:
    """The file that a run's rows are appended to, for an output FILE.jsonl or FILE.parquet.

    Raises:
        JournalError: the place cannot be read or written to.
        InputError: the rows do not fit a Parquet file, or no client for the URL is installed.
        MissingExtra: a package that Parquet or the URL needs is not installed.
    """
    parquet = output.endswith(_PARQUET)
    if parquet:
        require("pyarrow", extra="curate")
    rows = f"{output}.jsonl" if parquet else output
    if _is_remote(output):
        parent, _, name = rows.rpartition("/")
        names = (name, run_file(Path(name)).name)
        with Mirror(output, ObjectStore(parent), names) as mirror:
            yield mirror.folder / name
            if parquet:
                _write_parquet(mirror.folder / name)
        return
    file = Path(rows.removeprefix(_LOCAL))
    yield file
    if parquet:
        _write_parquet(file)


@contextmanager
def opened_folder(output: str) -> Iterator[Path]:
    """The folder on this machine that a run's files are written to; raises as `opened_file`."""
    if not _is_remote(output):
        yield Path(output.removeprefix(_LOCAL))
        return
    url = output.rstrip("/")
    with Mirror(url, ObjectStore(url)) as mirror:
        yield mirror.folder


def _is_remote(output: str) -> bool:
    return is_url(output) and not output.startswith(_LOCAL)


def _write_parquet(rows: Path) -> None:
    from genprm.parquet import write_parquet

    write_parquet(rows, rows.with_name(rows.name.removesuffix(".jsonl")))
