"""Evaluates arithmetic given as text exactly: no floats, no names, bounded work."""

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from math import isqrt

_MAX_EXPONENT = 64
_MAX_LENGTH = 400  # characters
_NOTHING: Mapping[str, Fraction] = {}
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class NotArithmeticError(ValueError):
    """A text is not arithmetic that can be evaluated."""


def parse(text: str) -> ast.expr:
    """Parse an expression in Python's notation.

    Raises:
        NotArithmeticError: it is not one.
    """
    if len(text) > _MAX_LENGTH:
        raise NotArithmeticError(text)
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise NotArithmeticError(text) from None


def value(node: ast.expr, known: Mapping[str, Fraction] = _NOTHING) -> Fraction:
    """The value of an expression, given the values of its letters.

    Raises:
        NotArithmeticError: it has no rational value, or a huge power.
    """
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return Fraction(str(number))
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand, known)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return value(operand, known)
        case ast.Call(func=ast.Name(id="sqrt"), args=[operand], keywords=[]):
            return _root(value(operand, known))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(value(left, known), value(right, known))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            try:
                return _OPERATORS[type(op)](value(left, known), value(right, known))
            except ZeroDivisionError:
                pass
    raise NotArithmeticError(ast.dump(node))


def evaluate(text: str, known: Mapping[str, Fraction] = _NOTHING) -> Fraction:
    """`value` of a text."""
    return value(parse(text), known)


def letters(node: ast.expr) -> set[str]:
    """The unknowns of an expression."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names - {"sqrt"}


def tolerance(*sides: str) -> Fraction:
    """How much two sides may differ: one unit of the least precise decimal, or nothing."""
    decimals = [len(found) for side in sides for found in _decimals(side)]
    return Fraction(1, 10 ** min(decimals)) if decimals else Fraction(0)


def _decimals(side: str) -> Iterator[str]:
    return (found[1] for found in re.finditer(r"\d*\.(\d+)", side))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    size = max(abs(base.numerator), base.denominator)
    if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT or size > 10**12:
        raise NotArithmeticError("power")
    if base == 0 and exponent < 0:
        raise NotArithmeticError("power of 0")
    return Fraction(base ** int(exponent))


def _root(number: Fraction) -> Fraction:
    if number < 0:
        raise NotArithmeticError("root")
    top, bottom = isqrt(number.numerator), isqrt(number.denominator)
    if top * top != number.numerator or bottom * bottom != number.denominator:
        raise NotArithmeticError("root")
    return Fraction(top, bottom)
