"""How people simplify an expression step by step, and where in it a step is possible."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

from genprm.arithmetic.expressions import TIGHT, Infix, Number, apply

# A place in an expression: the brackets to enter, then the index of an operator.
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


def as_number(expression: Infix) -> Number | None:
    """The number an expression has been reduced to, if it has."""
    if len(expression.operands) > 1:
        return None
    (operand,) = expression.operands
    if isinstance(operand, Infix):
        return as_number(operand)
    return None if isinstance(operand, str) else operand


def plain(operand: int | Decimal | str | Infix) -> Number | None:
    """The number that an operand is; `(35)` counts as 35."""
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
    """The expression with brackets around one operation that may come first, if there is one."""
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
