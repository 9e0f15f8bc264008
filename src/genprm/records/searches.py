"""What `genprm search` writes: the tree that it built, and the solutions that it found."""

from collections.abc import Mapping

from genprm.records.pools import Cost, ProblemRow, SampleRow
from genprm.records.record import Record, Text


class TreeNodeRow(Record):
    """One step of the tree below the root, whose id is 0; the search selects by `value`."""

    id: int  # number of the node, from 1
    parent: int  # id of the node before it; 0 is the root
    step: Text  # text of the step
    complete: bool  # whether the step ends a solution
    count: int  # how often it was sampled
    subtree: int  # the tree of DVTS to which the node belongs
    reward: float | None  # the verifier's mean reward
    votes: tuple[float | None, ...]  # reward of each vote; None for an abstention
    value: float | None  # value by which the search selected
    kept: bool  # whether the search continued from it
    seed: int  # seed of the request
    cost: Cost  # cost of the node


class SearchRow(ProblemRow):
    """A row of `genprm search`; `responses` are the found solutions, the best first.

    `leaves` are the tree nodes in which they end. If a limit ended the search before a solution was
    complete, `unguided` is the rest that the policy wrote without the verifier.
    """

    responses: tuple[Text, ...]  # texts of the solutions that were found, the best first
    leaves: tuple[int, ...]  # tree node in which each of them ends
    unguided: SampleRow | None  # rest of a solution that the policy wrote without the verifier
    choices: Mapping[str, int | None]  # solution that each method chose
    choice: int | None  # the chosen solution
    choice_answer: Text | None  # its final answer
    ended: str  # why the search ended
    tree: tuple[TreeNodeRow, ...]  # all nodes
