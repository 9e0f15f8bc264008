"""Conversions between units of one kind: `3.2 km is 320 m` is false in any problem."""

import re
from collections.abc import Iterator
from fractions import Fraction

from genprm.calculator.equations import Claim
from genprm.calculator.exact import tolerance
from genprm.calculator.notation import NUMBER, plain

_KINDS: tuple[dict[str, Fraction], ...] = (
    {
        "mm millimeter millimeters": Fraction(1),
        "cm centimeter centimeters": Fraction(10),
        "m meter meters metre metres": Fraction(1000),
        "km kilometer kilometers": Fraction(10**6),
    },
    {
        "inch inches": Fraction(1),
        "foot feet ft": Fraction(12),
        "yard yards": Fraction(36),
        "mile miles": Fraction(63360),
    },
    {
        "mg": Fraction(1),
        "g gram grams": Fraction(1000),
        "kg kilogram kilograms": Fraction(10**6),
    },
    {"ounce ounces oz": Fraction(1), "pound pounds lb lbs": Fraction(16)},
    {
        "second seconds sec": Fraction(1),
        "minute minutes min": Fraction(60),
        "hour hours h": Fraction(3600),
    },
    {"day days": Fraction(1), "week weeks": Fraction(7)},
    {"month months": Fraction(1), "year years": Fraction(12)},
    {"ml milliliter milliliters": Fraction(1), "l liter liters litre litres": Fraction(1000)},
    {"cent cents": Fraction(1), "dollar dollars": Fraction(100)},
    {"egg eggs item items": Fraction(1), "dozen": Fraction(12)},
)
_SIZES = {
    name: (kind, size)
    for kind, units in enumerate(_KINDS)
    for names, size in units.items()
    for name in names.split()
}
_NAMES = "|".join(sorted(_SIZES, key=len, reverse=True))
_AMOUNT = rf"(?:{NUMBER}|an?|one) ?(?:{_NAMES})\b"
_CLAIM = re.compile(
    rf"(?i)(?<![\w.*/+-])(?P<left>{_AMOUNT}) ?(?:=|is|are|equals|has|makes)(?: equal to)? "
    rf"?(?P<right>{_AMOUNT}(?:,? (?:and )?{_AMOUNT})*)(?! ?(?:[-+*/]|per\b|each\b|long|old|away))"
)
_PART = re.compile(rf"(?i)({NUMBER}|an?|one) ?({_NAMES})\b")


def conversions(step: str) -> Iterator[Claim]:
    """Every conversion between units of one kind that a step states."""
    for found in _CLAIM.finditer(plain(step)):
        left, right = _PART.findall(found["left"]), _PART.findall(found["right"])
        kinds = {_SIZES[unit.lower()][0] for _, unit in (*left, *right)}
        units = {_SIZES[unit.lower()][1] for _, unit in (*left, *right)}
        if len(kinds) != 1 or len(units) < 2:
            continue
        one, other = _total(left), _total(right)
        slack = max(_SIZES[unit.lower()][1] * tolerance(number) for number, unit in (*left, *right))
        code = f"print(abs({_sum(left)} - ({_sum(right)})) <= {float(slack):g} + 1e-9)"
        yield Claim(found[0].strip(), code, abs(one - other) <= slack)


def _total(parts: list[tuple[str, str]]) -> Fraction:
    return sum((_count(number) * _SIZES[unit.lower()][1] for number, unit in parts), Fraction(0))


def _sum(parts: list[tuple[str, str]]) -> str:
    return " + ".join(
        f"{float(_count(number)):g} * {_SIZES[unit.lower()][1]}" for number, unit in parts
    )


def _count(number: str) -> Fraction:
    return Fraction(1) if number.lower() in ("a", "an", "one") else Fraction(number)
