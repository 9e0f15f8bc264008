"""A row with its own key, as the stages of a curation write them."""

from typing import ClassVar

from genprm.records.record import Row, Text


class KeyedRow(Row):
    """A row of a stage, named by its `key`."""

    KEY: ClassVar[str] = "key"

    key: Text  # name of the row within its stage
