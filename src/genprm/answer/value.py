r"""The parsed form of a final answer: a tree of numbers, times, numerals, choices and words.

Any other part is a `Formula`, which only a computer-algebra system can compare.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import TypeAlias

from genprm.answer.number import Complex
from genprm.answer.units import Unit


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number, with `percent` and `unit` if they were written with it."""

    value: Complex
    unit: Unit | None = None
    percent: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, or hours and minutes, or a ratio: `8:30`. `meridiem` is AM, PM or None."""

    parts: tuple[int, ...]
    meridiem: str | None = None


@dataclass(frozen=True, slots=True)
class Numeral:
    """Digits with a written base: `2516_8`."""

    digits: str
    base: int

    @property
    def value(self) -> int | None:
        """The number, or None where a digit is too large for the base."""
        try:
            return int(self.digits, self.base)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Choice:
    """Letters of a multiple-choice question; `said` is the text written with a single one."""

    letters: frozenset[str]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """A name, or yes or no."""

    text: str


@dataclass(frozen=True, slots=True)
class Formula:
    """Mathematics that is not read exactly here; `unit` is a known unit after it."""

    tex: str
    unit: Unit | None = None


class Kind(StrEnum):
    """How a collection is written."""

    LIST = "list"  # 1, 2 and 3
    SET = "set"
    TUPLE = "tuple"  # or an open interval
    INTERVAL = "interval"  # with at least one square bracket


@dataclass(frozen=True, slots=True)
class Collection:
    """Several answers in one; `brackets` are those around them."""

    kind: Kind
    items: "tuple[Answer, ...]"
    brackets: str = ""


@dataclass(frozen=True, slots=True)
class Equation:
    """`name = value`."""

    name: str
    value: "Answer"


Simple: TypeAlias = Number | Time | Numeral | Words
Bare: TypeAlias = Simple | Choice | Formula | Collection
Answer: TypeAlias = Bare | Equation


def bare(answer: Answer) -> Bare:
    """The value of an equation; any other answer unchanged."""
    return bare(answer.value) if isinstance(answer, Equation) else answer


def spelled(answer: Answer) -> str:
    """The answer in TeX, for a computer-algebra system."""
    match answer:
        case Formula():
            return _with_degrees(answer.tex)
        case Number():
            return _spelled_number(answer)
        case Equation():
            return f"{answer.name} = {spelled(answer.value)}"
        case Collection():
            inner = ", ".join(spelled(item) for item in answer.items)
            opening, closing = answer.brackets[:-1], answer.brackets[1:]
            braces = answer.kind is Kind.SET
            return rf"\{{{inner}\}}" if braces else f"{opening}{inner}{closing}"
        case Words():
            return rf"\text{{{answer.text}}}"
        case Time():
            return ":".join(map(str, answer.parts)) + (answer.meridiem or "")
        case Numeral():
            return f"{answer.digits}_{{{answer.base}}}"
        case Choice():
            return ", ".join(sorted(answer.letters))


def _with_degrees(tex: str) -> str:
    """Convert degrees inside functions to angles, since algebra systems do not read them."""
    if "°" in tex and re.search(r"\\(?:sin|cos|tan|cot|sec|csc)", tex):
        tex = re.sub(r"(\d+(?:\.\d+)?)\s?°", r"{(\\frac{\1\\pi}{180})}", tex)
    return tex.replace("°", r"^\circ ")


def _spelled_number(number: Number) -> str:
    real, imaginary = number.value.real, number.value.imaginary
    text = _spelled_fraction(real)
    if imaginary:
        sign = "+" if real and imaginary > 0 else ""
        text = f"{text if real else ''}{sign}{_spelled_fraction(imaginary)}i"
    return text + (r"\%" if number.percent else "")


def _spelled_fraction(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
