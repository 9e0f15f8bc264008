"""What `genprm refine` writes: the whole dialogue of a policy and its critic, with every vote."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from genprm.records.pools import Cost, ProblemRow, SampleRow
from genprm.records.record import Record, Text
from genprm.records.verdicts import JudgedStepRow


class TurnRow(Record):
    """One answer: the request that led to it, and its verdict, if it was judged."""

    request: Text | None  # what the policy was asked; None for the first answer
    text: Text  # the answer
    sample: SampleRow  # the answer in steps
    score: float | None  # score of the answer; None if it has none
    first_error: int | None = None  # first wrong step, from 0; -1 for none; None if it is unknown
    # the judged steps
    steps: Annotated[
        tuple[JudgedStepRow, ...] | None, Field(exclude_if=lambda steps: steps is None)
    ] = None
    unjudged_steps: tuple[Text, ...] = ()  # steps after the point where judging stopped
    cost: Cost  # cost of the turn


class RefinementRow(ProblemRow):
    """A row of `genprm refine`. `choice` is the index of the turn whose answer is the final one."""

    turns: tuple[TurnRow, ...]  # the answers, the first one first
    critic: str  # who wrote the critiques
    ended: str  # why refining ended
    choice: int  # turn whose answer is the final one
    choice_answer: Text | None  # its final answer


def best_turn(outcomes: Sequence[tuple[int | None, float | None]]) -> int:
    """Index of the answer to keep, from the first error and the score of each.

    An answer without a wrong step comes first, then the highest score, the earliest of equals; an
    answer without a score comes last.
    """

    def rank(index: int) -> tuple[bool, float, int]:
        first_error, score = outcomes[index]
        return first_error == -1, -1.0 if score is None else score, -index

    return max(range(len(outcomes)), key=rank)
