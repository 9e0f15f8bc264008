"""Whether two answers say the same: exactly where both are read exactly.

What is dropped in reading makes a pair undecided, never equal: two numerals in different bases,
a time with and one without AM, words that are no unit. Formulas are compared by whatever is handed
in (`algebra`, in a process of its own); without it a pair that needs one gives None.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from fractions import Fraction

from genprm.answer.number import Complex
from genprm.answer.reading import read_answer
from genprm.answer.units import Unit
from genprm.answer.value import (
    Answer,
    Bare,
    Choice,
    Collection,
    Equation,
    Formula,
    Kind,
    Number,
    Numeral,
    Simple,
    Time,
    Words,
    bare,
    spelled,
)


class Match(StrEnum):
    """Whether an answer says the same as the gold answer."""

    EQUAL = "equal"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


Formulas = Callable[[str, str], Match]
_MOST_ITEMS = 40
# Units that share a name: pounds of weight and of money, degrees of angle and of heat.
_AMBIGUOUS = ({"mass", "sterling"}, {"degree", "celsius", "fahrenheit"}, {"degree", "kelvin"})


def compare(gold: Answer, answer: Answer, formulas: Formulas | None = None) -> Match | None:
    """Compare two answers; None where that takes `formulas` and there are none."""
    if isinstance(gold, Equation) and isinstance(answer, Equation) and gold.name != answer.name:
        match = compare(bare(gold), bare(answer), formulas)
        return Match.UNDECIDED if match is Match.EQUAL else match
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
    return _simple(gold, answer)


def _alone(answer: Bare) -> Bare:
    """The only element of a set: `{5}` says 5."""
    if isinstance(answer, Collection) and len(answer.items) == 1:
        return bare(answer.items[0])
    return answer


def _simple(gold: Simple, answer: Simple) -> Match:
    match gold, answer:
        case Number(), Number():
            return _numbers(gold, answer)
        case Time(), Time():
            return _times(gold, answer)
        case Numeral(), Numeral():
            return _numerals(gold, answer)
        case Words(), Words():
            return _either(_name(gold) == _name(answer))
        case (Numeral() as numeral, Number() as number) | (
            Number() as number,
            Numeral() as numeral,
        ):
            value = number.value
            same = value == Complex(Fraction(numeral.value or 0))
            spelled = numeral.digits.isdecimal() and value == Complex(Fraction(numeral.digits))
            return Match.UNDECIDED if same or spelled else Match.DIFFERENT
        case (Time() as time, Number() as number) | (Number() as number, Time() as time):
            return Match.UNDECIDED if number.value in _readings(time) else Match.DIFFERENT
    return Match.DIFFERENT  # a name, and something that is none


def _either(equal: bool) -> Match:
    return Match.EQUAL if equal else Match.DIFFERENT


def _name(words: Words) -> str:
    return words.text.removeprefix("the ").removesuffix(".")


def _numbers(gold: Number, answer: Number) -> Match:
    one, other = gold.value, answer.value
    if gold.percent != answer.percent:
        share, plain = (one, other) if gold.percent else (other, one)
        return _either(plain in (share, share * Complex(Fraction(1, 100))))
    unit, other_unit = _unit(gold.unit), _unit(answer.unit)
    if unit is None or other_unit is None:
        return _either(one == other)
    if unit.dimensions == other_unit.dimensions:
        return _either(one * Complex(unit.factor) == other * Complex(other_unit.factor))
    if one == other and not _tell_apart(unit, other_unit):
        return Match.UNDECIDED
    return Match.DIFFERENT


def _unit(unit: Unit | None) -> Unit | None:
    """The unit, without `units` and `square units`, which say nothing."""
    if unit is None or all(name == "unit" for name, _ in unit.dimensions):
        return None
    return unit


def _tell_apart(one: Unit, other: Unit) -> bool:
    """Whether two units of different dimensions are certainly different."""
    names = {name for unit in (one, other) for name, _ in unit.dimensions}
    return one.known and other.known and not any(pair <= names for pair in _AMBIGUOUS)


def _times(gold: Time, answer: Time) -> Match:
    minutes = _minutes(gold), _minutes(answer)
    if gold.meridiem or answer.meridiem:
        if minutes[0] != minutes[1]:
            either_way = {(minute + 720) % 1440 for minute in minutes if minute is not None}
            maybe = len({gold.meridiem, answer.meridiem}) == 2 and None in (
                gold.meridiem,
                answer.meridiem,
            )
            same = minutes[0] in either_way or minutes[1] in either_way
            return Match.UNDECIDED if maybe and same else Match.DIFFERENT
        return _either(True) if gold.meridiem and answer.meridiem else _surely(gold, answer)
    if gold.parts == answer.parts:
        return Match.EQUAL
    ratios = [time.parts for time in (gold, answer)]
    if any(part == 0 for parts in ratios for part in parts) or len(ratios[0]) != len(ratios[1]):
        return Match.DIFFERENT
    shares = {tuple(Fraction(part, parts[0]) for part in parts) for parts in ratios}
    return Match.UNDECIDED if len(shares) == 1 else Match.DIFFERENT  # 1:20 and 2:40


def _surely(gold: Time, answer: Time) -> Match:
    """One of them says AM or PM and both are the same time of a day of 24 hours."""
    plain = answer if gold.meridiem else gold
    return Match.EQUAL if plain.parts[0] >= 13 else Match.UNDECIDED


def _minutes(time: Time) -> int | None:
    """Minutes of the day, seconds aside."""
    hour = time.parts[0]
    if time.meridiem:
        hour = hour % 12 + (12 if time.meridiem == "PM" else 0)
    minutes = time.parts[1] if len(time.parts) > 1 else 0
    seconds = time.parts[2] if len(time.parts) > 2 else 0
    return hour * 60 + minutes + seconds * 1_000_000


def _readings(time: Time) -> list[Complex]:
    """The numbers that a time or a ratio could be taken for."""
    first, *rest = time.parts
    readings = [Fraction(first)] + [Fraction(first, part) for part in rest[:1] if part]
    return [Complex(value) for value in readings]


def _numerals(gold: Numeral, answer: Numeral) -> Match:
    if gold.base == answer.base:
        return _either(gold.digits == answer.digits)
    same = gold.value is not None and gold.value == answer.value
    return Match.UNDECIDED if same else Match.DIFFERENT


def _with_choice(gold: Answer, answer: Answer, formulas: Formulas | None) -> Match | None:
    if isinstance(gold, Choice) and isinstance(answer, Choice):
        return _either(gold.letters == answer.letters)
    choice, other = (gold, answer) if isinstance(gold, Choice) else (answer, gold)
    assert isinstance(choice, Choice)
    if choice.said:
        said = Formula(choice.said) if isinstance(other, Formula) else read_answer(choice.said)
        return compare(said, other, formulas)
    if isinstance(other, Collection) and len(other.items) > 1:
        return Match.UNDECIDED
    if isinstance(other, Formula) and re.search(rf"\b{min(choice.letters)}\b", other.tex):
        return Match.UNDECIDED
    return Match.DIFFERENT


def _with_formula(gold: Answer, answer: Answer, formulas: Formulas | None) -> Match | None:
    if any(isinstance(side, Words) for side in (gold, answer)) and any(
        isinstance(side, Formula) and re.search(r"\d", side.tex) for side in (gold, answer)
    ):
        return Match.DIFFERENT  # a name and a formula with numbers
    if formulas is None:
        return None
    match = formulas(spelled(gold), spelled(answer))
    units = [_unit(getattr(side, "unit", None)) for side in (gold, answer)]
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
    """Whether every item has a partner of its own. Equal items are taken first."""
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
