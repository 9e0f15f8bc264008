"""What `genprm rank` writes: a judged pool, and the choice of every method.

A ranking is also a pool (`responses`, `extracted`, `correct`, `prm_step_scores`), so
`genprm evaluate best-of-n` reads it, and every smaller N and fewer votes can be read out of it.
"""

from collections.abc import Mapping

from genprm.records.pools import PoolRow
from genprm.records.record import Record, Text
from genprm.verdict import Usage


class NodeRow(Record):
    """A judged step; `votes` and `tokens` have one entry for each vote."""

    reward: float | None
    label: bool | None
    wanted: int
    votes: tuple[float | None, ...]
    tokens: tuple[int, ...]
    usage: Usage


class RankingRow(PoolRow):
    """A row of `genprm rank`.

    `judged` holds every different step once; `paths` [candidates][steps] are indices into it.
    `groups` tells equal answers. `choices` maps a method's name to the candidate that it chose,
    and `choice` is that of the method asked for.
    """

    groups: tuple[int | None, ...]
    prm_step_scores: Mapping[str, tuple[tuple[float | None, ...], ...]]
    judged: tuple[NodeRow, ...]
    paths: tuple[tuple[int, ...], ...]
    choices: Mapping[str, int | None]
    choice: int | None
    choice_answer: Text | None
