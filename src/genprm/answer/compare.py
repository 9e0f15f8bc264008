"""Whether two answers say the same, decided exactly where both can be read exactly.

If something was dropped in reading, the pair is undecided, never equal: two numerals in different
bases, a time with and one without AM, words that are not units. Formulas are compared by the
function that is passed (`algebra`, in a separate process); without one, such a pair gives None.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from genprm.answer.match import Match
from genprm.answer.reading import read_answer
from genprm.answer.simple import compare_simple, either, telling_unit
from genprm.answer.value import (
    Answer,
    Bare,
    Choice,
    Collection,
    Equation,
    Formula,
    Kind,
    Words,
    bare,
    spelled,
)

Formulas = Callable[[str, str], Match]
_MOST_ITEMS = 40


def compare(gold: Answer, answer: Answer, formulas: Formulas | None = None) -> Match | None:
    """Compare two answers; None if this needs `formulas` and it is missing."""
    if isinstance(gold, Equation) and isinstance(answer, Equation) and gold.name != answer.name:
        match = compare(bare(gold), bare(answer), formulas)
        return Match.UNDECIDED if match is Match.EQUAL else match
    if isinstance(gold, Equation) != isinstance(answer, Equation) and any(
        isinstance(side, Formula) and "=" in side.tex for side in (gold, answer)
    ):
        return _with_formula(Formula(spelled(gold)), Formula(spelled(answer)), formulas)
    return _bare(_alone(bare(gold)), _alone(bare(answer)), formulas)


def _bare(gold: Bare, answer: Bare, formulas: Formulas | None) -> Match | None:
    if isinstance(gold, Choice) or isinstance(answer, Choice):
        return _with_choice(gold, answer, formulas)
    if isinstance(gold, Formula) or isinstance(answer, Formula):
        return _with_formula(gold, answer, formulas)
    if isinstance(gold, Collection) and isinstance(answer, Collection):
        return _collections(gold, answer, formulas)
    if isinstance(gold, Collection) or isinstance(answer, Collection):
        return Match.DIFFERENT  # one answer is not several
    return compare_simple(gold, answer)


def _alone(answer: Bare) -> Bare:
    """The only element of a set with one element: `{5}` means 5."""
    if isinstance(answer, Collection) and len(answer.items) == 1:
        return bare(answer.items[0])
    return answer


def _with_choice(gold: Answer, answer: Answer, formulas: Formulas | None) -> Match | None:
    if isinstance(gold, Choice) and isinstance(answer, Choice):
        return either(gold.letters == answer.letters)
    choice, other = (gold, answer) if isinstance(gold, Choice) else (answer, gold)
    assert isinstance(choice, Choice)
    if choice.said:
        said = Formula(choice.said) if isinstance(other, Formula) else read_answer(choice.said)
        return compare(said, other, formulas)
    if isinstance(other, Collection) and len(other.items) > 1:
        return Match.UNDECIDED
    if isinstance(other, Formula) and re.search(rf"\b{min(choice.letters)}\b", other.tex, re.I):
        return Match.UNDECIDED
    if isinstance(other, Words) and set(other.text.upper()) == choice.letters:
        return Match.UNDECIDED  # `AC` for A and C
    return Match.DIFFERENT


def _with_formula(gold: Answer, answer: Answer, formulas: Formulas | None) -> Match | None:
    if any(isinstance(side, Words) for side in (gold, answer)) and any(
        isinstance(side, Formula) and re.search(r"\d", side.tex) for side in (gold, answer)
    ):
        return Match.DIFFERENT  # a name and a formula with numbers
    if formulas is None:
        return None
    match = formulas(spelled(gold), spelled(answer))
    units = [telling_unit(getattr(side, "unit", None)) for side in (gold, answer)]
    if match is Match.EQUAL and None not in units and units[0] != units[1]:
        return Match.UNDECIDED
    return match


def _collections(gold: Collection, answer: Collection, formulas: Formulas | None) -> Match | None:
    if len(gold.items) != len(answer.items) or len(gold.items) > _MOST_ITEMS:
        return Match.DIFFERENT if len(gold.items) != len(answer.items) else Match.UNDECIDED
    kinds = {gold.kind, answer.kind}
    if kinds <= {Kind.LIST, Kind.SET}:
        return _unordered(gold.items, answer.items, formulas)
    in_order = _ordered(gold.items, answer.items, formulas)
    if kinds <= {Kind.TUPLE, Kind.INTERVAL}:
        return (
            in_order if gold.brackets == answer.brackets else _not_equal(in_order, Match.DIFFERENT)
        )
    if kinds == {Kind.TUPLE, Kind.LIST} and in_order is Match.EQUAL:
        return Match.EQUAL
    in_any_order = _unordered(gold.items, answer.items, formulas)
    return _not_equal(in_any_order, Match.UNDECIDED)


def _not_equal(match: Match | None, instead: Match) -> Match | None:
    return instead if match is Match.EQUAL else match


def _item(gold: Answer, answer: Answer, formulas: Formulas | None) -> Match | None:
    if isinstance(gold, Equation) and isinstance(answer, Equation) and gold.name != answer.name:
        return Match.DIFFERENT
    return compare(gold, answer, formulas)


def _ordered(
    gold: Sequence[Answer], answer: Sequence[Answer], formulas: Formulas | None
) -> Match | None:
    return _all(_item(one, other, formulas) for one, other in zip(gold, answer, strict=True))


def _all(matches: Iterable[Match | None]) -> Match | None:
    found = list(matches)
    for decisive in (Match.DIFFERENT, None, Match.UNDECIDED):
        if decisive in found:
            return decisive
    return Match.EQUAL


def _unordered(
    gold: Sequence[Answer], answer: Sequence[Answer], formulas: Formulas | None
) -> Match | None:
    """Whether every item has its own partner. Equal items are paired first."""
    left = list(answer)
    open_ended: list[Match | None] = []
    for item in gold:
        matches = [_item(item, other, formulas) for other in left]
        if Match.EQUAL in matches:
            left.pop(matches.index(Match.EQUAL))
        elif None in matches:
            open_ended.append(None)
        elif Match.UNDECIDED in matches:
            open_ended.append(Match.UNDECIDED)
        else:
            return Match.DIFFERENT
    return _all(open_ended)
