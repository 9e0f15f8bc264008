"""Infix expressions as people write them.

An `Infix` keeps the form of the text (which brackets are written, which sign belongs to which
number), because the mistakes in this domain depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation

Number = int | Decimal

TIGHT = ("*", "/")
MAX_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Infix:
    """`operands[0] operators[0] operands[1] …`; a nested Infix is a written bracket.

    Operands are numbers, names of earlier results, or brackets.
    """

    operands: tuple[int | Decimal | str | Infix, ...]
    operators: tuple[str, ...] = ()


class Unwieldy(ValueError):
    """The value of an expression has no short decimal form, or does not exist."""


def apply(operator: str, left: Number, right: Number) -> Number:
    """The value of one operation.

    Raises:
        Unwieldy: on division by zero or when the result needs more than four decimals.
    """
    try:
        if operator == "+":
            return tidy(left + right)
        if operator == "-":
            return tidy(left - right)
        if operator == "*":
            return tidy(left * right)
        return tidy(Decimal(left) / Decimal(right))
    except (DivisionByZero, InvalidOperation) as error:
        raise Unwieldy(f"{left} {operator} {right}") from error


def tidy(number: Number) -> Number:
    """An int if the number is whole, otherwise a Decimal without trailing zeros."""
    if isinstance(number, int):
        return number
    if number == number.to_integral_value():
        return int(number)
    shortened = number.normalize()
    if -int(shortened.as_tuple().exponent) > MAX_DECIMALS:
        raise Unwieldy(str(number))
    return shortened


def magnitude(number: Number) -> Number:
    """The number without its sign."""
    return -number if number < 0 else number


def show_number(number: Number) -> str:
    """The number without exponent."""
    return str(number) if isinstance(number, int) else format(number, "f")


def show(expression: Infix, *, wrap_negatives: bool = False) -> str:
    """The expression as text, without outer brackets."""
    parts: list[str] = []
    for position, operand in enumerate(expression.operands):
        if position:
            parts.append(expression.operators[position - 1])
        if isinstance(operand, Infix):
            parts.append(f"({show(operand, wrap_negatives=wrap_negatives)})")
        elif isinstance(operand, str):
            parts.append(operand)
        elif operand < 0 and wrap_negatives and len(expression.operands) > 1:
            parts.append(f"({show_number(operand)})")
        else:
            parts.append(show_number(operand))
    return " ".join(parts)


def value(expression: Infix, names: Mapping[str, Number] | None = None) -> Number:
    """The expression's value, given the values of its names.

    Raises:
        Unwieldy: if a product or quotient on the way has no short decimal form.
    """
    first, *others = (_operand_value(operand, names or {}) for operand in expression.operands)
    terms = [first]
    for operator, number in zip(expression.operators, others, strict=True):
        if operator in TIGHT:
            terms[-1] = apply(operator, terms[-1], number)
        else:
            terms.append(number if operator == "+" else -number)
    return tidy(sum(terms))


def _operand_value(operand: int | Decimal | str | Infix, names: Mapping[str, Number]) -> Number:
    if isinstance(operand, Infix):
        return value(operand, names)
    return names[operand] if isinstance(operand, str) else operand


def substitute(expression: Infix, replacements: Mapping[str, int | Decimal | str | Infix]) -> Infix:
    """The expression with every known name replaced."""
    operands: list[int | Decimal | str | Infix] = []
    for operand in expression.operands:
        if isinstance(operand, Infix):
            operands.append(substitute(operand, replacements))
        elif isinstance(operand, str):
            operands.append(replacements.get(operand, operand))
        else:
            operands.append(operand)
    return Infix(tuple(operands), expression.operators)


def parse(text: str) -> Infix:
    """The expression that `show` wrote: operands and operators with spaces between them."""
    tokens = text.replace("(", "( ").replace(")", " )").split()
    return _parse(iter(tokens))


def _parse(tokens: Iterator[str]) -> Infix:
    operands: list[int | Decimal | str | Infix] = []
    operators: list[str] = []
    for token in tokens:
        if token == ")":
            break
        if token == "(":
            operands.append(_parse(tokens))
        elif len(operators) < len(operands):
            operators.append(token)
        else:
            operands.append(token if token.isidentifier() else tidy(Decimal(token)))
    return Infix(tuple(operands), tuple(operators))
