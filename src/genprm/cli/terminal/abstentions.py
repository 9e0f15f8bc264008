"""A hint for a run most of whose votes abstained for the same reason."""

from collections import Counter
from collections.abc import Iterable

from genprm.verdict import Flag, Vote


class Abstentions:
    """Counts the votes of a run, those that were cut off, and those that could not be read."""

    def __init__(self) -> None:
        self._votes = self._truncated = self._unread = 0
        self._mass = 0.0  # of Yes and No together, summed over the unreadable ones
        self._likeliest: Counter[str] = Counter()  # the tokens that were most probable instead

    def add(self, votes: Iterable[Vote]) -> None:
        """Count some more votes."""
        for vote in votes:
            self._votes += 1
            self._truncated += vote.abstained is Flag.TRUNCATED
            if vote.abstained is Flag.UNREADABLE:
                self._unread += 1
                self._mass += vote.label_mass or 0.0
                self._likeliest.update(vote.likeliest[:1])

    @property
    def hint(self) -> str:
        """One line that says what to change, or nothing where most votes were read."""
        if 2 * self._truncated > self._votes:
            return (
                f"{self._truncated} of {self._votes} votes reached the token limit before their "
                "judgement, and abstain; fix: raise --max-tokens"
            )
        if 2 * self._unread <= self._votes:
            return ""
        words = ", ".join(repr(token) for token, _ in self._likeliest.most_common(3))
        return (
            f"{self._unread} of {self._votes} votes are unreadable: Yes and No together had a "
            f"probability of {self._mass / self._unread:.3f} on average"
            f"{f' (most probable instead: {words})' if words else ''}. Models that were not "
            "trained as GenPRM do not know its format; fix: add --prompt general; "
            "more: genprm explain unreadable-votes"
        )
