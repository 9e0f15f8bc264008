r"""Reads exact values of numbers in the notations that people use.

`\frac{1}{2^{80}}`, `3 1/4`, `1.5 \times 10^3`, `1e3`, `0.\overline{3}`, `-\frac{1}{2}i`, `5!`:
arithmetic over rational and Gaussian rational numbers, without floating point. Anything else, or
what would need more than a few thousand digits, gives None.
"""

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from genprm.answer.number_words import read_number_words

_LONGEST = 1_000  # characters; longer ones are left to others
_MAX_BITS = 14_000  # of a value on the way: Python prints what has fewer than 4,300 digits
_MAX_DEPTH = 30


@dataclass(frozen=True, slots=True)
class Complex:
    """A Gaussian rational number."""

    real: Fraction
    imaginary: Fraction = Fraction(0)

    def __add__(self, other: Self) -> "Complex":
        return Complex(self.real + other.real, self.imaginary + other.imaginary)

    def __neg__(self) -> "Complex":
        return Complex(-self.real, -self.imaginary)

    def __mul__(self, other: Self) -> "Complex":
        return Complex(
            self.real * other.real - self.imaginary * other.imaginary,
            self.real * other.imaginary + self.imaginary * other.real,
        )

    def inverse(self) -> "Complex":
        """The reciprocal of this number."""
        size = self.real**2 + self.imaginary**2
        if not size:
            raise _Unread
        return Complex(self.real / size, -self.imaginary / size)


_I = Complex(Fraction(0), Fraction(1))


class _Unread(Exception):
    """The text is not arithmetic that can be read here."""


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d{1,3}(?: \d{3})+(?!\d)(?:\.\d+)?"
    r"|\d+(?:\.\d*)?|\.\d+)(?P<power>[eE][+-]?\d{1,4}(?![\d.]))?"
    r"(?:\\(?:overline|bar|dot)\s*\{?(?P<period>\d+)\}?|(?<=\.)\((?P<bracketed>\d+)\))?"
    r"|(?P<command>\\[A-Za-z]+)|(?P<sign>[-+*/^(){}!i]|\[|\]|x(?=\s?10\b)))"
)


def read_number(text: str) -> Complex | None:
    """The exact value of a number or of a calculation with numbers, or None."""
    if len(text) > _LONGEST or not text:
        return None
    words = read_number_words(text)
    if words is not None:
        return Complex(words)
    try:
        return _Reader(text).value()
    except (_Unread, ZeroDivisionError, OverflowError, ValueError):
        return None


class _Reader:
    """A recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._tokens: list[re.Match[str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise _Unread
            self._tokens.append(token)
            at = token.end()
        self._next = 0
        self._depth = 0

    def value(self) -> Complex:
        value = self._sum()
        if self._next < len(self._tokens):
            raise _Unread
        return value

    def _peek(self) -> str:
        if self._next >= len(self._tokens):
            return ""
        token = self._tokens[self._next]
        return "number" if token["number"] else token["command"] or token["sign"]

    def _take(self, wanted: str | None = None) -> re.Match[str]:
        if not self._peek() or (wanted is not None and self._peek() != wanted):
            raise _Unread
        self._next += 1
        return self._tokens[self._next - 1]

    def _sum(self) -> Complex:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Unread
        value = self._product()
        while self._peek() in ("+", "-"):
            minus = self._take()["sign"] == "-"
            term = self._product()
            value = _bounded(value + (-term if minus else term))
        self._depth -= 1
        return value

    def _product(self) -> Complex:
        signs = 0
        while self._peek() in ("+", "-"):
            signs += self._take()["sign"] == "-"
        value = self._power()
        while True:
            sign = self._peek()
            if sign in ("*", r"\times", r"\cdot", "x"):
                self._take()
                value = _bounded(value * self._signed())
            elif sign in ("/", r"\div"):
                self._take()
                value = _bounded(value * self._signed().inverse())
            elif sign in ("(", "i", r"\sqrt") or (sign == r"\frac" and not self._after_number()):
                value = _bounded(value * self._power())
            else:
                break
        return -value if signs % 2 else value

    def _signed(self) -> Complex:
        minus = self._peek() == "-" and bool(self._take())
        return -self._power() if minus else self._power()

    def _after_number(self) -> bool:
        return bool(self._next and self._tokens[self._next - 1]["number"])

    def _power(self) -> Complex:
        value = self._atom()
        while self._peek() == "!":
            self._take()
            value = _factorial(value)
        if self._peek() == "^":
            self._take()
            value = _raised(value, self._exponent())
        return value

    def _exponent(self) -> Complex:
        if self._peek() == "{":
            return self._group("{", "}")
        if self._peek() == "(":
            return self._group("(", ")")
        return self._signed()

    def _atom(self) -> Complex:
        kind = self._peek()
        if kind == "number":
            return self._number()
        if kind == "(":
            return self._group("(", ")")
        if kind == "{":
            return self._group("{", "}")
        if kind == "i":
            self._take()
            return _I
        if kind == r"\frac":
            self._take()
            top, bottom = self._group("{", "}"), self._group("{", "}")
            return _bounded(top * bottom.inverse())
        if kind == r"\sqrt":
            return self._root()
        raise _Unread

    def _number(self) -> Complex:
        whole = self._take()
        value = _decimal(whole)
        if whole["number"].isdigit() and not whole["power"]:
            part = self._fraction_behind()
            if part is not None:
                return Complex(value + part)
        return _bounded(Complex(value))

    def _fraction_behind(self) -> Fraction | None:
        r"""The fraction of a mixed number: `3 1/4`, `3\frac{1}{4}`."""
        start, kind = self._next, self._peek()
        part: Complex | None = None
        if kind == r"\frac":
            part = self._atom()
        elif kind == "number" and self._tokens[start][0][:1].isspace():
            top = self._take()
            if self._peek() == "/" and top["number"].isdigit():
                self._take()
                bottom = self._take("number")
                if bottom["number"].isdigit() and int(bottom["number"]):
                    part = Complex(Fraction(int(top["number"]), int(bottom["number"])))
        if part is None and self._next == start:
            return None
        if part is None or part.imaginary or not 0 < part.real < 1:
            raise _Unread  # a product or two numbers: not for us to say
        return part.real

    def _root(self) -> Complex:
        self._take()
        degree = 2
        if self._peek() == "[":
            self._take()
            degree = int(self._take("number")["number"])
            self._take("]")
        inner = self._group("{", "}") if self._peek() == "{" else self._atom()
        if inner.imaginary or (inner.real < 0 and degree != 2) or not 2 <= degree <= 64:
            raise _Unread
        roots = [_whole_root(abs(part), degree) for part in inner.real.as_integer_ratio()]
        root = Complex(Fraction(*roots))
        return root * _I if inner.real < 0 else root

    def _group(self, opening: str, closing: str) -> Complex:
        self._take(opening)
        value = self._sum()
        self._take(closing)
        return value


def _decimal(token: re.Match[str]) -> Fraction:
    digits = re.sub(r"[, ]", "", token["number"])
    value = Fraction(digits + (token["power"] or ""))
    if period := token["period"] or token["bracketed"]:
        if "." not in digits or token["power"]:
            raise _Unread
        places = len(digits.partition(".")[2])
        value += Fraction(int(period), 10**places * (10 ** len(period) - 1))
    return value


def _raised(base: Complex, exponent: Complex) -> Complex:
    if exponent.imaginary or exponent.real.denominator != 1:
        raise _Unread
    power = int(exponent.real)
    if abs(power) * max(_bits(base), 1) > _MAX_BITS:
        raise _Unread
    if power < 0:
        base, power = base.inverse(), -power
    if not base.imaginary:
        return Complex(base.real**power)
    value = Complex(Fraction(1))
    for _ in range(power):
        value = _bounded(value * base)
    return value


def _factorial(value: Complex) -> Complex:
    number = value.real
    if value.imaginary or number.denominator != 1 or not 0 <= number <= 1_000:
        raise _Unread
    return Complex(Fraction(math.factorial(int(number))))


def _whole_root(number: int, degree: int) -> int:
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high) // 2
        if middle**degree < number:
            low = middle + 1
        else:
            high = middle
    if low**degree != number:
        raise _Unread
    return low


def _bits(value: Complex) -> int:
    parts = (*value.real.as_integer_ratio(), *value.imaginary.as_integer_ratio())
    return max(part.bit_length() for part in parts)


def _bounded(value: Complex) -> Complex:
    if _bits(value) > _MAX_BITS:
        raise _Unread
    return value
