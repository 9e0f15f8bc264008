"""What adaptive voting would save, computed from runs with all N votes.

With a rule, the first votes are the same, in the same order and on the same history, and as long as
a label does not change, its representative vote does not either. So the curve of tokens saved
against agreement needs no further model call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from genprm.evaluate.metrics import score
from genprm.verdict import SolutionVerdict, StepVerdict
from genprm.verify.voting import ERROR_RATE, Adaptive, asked_of

ERROR_RATES = (0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001)


@dataclass(frozen=True, slots=True)
class Saving:
    """One rule compared with all N votes; shares are between 0 and 1.

    `f1` and `f1_of_all` are in percent; None if the rows have no labels.
    """

    rule: Adaptive
    error_rate: float | None
    tokens_saved: float
    votes_saved: float
    step_agreement: float
    solution_agreement: float
    f1: float | None
    f1_of_all: float | None


def savings(
    verdicts: Sequence[SolutionVerdict], labels: Sequence[int] | None = None
) -> list[Saving]:
    """The savings of `exact`, and then of `confident` from loose to strict.

    Args:
        verdicts: verdicts with all N votes on every judged step.
        labels: index of the first wrong step, -1 for none, by solution.
    """
    rules = [(Adaptive.EXACT, None), *((Adaptive.CONFIDENT, rate) for rate in ERROR_RATES)]
    return [_saving(verdicts, labels, rule, rate) for rule, rate in rules]


def _saving(
    verdicts: Sequence[SolutionVerdict],
    labels: Sequence[int] | None,
    rule: Adaptive,
    rate: float | None,
) -> Saving:
    def cut(step: StepVerdict) -> StepVerdict:
        rewards = [vote.reward for vote in step.votes]
        asked = asked_of(rewards, rule, ERROR_RATE if rate is None else rate)
        return replace(step, votes=step.votes[:asked])

    early = [SolutionVerdict(one.id, tuple(map(cut, one.steps))) for one in verdicts]
    pairs = [
        (some, whole)
        for one, verdict in zip(early, verdicts, strict=True)
        for some, whole in zip(one.steps, verdict.steps, strict=True)
    ]
    spent, full = (sum(pair[i].usage.tokens_out for pair in pairs) for i in (0, 1))
    votes, wanted = (sum(len(pair[i].votes) for pair in pairs) for i in (0, 1))
    firsts, all_firsts = ([one.first_error for one in some] for some in (early, verdicts))
    return Saving(
        rule,
        rate,
        tokens_saved=1 - spent / full,
        votes_saved=1 - votes / wanted,
        step_agreement=sum(a.label == b.label for a, b in pairs) / len(pairs),
        solution_agreement=sum(a == b for a, b in zip(firsts, all_firsts, strict=True))
        / len(verdicts),
        f1=None if labels is None else score(labels, firsts).f1,
        f1_of_all=None if labels is None else score(labels, all_firsts).f1,
    )
