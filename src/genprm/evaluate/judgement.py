"""A judge's verdict on one row with every vote, so that smaller runs can be computed from it.

From one run of N votes, Pass@1 and Maj@k for every k <= N follow without asking again: each
k-subset of the votes is a run of k votes, and the mean over all of them is an unbiased estimate
(all C(N, k), so nothing is drawn). The votes on a step share the history that all N votes chose,
as they do in a run of k votes whose majority agrees.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from genprm import verdict
from genprm.verdict import SolutionVerdict, Usage, label_of, mean_reward

Reward = float | None  # None: the vote abstained


@dataclass(frozen=True)
class Judgement:
    """One row's outcome.

    A judge of steps fills `rewards` [steps judged, votes]; a judge of whole solutions fills
    `guesses` [votes], each the index of a first error or None. `cause` is set if judging failed;
    then there is no prediction.
    """

    id: str
    steps: int  # of the solution; fewer may have been judged
    first_error: int | None
    rewards: tuple[tuple[Reward, ...], ...] = ()
    guesses: tuple[int | None, ...] = ()
    usage: Usage = field(default_factory=Usage)
    cause: str | None = None

    @classmethod
    def of(cls, verdict: SolutionVerdict, steps: int) -> "Judgement":
        """The outcome of a verdict on a solution of `steps` steps."""
        rewards = tuple(tuple(vote.reward for vote in step.votes) for step in verdict.steps)
        return cls(verdict.id, steps, verdict.first_error, rewards, (), verdict.usage)

    @cached_property
    def step_rewards(self) -> list[Reward]:
        """Mean reward of each judged step (eq. 6, 7) over its readable votes."""
        return [mean_reward(votes) for votes in self.rewards]

    @property
    def votes(self) -> int:
        """N: the votes that every judged step, or the whole solution, has."""
        return len(self.guesses) or min(map(len, self.rewards), default=0)

    def majority(self, votes: Sequence[int]) -> int | None:
        """The first error that only these votes (by index) would have named.

        Raises:
            LookupError: they would have judged further than this run did.
        """
        if self.guesses:
            return most_common(self.guesses[vote] for vote in votes)
        return first_error([[step[vote] for vote in votes] for step in self.rewards], self.steps)

    def hit_rate(self, label: int, k: int) -> float:
        """Share of the k-subsets of the votes that name `label`: Maj@k's expected hit.

        Raises:
            LookupError: there are fewer votes, or judging stopped too early to tell.
        """
        if k > self.votes:
            raise LookupError(f"{self.id}: Maj@{k} needs {k} votes, there are {self.votes}")
        subsets = list(combinations(range(self.votes), k))
        return sum(self.majority(subset) == label for subset in subsets) / len(subsets)


def first_error(rewards: Iterable[Sequence[Reward]], steps: int) -> int | None:
    """Index of the first step that its votes call wrong, -1 for none; None if it is unknown.

    Args:
        rewards: of the judged steps, [steps judged, votes].
        steps: of the solution.

    Raises:
        LookupError: every judged step is correct, but not all steps were judged.
    """
    labels = [label_of(votes) for votes in rewards]
    found = verdict.first_error(labels)
    if found == -1 and len(labels) < steps:
        raise LookupError("judging stopped at a step that these votes call correct")
    return found


def most_common(guesses: Iterable[int | None]) -> int | None:
    """The most frequent index, the earliest among equals; None if there is none.

    This is how the official script votes over critiques.
    """
    counts = Counter(guess for guess in guesses if guess is not None)
    return counts.most_common(1)[0][0] if counts else None
