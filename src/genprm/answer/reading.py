r"""Reads a final answer as far as it can be read exactly.

It reads numbers with their unit, times of day, numerals with a base, choice letters, words,
equations `x = 5`, and collections of these. Everything else is a `Formula`.
"""

import re
from fractions import Fraction

from genprm.answer.number import Complex, read_number
from genprm.answer.number_words import SCALES
from genprm.answer.spelling import plain_tex
from genprm.answer.times import read_date, read_time
from genprm.answer.units import Unit, read_unit
from genprm.answer.value import (
    Answer,
    Choice,
    Collection,
    Equation,
    Formula,
    Kind,
    Number,
    Numeral,
    Words,
)

_LONGEST = 2_000
_MAX_DEPTH = 6
_MOST_WORDS = 8  # of a number that is spelled out

_HEXADECIMAL = re.compile(r"0[xX]([0-9A-Fa-f]{1,40})")
_NUMERAL = re.compile(
    r"\(?([0-9A-Za-z]{1,200})\)?\s*_\s*(?:\{\s*\(?(\w+)\)?\s*\}|(\d))|([0-9A-Fa-f]{1,200})\s+(?:in\s+)?base[\s-]+(\w+)"
)
_CHOICES = re.compile(r"\(?[A-J]\)?(?:(?:\s*,?\s*\band\b\s*|\s*[,;&]\s*|\s+)\(?[A-J]\)?)*")
_CHOICE_WITH_TEXT = re.compile(r"(?:\(([A-J])\)|([A-J])[).:](?=\s))\s*(.+)", re.S)
_LABEL = re.compile(
    r"^(?:the\s+)?(?:(?:final|correct|right|best)\s+)?(?:answer|option|choice)"
    r"(?:\s+is\b|\s*:|\s+(?=\(?[A-J]\b))[\s:]*(?=\S)",
    re.I,
)
_VARIABLES = re.compile(r"(?:/\s*)?[A-Za-z]{1,2}(?![A-Za-z])")
_LETTER = re.compile(r"[A-J]")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[\s'’.-]+[^\W\d_]+)*")
_EQUATION = re.compile(
    r"((?:[A-Za-z]|\\(?!sum|int|prod|lim|max|min)[A-Za-z]+)(?:_\{?\w{1,5}\}?|')?(?:\([A-Za-z]\))?)\s*=\s*([^=].*)",
    re.S,
)
_CURRENCY = re.compile(r"(-?)\s*(?:US|U\.S\.)?\s?\\?([$€£¥₹])\s*(?=[\d.])")
_PERCENT = re.compile(r"\s*(?:%|percent|per cent)(?:age points?)?\s*", re.I)
_INFINITY = re.compile(r"([-+]?)\s*(?:infinity|inf|\\infty)", re.I)
_APPROXIMATE = re.compile(
    r"(?:about|approximately|approx\.?|roughly|around|exactly|\\approx|≈|~)\s*", re.I
)
_SIGNS = re.compile(r"\\[pm][pm](?![A-Za-z])")
_UNIT_BEHIND = re.compile(r"(.*?[\w)}])\s+((?:square |cubic )?[A-Za-z]{2}[A-Za-z/^{}\d ]*)", re.S)
_PARTS = re.compile(r"(\d[\d.,]*(?:\s?\d+/\d+|/\d+)?)\s*([^\d\s][^\d]*)")


def read_answer(text: str) -> Answer:
    """Parse an answer, in a time that is nearly linear in its length."""
    plain = plain_tex(text) if len(text) <= _LONGEST else text
    plain = _LABEL.sub("", plain, count=1)
    return _read(plain, 0) if len(plain) <= _LONGEST else Formula(plain)


def _read(plain: str, depth: int) -> Answer:
    plain = plain.strip()
    if depth > _MAX_DEPTH or not plain:
        return Formula(plain)
    simple = _simple(plain)
    if simple is not None:
        return simple
    collection = _collection(plain, depth) or _both_signs(plain, depth)
    if collection is not None:
        return collection
    if equation := _EQUATION.fullmatch(plain):
        return Equation(equation[1], _read(equation[2], depth + 1))
    behind = _UNIT_BEHIND.fullmatch(plain)
    unit = read_unit(behind[2]) if behind else None
    if behind and unit is not None and unit.known:
        return Formula(behind[1], unit)
    return Formula(plain)


def _simple(plain: str) -> Answer | None:
    if (moment := read_date(plain) or read_time(plain)) is not None:
        return moment
    number = None if _HEXADECIMAL.fullmatch(plain) else read_number(plain)
    if number is not None:
        return Number(number)
    if numeral := _NUMERAL.fullmatch(plain) or _HEXADECIMAL.fullmatch(plain):
        return _numeral(numeral)
    if _CHOICES.fullmatch(plain):
        return Choice(frozenset(_LETTER.findall(plain)))
    if choice := _CHOICE_WITH_TEXT.fullmatch(plain):
        return Choice(frozenset({choice[1] or choice[2]}), choice[3].strip())
    if infinity := _INFINITY.fullmatch(plain):
        return Formula(("-" if infinity[1] == "-" else "") + r"\infty")
    quantity = _quantity(plain)
    if quantity is None and _WORDS.fullmatch(plain) and " and " not in plain:
        return Words(" ".join(plain.casefold().split()))
    return quantity


def _numeral(match: re.Match[str]) -> Answer | None:
    if match.re is _HEXADECIMAL:
        digits, base = match[1], "16"
    else:
        digits, base = match[1] or match[4], match[2] or match[3] or match[5]
    value = read_number(base)
    if value is None or not 2 <= value.real <= 36 or value.real.denominator != 1:
        return None
    return Numeral(digits.lstrip("0").upper() or "0", int(value.real))


def _quantity(plain: str) -> Number | None:
    """A number with a currency sign, a percent sign, a scale or a unit."""
    plain = _APPROXIMATE.sub("", plain, count=1)
    currency = _CURRENCY.match(plain)
    unit = read_unit(currency[2]) if currency else None
    if currency:
        plain = currency[1] + plain[currency.end() :]
    value = read_number(plain)
    if value is not None:
        return Number(value, unit)
    split = _number_and_rest(plain)
    if split is None:
        return _compound(plain)
    value, rest = split
    if _PERCENT.fullmatch(rest):
        return Number(value, unit, percent=True)
    rest = rest.strip().strip("()").strip()
    scale = rest.split(" ", 1)[0].lower()
    if scale in SCALES:
        value *= Complex(Fraction(SCALES[scale]))
        rest = rest[len(scale) :].removeprefix(" of ").strip()
        if not rest:
            return Number(value, unit)
    beside = read_unit(rest)
    if beside is None or (not beside.known and _VARIABLES.match(rest)):
        return _compound(plain)  # `2x` is a product, as `5 apples` is none
    if unit is not None and re.match(r"/|per\b", rest):
        return Number(value, unit.times(beside))
    if unit is not None and beside.dimensions != unit.dimensions:
        return None
    return Number(value, beside)


def _compound(plain: str) -> Number | None:
    """`3 hours 20 minutes`, `5 feet 6 inches`: in base units."""
    parts = list(_PARTS.finditer(plain))
    if len(parts) < 2 or "".join(part[0] for part in parts) != plain:
        return None
    total, dimensions = Complex(Fraction(0)), None
    for part in parts:
        value = read_number(part[1])
        unit = read_unit(re.sub(r"(?:,|\band)\s*$", "", part[2].strip()).strip())
        if value is None or unit is None or not unit.known:
            return None
        if dimensions not in (None, unit.dimensions):
            return None
        dimensions = unit.dimensions
        total += value * Complex(unit.factor)
    return Number(total, Unit(dimensions or ()))


def _number_and_rest(plain: str) -> tuple[Complex, str] | None:
    """The longest number at the beginning, and the rest."""
    for pattern in (r".*[\d})!](?=\s*[^\d})!]*$)", r"[-+]?[\d.,]*\d(?:\s+\d+/\d+|\s?/\s?\d+)?"):
        match = re.match(pattern, plain, re.S)
        if match is None or not match[0]:
            continue
        value = read_number(match[0])
        if value is not None:
            return value, plain[match.end() :]
    words = plain.split(" ")
    for count in range(min(len(words) - 1, _MOST_WORDS), 0, -1):  # `twenty-five dollars`
        value = read_number(" ".join(words[:count]))
        if value is not None:
            return value, " ".join(words[count:])
    return None


def _expanded(answer: Answer) -> "tuple[Answer, ...]":
    r"""The two answers of `1 \pm 2`; or the single answer."""
    is_pair = isinstance(answer, Collection) and answer.brackets == "±"
    return answer.items if is_pair and isinstance(answer, Collection) else (answer,)


def _both_signs(plain: str, depth: int) -> Collection | None:
    r"""`3 \pm 2` is two answers."""
    if not _SIGNS.search(plain) or "=" in plain:
        return None
    upper = plain.replace(r"\pm", "+").replace(r"\mp", "-").removeprefix("+").strip()
    lower = plain.replace(r"\pm", "-").replace(r"\mp", "+").removeprefix("+").strip()
    items = (_read(upper, depth + 1), _read(lower, depth + 1))
    return Collection(Kind.LIST, items, "±")


def _collection(plain: str, depth: int) -> Collection | None:
    brackets, inner = _brackets(plain)
    parts = _top_level_parts(inner)
    if len(parts) < 2 and brackets not in ("{}",):
        return None
    if not all(parts):
        return None
    items = tuple(item for part in parts for item in _expanded(_read(part, depth + 1)))
    if not brackets:
        return Collection(Kind.LIST, items)
    if brackets == "{}":
        return Collection(Kind.SET, tuple(dict.fromkeys(items)), brackets)
    is_interval = "[" in brackets or "]" in brackets
    return Collection(Kind.INTERVAL if is_interval else Kind.TUPLE, items, brackets)


def _brackets(plain: str) -> tuple[str, str]:
    """The brackets around the whole text and their content; none if they close earlier."""
    text = (
        plain.replace(r"\{", "{")
        .replace(r"\}", "}")
        .replace(r"\lbrace", "{")
        .replace(r"\rbrace", "}")
    )
    if len(text) < 2 or text[0] not in "([{" or text[-1] not in ")]}":
        return "", plain
    level = 0
    for index, sign in enumerate(text):
        level += (sign in "([{") - (sign in ")]}")
        if level == 0 and index < len(text) - 1:
            return "", plain
    return text[0] + text[-1], text[1:-1].strip()


def _top_level_parts(inner: str) -> list[str]:
    """The parts between commas, semicolons, "and" and "or" outside of all brackets."""
    parts, level, start = [], 0, 0
    for match in re.finditer(r"[()\[\]{}]|,\s*(?:and|or)\b|;|\b(?:and|or)\b|,", inner):
        sign = match[0]
        if sign in "([{":
            level += 1
        elif sign in ")]}":
            level -= 1
        elif level == 0:
            is_grouping = (
                sign == ","
                and re.search(r"(?<![\d.])\d{1,3}(?:,\d{3})*$", inner[start : match.start()])
                and (re.match(r"\d{3}(?!\d)", inner[match.end() :]))
            )
            if not is_grouping:
                parts.append(inner[start : match.start()].strip())
                start = match.end()
    parts.append(inner[start:].strip())
    if len(parts) > 2:  # "1, 2, and 3"
        parts = [*(part for part in parts[:-1] if part), parts[-1]]
    return parts
