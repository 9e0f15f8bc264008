"""Infix expressions as people write them, and how people simplify them one link at a time.

An `Infix` keeps the shape of the text (which brackets are written, which sign belongs to which
number), because the mistakes this domain is about live in that shape.
"""

from __future__ import annotations

import random
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
    """An int where the number is whole, else a Decimal without trailing zeros."""
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
    """The expression's value, `names` giving that of every name in it.

    Raises:
        Unwieldy: when some intermediate result has no short decimal form.
    """
    current = substitute(expression, names or {})
    while (number := as_number(current)) is None:
        current = reduce_pair(current, next(reducible(current)))
    return number


def as_number(expression: Infix) -> Number | None:
    """The number an expression has been reduced to, if it has."""
    if len(expression.operands) > 1:
        return None
    (operand,) = expression.operands
    if isinstance(operand, Infix):
        return as_number(operand)
    if isinstance(operand, str):
        raise Unwieldy(f"{operand} has no value")
    return operand


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


# A place in an expression: the brackets to enter, then the index of an operator or operand.
Place = tuple[tuple[int, ...], int]


def brackets(
    expression: Infix, path: tuple[int, ...] = ()
) -> Iterator[tuple[tuple[int, ...], Infix]]:
    """Every bracket with the path that leads to it, the whole expression last."""
    for index, operand in enumerate(expression.operands):
        if isinstance(operand, Infix):
            yield from brackets(operand, (*path, index))
    yield path, expression


def rewrite(expression: Infix, path: tuple[int, ...], replacement: Infix) -> Infix:
    """The expression with the bracket at `path` replaced."""
    if not path:
        return replacement
    head, *rest = path
    inner = expression.operands[head]
    assert isinstance(inner, Infix)
    operands = list(expression.operands)
    operands[head] = rewrite(inner, tuple(rest), replacement)
    return Infix(tuple(operands), expression.operators)


def plain(operand: int | Decimal | str | Infix) -> Number | None:
    """The number an operand is, `(35)` counting as 35."""
    if isinstance(operand, Infix):
        return as_number(operand) if len(operand.operands) == 1 else None
    return None if isinstance(operand, str) else operand


def reducible(expression: Infix) -> Iterator[Place]:
    """Places of the operations that may be carried out next, inner and left ones first."""
    for path, bracket in brackets(expression):
        for index, operator in enumerate(bracket.operators):
            numbers = [plain(operand) for operand in bracket.operands[index : index + 2]]
            if None not in numbers and binds(bracket.operators, index, operator):
                yield path, index


def binds(operators: tuple[str, ...], index: int, operator: str) -> bool:
    """Whether the operation at `index` may be done before its neighbours."""
    before = operators[index - 1] if index else None
    after = operators[index + 1] if index + 1 < len(operators) else None
    if operator in TIGHT:
        return before not in TIGHT
    return before is None and after not in TIGHT


def reduce_pair(
    expression: Infix, place: Place, result: Number | None = None, *, keep_bracket: bool = False
) -> Infix:
    """The expression with one operation replaced by its value, or by a claimed `result`.

    Raises:
        Unwieldy: when the value has no short decimal form.
    """
    path, index = place
    bracket = expression
    for step in path:
        inner = bracket.operands[step]
        assert isinstance(inner, Infix)
        bracket = inner
    left, right = plain(bracket.operands[index]), plain(bracket.operands[index + 1])
    assert left is not None
    assert right is not None
    number = apply(bracket.operators[index], left, right) if result is None else result
    shorter = Infix(
        (*bracket.operands[:index], number, *bracket.operands[index + 2 :]),
        (*bracket.operators[:index], *bracket.operators[index + 1 :]),
    )
    if len(shorter.operands) > 1 or not path or keep_bracket:
        return rewrite(expression, path, shorter)
    return unwrap(expression, path, number)


def unwrap(expression: Infix, path: tuple[int, ...], number: Number) -> Infix:
    """The expression with the bracket at `path` replaced by a bare number."""
    *outer, last = path
    bracket = expression
    for step in outer:
        inner = bracket.operands[step]
        assert isinstance(inner, Infix)
        bracket = inner
    operands = list(bracket.operands)
    operands[last] = number
    return rewrite(expression, tuple(outer), Infix(tuple(operands), bracket.operators))


def settle_signs(expression: Infix) -> Infix:
    """`+ -5` becomes `- 5` and `- -5` becomes `+ 5`, in every bracket."""
    operands = [
        settle_signs(operand) if isinstance(operand, Infix) else operand
        for operand in expression.operands
    ]
    operators = list(expression.operators)
    for index, operator in enumerate(operators):
        following = operands[index + 1]
        if operator not in TIGHT and isinstance(following, int | Decimal) and following < 0:
            operators[index] = "-" if operator == "+" else "+"
            operands[index + 1] = -following
    return Infix(tuple(operands), tuple(operators))


def bracket_products(expression: Infix, rng: random.Random) -> Infix:
    """The expression with one operation that may come first put in brackets, if there is one."""
    places = [
        (path, index)
        for path, bracket in brackets(expression)
        for index, operator in enumerate(bracket.operators)
        if len(bracket.operators) > 1 and binds(bracket.operators, index, operator)
    ]
    if not places:
        return expression
    path, index = rng.choice(places)
    bracket = dict(brackets(expression))[path]
    pair = Infix(bracket.operands[index : index + 2], (bracket.operators[index],))
    return rewrite(
        expression,
        path,
        Infix(
            (*bracket.operands[:index], pair, *bracket.operands[index + 2 :]),
            (*bracket.operators[:index], *bracket.operators[index + 1 :]),
        ),
    )
