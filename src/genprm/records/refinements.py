"""What `genprm refine` writes: the whole dialogue of a policy and its critic, with every vote."""

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
