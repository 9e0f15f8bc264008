"""Which solutions stay, under every kind of agreement."""

import pytest

from genprm.curate.consensus import Decision, decide, disagreement
from genprm.curate.recipe import Agreement
from genprm.records.critiques import Critique, Paragraph, Unreadable
from genprm.records.curation import Disagreement

Y, N = True, False


def critique(*labels: bool) -> Critique:
    return Critique(tuple(Paragraph("a", (), "", right) for right in labels))


UNREADABLE = Critique((), Unreadable.NO_CONCLUSION)


@pytest.mark.parametrize(
    ("scores", "teacher", "cause"),
    [
        ([Y, Y, Y], [Y, Y, Y], None),
        ([Y, N, N], [Y, N], None),  # the teacher stops at the first error
        ([Y, N, Y], [Y, N], None),
        ([Y, N, Y], [Y, N, N], Disagreement.AFTER_ERROR),  # this one read on
        ([Y, Y, Y], [Y, N], Disagreement.TEACHER_ONLY),
        ([Y, N, N], [Y, Y, Y], Disagreement.SCORES_ONLY),
        ([Y, Y, N], [N], Disagreement.TEACHER_EARLIER),
        ([N, N, N], [Y, Y, N], Disagreement.TEACHER_LATER),
    ],
)
def test_every_judged_step_must_agree(
    scores: list[bool], teacher: list[bool], cause: Disagreement | None
) -> None:
    assert disagreement(scores, teacher) == cause


def test_a_teacher_who_stops_without_an_error_is_a_bug() -> None:
    with pytest.raises(ValueError, match="1 of 2 steps judged"):
        disagreement([Y, Y], [Y])


RIGHT, WRONG = critique(Y, N), critique(Y, Y)


@pytest.mark.parametrize(
    ("critiques", "agreement", "decision"),
    [
        ([RIGHT], Agreement.FIRST, Decision(0, None)),
        ([UNREADABLE, RIGHT], Agreement.FIRST, Decision(1, None)),
        ([WRONG, RIGHT], Agreement.FIRST, Decision(None, Disagreement.SCORES_ONLY)),
        ([WRONG, RIGHT], Agreement.ANY, Decision(1, None)),
        ([WRONG, RIGHT], Agreement.MAJORITY, Decision(None, Disagreement.TIED)),
        ([WRONG, RIGHT, UNREADABLE, RIGHT], Agreement.MAJORITY, Decision(1, None)),
        ([WRONG, WRONG, RIGHT], Agreement.MAJORITY, Decision(None, Disagreement.SCORES_ONLY)),
        ([WRONG], Agreement.OFF, Decision(0, None)),
        ([UNREADABLE], Agreement.OFF, Decision(None, Disagreement.UNREADABLE)),
        ([UNREADABLE], Agreement.MAJORITY, Decision(None, Disagreement.UNREADABLE)),
    ],
)
def test_which_critique_is_kept(
    critiques: list[Critique], agreement: Agreement, decision: Decision
) -> None:
    assert decide([Y, N], critiques, agreement) == decision
