"""What `genprm refine` writes: the whole dialogue of a policy and its critic, with every vote."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from genprm.records.pools import Cost, ProblemRow, SampleRow
from genprm.records.record import Record, Text
from genprm.records.verdicts import JudgedStepRow


class TurnRow(Record):
    """One answer: the request that led to it, and its verdict where it was judged."""

    request: Text | None
    text: Text
    sample: SampleRow
    score: float | None
    first_error: int | None = None
    steps: Annotated[
        tuple[JudgedStepRow, ...] | None, Field(exclude_if=lambda steps: steps is None)
    ] = None
    unjudged_steps: tuple[Text, ...] = ()
    cost: Cost


class RefinementRow(ProblemRow):
    """A row of `genprm refine`. `choice` is the index of the turn whose answer is given."""

    turns: tuple[TurnRow, ...]
    critic: str
    ended: str
    choice: int
    choice_answer: Text | None


def best_turn(outcomes: Sequence[tuple[int | None, float | None]]) -> int:
    """Index of the answer to keep, from the first error and the score of each.

    An answer without a wrong step comes first, then the highest score, the earliest of equals; an
    answer without a score comes last.
    """

    def rank(index: int) -> tuple[bool, float, int]:
        first_error, score = outcomes[index]
        return first_error == -1, -1.0 if score is None else score, -index

    return max(range(len(outcomes)), key=rank)
