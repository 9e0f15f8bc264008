"""A row with a key of its own: what the stages of a curation write."""

from typing import ClassVar

from genprm.records.record import Row, Text


class KeyedRow(Row):
    """A row of a stage, named by its `key`."""

    KEY: ClassVar[str] = "key"

    key: Text  # name of the row within its stage
