"""What to say of a run whose votes could mostly not be read."""

from collections.abc import Iterable
from statistics import fmean

from genprm.verdict import Flag, Vote


def unreadable_hint(votes: Iterable[Vote]) -> str:
    """One line that names the prompt for other models, or nothing where most votes were read."""
    all_votes = list(votes)
    unread = [vote for vote in all_votes if vote.abstained is Flag.UNREADABLE]
    if 2 * len(unread) <= len(all_votes):
        return ""
    mass = fmean(vote.label_mass or 0.0 for vote in unread)
    return (
        f"{len(unread)} of {len(all_votes)} votes are unreadable: Yes and No together had a "
        f"probability of {mass:.3f} on average. Models that were not trained as GenPRM do not know "
        "its format; fix: --prompt general"
    )
