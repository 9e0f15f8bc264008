"""Port: a teacher, who writes a rationale for every paragraph of a solution.

Whatever can do that can teach: a language model (`critique.ModelTeacher`), or a program that
knows the domain. A rationale is kept in pieces, so that each variant of Table 5 can be made of it
and so that what was executed is known from what was written.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from genprm.problem import Problem
from genprm.verdict import Usage


class Unreadable(StrEnum):
    """Why a critique is not used."""

    UNFINISHED = "unfinished"  # cut off by a bound
    TOO_MANY_BLOCKS = "too_many_blocks"
    NO_CONCLUSION = "no_conclusion"  # no index in \\boxed{}
    BAD_CONCLUSION = "bad_conclusion"  # an index that no paragraph has
    PARAGRAPHS = "paragraphs"  # missing, repeated or out of order
    ANALYSIS = "analysis"  # a paragraph without exactly one <analyze> part
    VERIFICATION = "verification"  # a <verify> part that is not closed, or more than one
    INVENTED_OUTPUT = "invented_output"  # wrote what only execution may write
    JUDGEMENT = "judgement"  # judges in the tags of the student's format


@dataclass(frozen=True, slots=True)
class Block:
    """Code that was run, and what stood before it since the last block."""

    prose: str
    code: str
    output: str
    status: str  # a `sandbox.RunStatus`


@dataclass(frozen=True, slots=True)
class Paragraph:
    """The rationale for one step: analysis, blocks of code, what was said after the last one."""

    analysis: str
    blocks: tuple[Block, ...]
    reflection: str
    right: bool


@dataclass(frozen=True, slots=True)
class Critique:
    """A teacher's rationales, from the first step to the last one that it judged.

    A teacher may stop at the first wrong step, so there may be fewer than the solution's steps.
    `unreadable` says why there are none.
    """

    paragraphs: tuple[Paragraph, ...]
    unreadable: Unreadable | None = None
    text: str = ""  # as it was written, without thoughts
    usage: Usage = field(default_factory=Usage)

    @property
    def labels(self) -> tuple[bool, ...]:
        """The teacher's label of each step that it judged."""
        return tuple(paragraph.right for paragraph in self.paragraphs)

    def to_row(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Critique":
        """What `to_row` wrote."""
        paragraphs = (
            Paragraph(
                p["analysis"], tuple(Block(**b) for b in p["blocks"]), p["reflection"], p["right"]
            )
            for p in row["paragraphs"]
        )
        unreadable = row["unreadable"] and Unreadable(row["unreadable"])
        return cls(tuple(paragraphs), unreadable, row["text"], Usage(**row["usage"]))


class Teacher(Protocol):
    """Writes critiques. Safe to call concurrently from one event loop."""

    @property
    def name(self) -> str:
        """What identifies the teacher in a curation."""
        ...

    async def critique(self, problem: Problem, steps: Sequence[str], *, seed: int) -> Critique:
        """Judge a solution; what cannot be read is a critique with its cause, not an error.

        Raises:
            ModelError, SandboxError: what the teacher works with failed for good.
        """
        ...
