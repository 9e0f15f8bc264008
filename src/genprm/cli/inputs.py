"""Where problems and their samples come from: a file of problems, or stored samples."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from genprm.bad_rows import BadRows
from genprm.dataset import read_problems
from genprm.errors import InputError
from genprm.pools import Pool, read_pools, with_samples


@contextmanager
def counted_bad_rows(*, skip: bool) -> Iterator[BadRows]:
    """How bad rows are handled; on leaving, those that were left out are reported on stderr."""
    bad = BadRows(skip=skip)
    yield bad
    if bad.causes:
        typer.echo(f"genprm: {bad}", err=True)


def read_items(problems: str | None, samples: str | None, *, skip_bad_rows: bool) -> list[Pool]:
    """Read the one file that was named: problems without samples, or pools.

    Raises:
        InputError: none or both were named, or the file is broken.
    """
    if (problems is None) == (samples is None):
        raise InputError(
            "there is nothing to do; fix: name a file of problems, or pass --samples FILE"
        )
    with counted_bad_rows(skip=skip_bad_rows) as bad:
        if samples is not None:
            return with_samples(samples, read_pools(samples, bad))
        return [Pool(problem) for problem in read_problems(problems or "-", bad)]
