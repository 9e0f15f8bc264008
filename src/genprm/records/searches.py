"""What `genprm search` writes: the tree that it built, and the solutions that it found."""

from collections.abc import Mapping

from genprm.records.pools import Cost, ProblemRow, SampleRow
from genprm.records.record import Record, Text


class TreeNodeRow(Record):
    """One step of the tree below the root, whose id is 0; `value` is what it was selected by."""

    id: int
    parent: int
    step: Text
    complete: bool
    count: int
    subtree: int
    reward: float | None
    votes: tuple[float | None, ...]
    value: float | None
    kept: bool
    seed: int
    cost: Cost


class SearchRow(ProblemRow):
    """A row of `genprm search`; `responses` are the solutions found, the best first.

    `leaves` are the tree nodes in which they end. `unguided` is the rest that the policy wrote
    alone where bounds ended the search before a solution was whole.
    """

    responses: tuple[Text, ...]
    leaves: tuple[int, ...]
    unguided: SampleRow | None
    choices: Mapping[str, int | None]
    choice: int | None
    choice_answer: Text | None
    ended: str
    tree: tuple[TreeNodeRow, ...]
