"""Problem templates as people type them: the text with numbers drawn, and how it is worked out.

`templates.txt` holds one block for each template:

    @ price=10..200/5 off=pct                     numbers: lowest..highest/step, or a percentage
    A {thing} costs {price} dollars. …            one or more wordings
    # c = a * x + b                               numbers that follow from others
    = discount = off / 100 * price ; pay = …      one or more ways to work it out, step by step
"""

from __future__ import annotations

import ast
import operator
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates.txt")
PERCENTAGES = (5, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 80)
NAMES = (
    *("Mia", "Tom", "Ana", "Ben", "Eva", "Leo", "Zoe", "Sam", "Ida", "Max", "Lily", "Omar"),
    *("Nina", "Paul", "Rosa", "Emma", "Noah"),
)
THINGS = (
    *("shirt", "jacket", "book", "phone", "pen", "notebook", "apple", "muffin", "coffee"),
    *("ticket", "toy", "marble", "card", "hat"),
)
PEOPLE = ("people", "kids", "students", "workers", "members")

_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Unwieldy(Exception):
    """The drawn numbers lead to a value that nobody would write down."""


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity and the formula that gives it, over numbers of the problem and earlier ones."""

    name: str
    formula: ast.expr

    @property
    def text(self) -> str:
        """As Python."""
        return f"{self.name} = {ast.unparse(self.formula)}"


@dataclass(frozen=True, slots=True)
class Template:
    """A block of the file."""

    numbers: Mapping[str, str]  # name -> how it is drawn
    wordings: tuple[str, ...]
    implied: tuple[Line, ...]
    ways: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A problem: its text, its numbers, and one way to work it out."""

    text: str
    numbers: Mapping[str, Fraction]
    lines: tuple[Line, ...]


def read_templates(path: Path = TEMPLATES) -> tuple[Template, ...]:
    """All templates of a file."""
    blocks = re.split(r"(?m)^@ ", path.read_text())[1:]
    return tuple(map(_template, blocks))


def draw_problem(template: Template, rng: random.Random) -> Drawn:
    """Numbers, a wording and a way.

    Raises:
        Unwieldy: a quantity is negative, huge, or has no short decimal form.
    """
    numbers = {name: _number(spec, rng) for name, spec in template.numbers.items()}
    for line in template.implied:
        numbers[line.name] = value(line.formula, numbers)
    lines = rng.choice(template.ways)
    known = dict(numbers)
    wording = rng.choice(template.wordings)
    for line in lines:
        known[line.name] = tidy(value(line.formula, known), negative="-{" in wording)
    who, who2 = rng.sample(NAMES, 2)
    thing, thing2 = rng.sample(THINGS, 2)
    words = {"who": who, "who2": who2, "thing": thing, "thing2": thing2}
    shown = {name: show(number) for name, number in numbers.items()}
    text = wording.format(**shown, **words, people=rng.choice(PEOPLE))
    used = {name: number for name, number in numbers.items() if _mentioned(name, lines)}
    return Drawn(text, used, lines)


def value(formula: ast.expr, known: Mapping[str, Fraction]) -> Fraction:
    """What a formula gives."""
    match formula:
        case ast.Name(id=name):
            return known[name]
        case ast.Constant(value=int() | float() as number):
            return Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand, known)
        case ast.BinOp(left=left, op=op, right=right):
            try:
                return _OPERATORS[type(op)](value(left, known), value(right, known))
            except ZeroDivisionError:
                raise Unwieldy from None
    raise TypeError(ast.dump(formula))


def tidy(number: Fraction, *, negative: bool = True) -> Fraction:
    """The number itself, where people would write it down.

    Raises:
        Unwieldy: they would not.
    """
    if (number < 0 and not negative) or abs(number) > 10**6 or (number * 100).denominator != 1:
        raise Unwieldy
    return number


def show(number: Fraction) -> str:
    """A short decimal as text."""
    if number.denominator == 1:
        return str(number.numerator)
    return f"{float(number):.4f}".rstrip("0")


def _template(block: str) -> Template:
    head, *rest = block.strip().splitlines()
    rows = [row for row in rest if row.strip()]
    numbers = dict(part.split("=") for part in head.split())
    implied = [row[1:] for row in rows if row.startswith("#")]
    ways = [row[1:] for row in rows if row.startswith("=")]
    return Template(
        numbers,
        tuple(row for row in rows if row[0] not in "#="),
        tuple(line for row in implied for line in _lines(row)),
        tuple(map(_lines, ways)),
    )


def _lines(row: str) -> tuple[Line, ...]:
    pairs = [part.split("=") for part in row.split(";")]
    return tuple(
        Line(name.strip(), ast.parse(formula.strip(), mode="eval").body) for name, formula in pairs
    )


def _number(spec: str, rng: random.Random) -> Fraction:
    if spec == "pct":
        return Fraction(rng.choice(PERCENTAGES))
    bounds, _, step = spec.partition("/")
    low, high = map(Fraction, bounds.split(".."))
    width = Fraction(step or 1)
    return low + width * rng.randint(0, int((high - low) / width))


def _mentioned(name: str, lines: tuple[Line, ...]) -> bool:
    nodes = (node for line in lines for node in ast.walk(line.formula))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    return name in used
