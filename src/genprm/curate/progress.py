"""Stage 3, progress: labels from Monte-Carlo scores. It takes seconds and uses no model.

Relative Progress Estimation (eq. 10, 11): `P_t = MC(s_t, a_t) / MC(s_t)`, and a step is correct iff
`P_t >= epsilon`. `MC(s_t)` is the score of the step before, `MC(s_1)` the problem's Pass@1.
Scores are exact fractions, so that rounding cannot change the label of a step at the threshold.
"""

from collections.abc import Sequence
from fractions import Fraction

from genprm.curate.recipe import Progress, Rule
from genprm.curate.scores import Score


def progress(
    scores: Sequence[Score | None], pass_at_1: Fraction, rule: Rule
) -> list[Fraction | None]:
    """The value that the rule compares with epsilon, for each step [T].

    None is a ratio with a denominator of zero and a score above zero: infinite progress. From a
    score of zero to zero, progress is 0.

    Raises:
        ValueError: the rule needs scores that were not estimated.
    """
    if rule is Rule.HARD:
        return [Fraction(1) if score is None else score.value for score in scores]
    if None in scores:
        raise ValueError(f"{rule} needs every score")
    after = [score.value for score in scores if score is not None]
    before = [pass_at_1, *after[:-1]]
    if rule is Rule.DIFFERENCE:
        return [mc - earlier for mc, earlier in zip(after, before, strict=True)]
    return [_ratio(mc, earlier) for mc, earlier in zip(after, before, strict=True)]


def _ratio(mc: Fraction, earlier: Fraction) -> Fraction | None:
    if earlier:
        return mc / earlier
    return None if mc else Fraction(0)


def labels(scores: Sequence[Score | None], pass_at_1: Fraction, settings: Progress) -> list[bool]:
    """Whether each step [T] is correct, under the recipe's rule."""
    compared = progress(scores, pass_at_1, settings.rule)
    if settings.rule is Rule.HARD:
        return [value is None or value > 0 for value in compared]
    epsilon = Fraction(str(settings.epsilon))
    return [value is None or value >= epsilon for value in compared]
