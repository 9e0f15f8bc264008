"""What `genprm rank` writes: a judged pool, and the choice of every method.

A ranking is also a pool (`responses`, `extracted`, `correct`, `prm_step_scores`), so
`genprm evaluate best-of-n` reads it, and results for smaller N and fewer votes follow from it.
"""

from collections.abc import Mapping

from genprm.records.pools import PoolRow
from genprm.records.record import Record, Text
from genprm.verdict import Usage


class NodeRow(Record):
    """A judged step; `votes` and `tokens` have one entry for each vote."""

    reward: float | None  # mean of the readable votes; None if all abstained
    label: bool | None  # True: correct, False: wrong, None: no label
    wanted: int  # how many votes were allowed
    votes: tuple[float | None, ...]  # reward of each vote; None for an abstention
    tokens: tuple[int, ...]  # generated tokens of each vote
    usage: Usage  # cost of all votes


class RankingRow(PoolRow):
    """A row of `genprm rank`.

    `judged` holds every different step once; `paths` [candidates][steps] are indices into it.
    `groups` identifies equal answers. `choices` maps a method's name to the candidate that it
    chose, and `choice` is that of the requested method.
    """

    groups: tuple[int | None, ...]  # for each candidate, the first one with an equal answer
    # step rewards of each candidate, by scorer
    prm_step_scores: Mapping[str, tuple[tuple[float | None, ...], ...]]
    judged: tuple[NodeRow, ...]  # every different step, once
    paths: tuple[tuple[int, ...], ...]  # for each candidate, its steps as indices into `judged`
    choices: Mapping[str, int | None]  # candidate that each method chose
    choice: int | None  # candidate that the requested method chose
    choice_answer: Text | None  # its final answer
