"""How rows that cannot be used are handled: stop at the first one, or count them all."""

from collections.abc import Iterator
from contextlib import contextmanager

from genprm.errors import InputError


class BadRows:
    """Refuses bad rows, or with `skip` leaves them out and keeps their causes.

    A valid row without a usable label is always left out, with its cause.
    """

    def __init__(self, *, skip: bool = False) -> None:
        self.skip = skip
        self.causes: list[str] = []

    @contextmanager
    def row(self) -> Iterator[None]:
        """Wrap the reading of one row: its `InputError` ends the reading, or is kept.

        Raises:
            InputError: the row is bad, and bad rows are not left out.
        """
        try:
            yield
        except InputError as error:
            if not self.skip:
                raise
            self.causes.append(str(error))

    def leave_out(self, cause: str) -> None:
        """Keep the cause of a row that cannot be used."""
        self.causes.append(cause)

    def __str__(self) -> str:
        """One line with the number of rows and the first cause; empty if there are none."""
        if not self.causes:
            return ""
        rows = "1 row was" if len(self.causes) == 1 else f"{len(self.causes)} rows were"
        return f"{rows} left out; the first: {self.causes[0]}"
