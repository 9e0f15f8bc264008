"""A judged labelled solution: the row that `genprm evaluate` writes and reports read."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from genprm.records.record import Text
from genprm.records.verdicts import JudgedSolution


class EvaluatedRow(JudgedSolution):
    """A row of `genprm evaluate processbench`.

    A judge of whole solutions leaves `steps` empty and fills `guesses` with one first error for
    each vote, and `critiques` with its texts.
    """

    KEY: ClassVar[str] = "id"

    # why the row could not be judged
    failed: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("failed", "cause"),  # version 0.1 wrote `cause`
            exclude_if=lambda cause: cause is None,
        ),
    ] = None
    # first error that each vote names, for a judge of whole solutions
    guesses: Annotated[
        tuple[int | None, ...] | None, Field(exclude_if=lambda guesses: guesses is None)
    ] = None
    # texts of a judge of whole solutions
    critiques: Annotated[tuple[Text, ...], Field(exclude_if=lambda texts: not texts)] = ()
    label: int  # true first error, from 0; -1 for none
    subset: str  # subset of the data set
    generator: str | None = None  # model that wrote the solution, if the data set names it
    final_answer_correct: bool | None = None  # whether the final answer is correct
