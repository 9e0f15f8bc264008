"""The stages of a curation, and which of them reads which."""

from enum import StrEnum


class Stage(StrEnum):
    """The stages, in an order in which they can be run."""

    PROBLEMS = "problems"
    SOLUTIONS = "solutions"
    ROLLOUTS = "rollouts"
    PROGRESS = "progress"
    RATIONALES = "rationales"
    CONSENSUS = "consensus"
    CHATS = "chats"

    @property
    def reads(self) -> tuple["Stage", ...]:
        """The stages whose rows this one reads. Rationales need no labels."""
        return _READS[self]


_READS = {
    Stage.PROBLEMS: (),
    Stage.SOLUTIONS: (Stage.PROBLEMS,),
    Stage.ROLLOUTS: (Stage.SOLUTIONS,),
    Stage.PROGRESS: (Stage.ROLLOUTS,),
    Stage.RATIONALES: (Stage.SOLUTIONS,),
    Stage.CONSENSUS: (Stage.PROGRESS, Stage.RATIONALES),
    Stage.CHATS: (Stage.CONSENSUS,),
}
