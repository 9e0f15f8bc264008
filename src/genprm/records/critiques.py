"""A teacher's critique of a solution, and the row in which a curation stores it.

A critique is stored in pieces, so that chats of every mode can be made from it, and executed output
can be distinguished from what the teacher wrote.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, Field

from genprm.records.keyed import KeyedRow
from genprm.records.record import Text
from genprm.verdict import Usage


class Unreadable(StrEnum):
    """Why a critique is not used."""

    UNFINISHED = "unfinished"  # cut off by a bound
    NO_THOUGHT = "no_thought"  # the teacher ended its turn without closing a thought
    TOO_MANY_BLOCKS = "too_many_blocks"
    NO_CONCLUSION = "no_conclusion"  # no index in \\boxed{}
    BAD_CONCLUSION = "bad_conclusion"  # an index that no paragraph has
    PARAGRAPHS = "paragraphs"  # missing, repeated or out of order
    ANALYSIS = "analysis"  # a paragraph without exactly one <analyze> part
    VERIFICATION = "verification"  # a <verify> part that is not closed, or more than one
    INVENTED_OUTPUT = "invented_output"  # wrote what only execution may write
    JUDGEMENT = "judgement"  # judges in the tags of the student's format
    FAILED = "failed"  # the teacher's request failed or was refused


@dataclass(frozen=True, slots=True)
class Block:
    """Code that was run, and the text before it since the last block."""

    prose: str  # text before the code
    code: str  # the code
    output: str  # what it printed
    status: str  # a `sandbox.RunStatus`


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The rationale for one step: analysis, blocks of code, and the text after the last one."""

    analysis: str  # analysis before the code
    blocks: tuple[Block, ...]  # blocks of code that ran
    reflection: str  # text after the last block
    # the teacher's judgement; version 0.1 wrote `right`
    correct: Annotated[bool, Field(validation_alias=AliasChoices("correct", "right"))]


@dataclass(frozen=True, slots=True)
class Critique:
    """A teacher's rationales, from the first step to the last one that it judged.

    A teacher may stop at the first incorrect step, so there may be fewer of them than steps.
    `unreadable` says why the critique is not used.
    """

    paragraphs: tuple[Paragraph, ...]  # the judged paragraphs, in order
    unreadable: Unreadable | None = None  # why the critique is not used
    text: str = ""  # as it was written, without thoughts
    # cost of the critique
    usage: Usage = field(default_factory=Usage)

    @property
    def labels(self) -> tuple[bool, ...]:
        """The teacher's label of each step that it judged."""
        return tuple(paragraph.correct for paragraph in self.paragraphs)


class CritiqueRow(KeyedRow):
    """A row of the stage `rationales`: sample number `sample` of the critiques of a path."""

    path: Text  # key of the path
    sample: int  # number of the critique, from 0
    paragraphs: tuple[Paragraph, ...]  # the judged paragraphs
    unreadable: Unreadable | None  # why the critique is not used
    text: Text  # the critique as it was written, without thoughts
    usage: Usage  # cost of the critique

    @classmethod
    def of(
        cls, key: str, path: str, sample: int, critique: Critique, failed: str | None = None
    ) -> "CritiqueRow":
        """The row of a critique; `failed` is the cause if there is none."""
        return cls(
            key=key,
            path=path,
            sample=sample,
            paragraphs=critique.paragraphs,
            unreadable=critique.unreadable,
            text=critique.text,
            usage=critique.usage,
            failed=failed,
        )

    @property
    def critique(self) -> Critique:
        """The critique that the row holds."""
        return Critique(self.paragraphs, self.unreadable, self.text, self.usage)
