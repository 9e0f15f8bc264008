"""A judged labelled solution: the row that `genprm evaluate` writes and reports read."""

from typing import Annotated, ClassVar

from pydantic import AliasChoices, Field

from genprm.records.record import Text
from genprm.records.verdicts import JudgedSolution


class EvaluatedRow(JudgedSolution):
    """A row of `genprm evaluate processbench`.

    A judge of whole solutions leaves `steps` empty and fills `guesses`, one first error for each
    vote, and `critiques`, what it wrote.
    """

    KEY: ClassVar[str] = "id"

    failed: Annotated[
        str | None,
        Field(
            validation_alias=AliasChoices("failed", "cause"),  # version 0.1 wrote `cause`
            exclude_if=lambda cause: cause is None,
        ),
    ] = None
    guesses: Annotated[
        tuple[int | None, ...] | None, Field(exclude_if=lambda guesses: guesses is None)
    ] = None
    critiques: Annotated[tuple[Text, ...], Field(exclude_if=lambda texts: not texts)] = ()
    label: int  # first error that people or a planted fault give; -1 for none
    subset: str
    generator: str | None = None
    final_answer_correct: bool | None = None
