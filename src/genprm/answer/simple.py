"""Compares simple answers exactly: numbers with units, times, numerals, words.

If something was dropped in reading, the pair is undecided, never equal: two numerals in different
bases, a time with and one without AM, words after a number that are not units.
"""

from fractions import Fraction

from genprm.answer.match import Match
from genprm.answer.number import Complex
from genprm.answer.units import Unit
from genprm.answer.value import Number, Numeral, Simple, Time, Words

# Units that share a name: pounds of weight and of money, degrees of angle and of heat.
_AMBIGUOUS = ({"mass", "sterling"}, {"degree", "celsius", "fahrenheit"}, {"degree", "kelvin"})

# Words behind a number that change what it says: `5 more than x`, `3 tenths`, `5 squared`.
_NO_UNITS = frozenset(
    {
        "than", "remainder", "with", "without", "plus", "minus", "time", "over", "mod", "modulo",
        "squared", "cubed", "root", "factorial", "less", "more", "fewer", "or", "not", "to",
        "from", "between", "choose", "log", "power", "of",
    }
)  # fmt: skip
_PARTS_IN_WORDS = {
    word: Fraction(1, size)
    for size, words in {
        2: "half halve", 3: "third", 4: "quarter fourth", 5: "fifth", 6: "sixth", 7: "seventh",
        8: "eighth", 9: "ninth", 10: "tenth", 12: "twelfth", 100: "hundredth", 1000: "thousandth",
    }.items()
    for word in words.split()
}  # fmt: skip


def compare_simple(gold: Simple, answer: Simple) -> Match:
    """Compare two answers that are not collections, choices or formulas."""
    match gold, answer:
        case Number(), Number():
            return _numbers(gold, answer)
        case Time(), Time():
            return _times(gold, answer)
        case Numeral(), Numeral():
            return _numerals(gold, answer)
        case Words(), Words():
            return either(_name(gold) == _name(answer))
        case (Numeral() as numeral, Number() as number) | (
            Number() as number,
            Numeral() as numeral,
        ):
            value = number.value
            same = value == Complex(Fraction(numeral.value or 0))
            if numeral.base == 10:
                return either(same)
            spelled = numeral.digits.isdecimal() and value == Complex(Fraction(numeral.digits))
            return Match.UNDECIDED if same or spelled else Match.DIFFERENT
        case (Time() as time, Number() as number) | (Number() as number, Time() as time):
            seconds = number.unit is not None and _seconds(number, time)
            return maybe(seconds or number.value in _readings(time))
    return Match.DIFFERENT  # a name, and something that is none


def either(equal: bool) -> Match:
    """EQUAL or DIFFERENT."""
    return Match.EQUAL if equal else Match.DIFFERENT


def maybe(same: bool) -> Match:
    """UNDECIDED or DIFFERENT."""
    return Match.UNDECIDED if same else Match.DIFFERENT


def _name(words: Words) -> str:
    return words.text.removeprefix("the ").removesuffix(".")


def _numbers(gold: Number, answer: Number) -> Match:
    one, other = gold.value, answer.value
    if gold.percent != answer.percent:
        share, plain = (one, other) if gold.percent else (other, one)
        return either(plain in (share, share * Complex(Fraction(1, 100))))
    unit, other_unit = telling_unit(gold.unit), telling_unit(answer.unit)
    if unit is None or other_unit is None:
        return _with_bare_number(one, other, unit or other_unit)
    if unit.dimensions == other_unit.dimensions:
        return either(one * Complex(unit.factor) == other * Complex(other_unit.factor))
    if one == other and not _tell_apart(unit, other_unit):
        return Match.UNDECIDED
    return Match.DIFFERENT


def _with_bare_number(one: Complex, other: Complex, unit: Unit | None) -> Match:
    """Compare numbers of which at most one has a unit: a unit may be omitted."""
    names = [name for name, _ in unit.dimensions] if unit else []
    words = {name.removeprefix("word ") for name in names if name.startswith("word ")}
    parts = [Complex(_PARTS_IN_WORDS[word]) for word in words & _PARTS_IN_WORDS.keys()]
    said = one == other or any(one * part == other or other * part == one for part in parts)
    return Match.UNDECIDED if said and (parts or words & _NO_UNITS) else either(one == other)


def telling_unit(unit: Unit | None) -> Unit | None:
    """The unit, or None for `units` and `square units`, which have no meaning."""
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
            half_told = len({gold.meridiem, answer.meridiem}) == 2 and None in (
                gold.meridiem,
                answer.meridiem,
            )
            same = minutes[0] in either_way or minutes[1] in either_way
            return Match.UNDECIDED if half_told and same else Match.DIFFERENT
        return either(True) if gold.meridiem and answer.meridiem else _surely(gold, answer)
    if gold.parts == answer.parts:
        return Match.EQUAL
    ratios = [time.parts for time in (gold, answer)]
    if len(ratios[0]) != len(ratios[1]):
        short, long = sorted(ratios, key=len)
        return maybe(long[: len(short)] == short and not any(long[len(short) :]))
    if any(part == 0 for parts in ratios for part in parts):
        return Match.DIFFERENT
    shares = {tuple(Fraction(part, parts[0]) for part in parts) for parts in ratios}
    return Match.UNDECIDED if len(shares) == 1 else Match.DIFFERENT  # 1:20 and 2:40


def _surely(gold: Time, answer: Time) -> Match:
    """Whether one has AM or PM, and both are the same time on a 24-hour clock."""
    plain = answer if gold.meridiem else gold
    certain = plain.parts[0] >= 13 or plain.parts[0] == 0
    return Match.EQUAL if certain else Match.UNDECIDED


def _minutes(time: Time) -> int | None:
    """Minutes of the day, without seconds."""
    hour = time.parts[0]
    if time.meridiem:
        hour = hour % 12 + (12 if time.meridiem == "PM" else 0)
    minutes = time.parts[1] if len(time.parts) > 1 else 0
    seconds = time.parts[2] if len(time.parts) > 2 else 0
    return hour * 60 + minutes + seconds * 1_000_000


def _readings(time: Time) -> list[Complex]:
    """The numbers that a time or ratio could mean."""
    first, *rest = time.parts
    readings = [Fraction(first)] + [Fraction(first, part) for part in rest[:1] if part]
    return [Complex(value) for value in readings]


def _seconds(number: Number, time: Time) -> bool:
    """The seconds of a duration such as `3 hours 20 minutes`, which `3:20` may mean."""
    unit = number.unit
    if unit is None or unit.dimensions != (("time", 1),) or len(time.parts) < 2:
        return False
    seconds = number.value * Complex(unit.factor)
    return any(
        seconds == Complex(Fraction(time.parts[0] * large + time.parts[1] * large // 60))
        for large in (3600, 60)
    )


def _numerals(gold: Numeral, answer: Numeral) -> Match:
    if gold.base == answer.base:
        return either(gold.digits == answer.digits)
    same = gold.value is not None and gold.value == answer.value
    return Match.UNDECIDED if same else Match.DIFFERENT
