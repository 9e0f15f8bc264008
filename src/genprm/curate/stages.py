"""The stages of a curation, and which stages each one reads."""

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

    @property
    def asks_a_model(self) -> bool:
        """Whether its rows cost requests; those of the others are computed in seconds."""
        return self in (Stage.SOLUTIONS, Stage.ROLLOUTS, Stage.RATIONALES)

    @property
    def computed_from(self) -> tuple["Stage", ...]:
        """The later stages that depend on this one and ask no model."""
        return tuple(later for later in Stage if self in later.all_reads and not later.asks_a_model)

    @property
    def asked_from(self) -> tuple["Stage", ...]:
        """The later stages that depend on this one and ask a model."""
        return tuple(later for later in Stage if self in later.all_reads and later.asks_a_model)

    @property
    def all_reads(self) -> frozenset["Stage"]:
        """The stages that it depends on, directly or not."""
        return frozenset(self.reads).union(*(earlier.all_reads for earlier in self.reads))


_READS = {
    Stage.PROBLEMS: (),
    Stage.SOLUTIONS: (Stage.PROBLEMS,),
    Stage.ROLLOUTS: (Stage.SOLUTIONS,),
    Stage.PROGRESS: (Stage.ROLLOUTS,),
    Stage.RATIONALES: (Stage.SOLUTIONS,),
    Stage.CONSENSUS: (Stage.PROGRESS, Stage.RATIONALES),
    Stage.CHATS: (Stage.CONSENSUS,),
}
