"""The mistakes people make in arithmetic, as wrong rewritings of an expression.

Every mistake changes the value of the expression.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import StrEnum

from genprm.arithmetic.expressions import (
    TIGHT,
    Infix,
    Number,
    Unwieldy,
    apply,
    magnitude,
    show_number,
    tidy,
    value,
)
from genprm.arithmetic.rewriting import binds, brackets, plain, reduce_pair, reducible, rewrite


class Mistake(StrEnum):
    """The kind of a solution's first error."""

    CALCULATION = "calculation"  # a wrong result of the right operation
    OPERAND = "operand"  # a number copied wrongly
    OPERATION = "operation"  # another operation, or the right ones in the wrong order
    SIGN = "sign"  # a sign lost or gained
    DROPPED = "dropped"  # a term left out
    EARLIER = "earlier"  # a wrong value for an earlier result
    MISREAD = "misread"  # something the problem does not say
    DECOMPOSITION = "decomposition"  # parts that do not make up the problem


WITHIN_EXPRESSION = (
    Mistake.CALCULATION,
    Mistake.OPERAND,
    Mistake.OPERATION,
    Mistake.SIGN,
    Mistake.DROPPED,
)


def near_miss(number: Number, rng: random.Random) -> Number:
    """Another number that looks like `number` at a glance; the sign is kept if possible."""
    size = magnitude(number)
    text = show_number(size)
    places = [index for index, character in enumerate(text) if character.isdigit()]
    unit: Number = 1 if isinstance(number, int) else Decimal(1).scaleb(_exponent(text))
    roll = rng.random()
    other: Number
    if roll < 0.4:
        other = magnitude(size + rng.choice((-2, -1, -1, 1, 1, 2)) * unit)
    elif roll < 0.8 or len(places) < 2:
        place = rng.choice(places)
        digit = rng.choice([digit for digit in "0123456789" if digit != text[place]])
        other = tidy(Decimal(text[:place] + digit + text[place + 1 :]))
    elif roll < 0.9:
        left, right = sorted(rng.sample(places, 2))
        swapped = [*text]
        swapped[left], swapped[right] = swapped[right], swapped[left]
        other = tidy(Decimal("".join(swapped)))
    else:
        other = magnitude(tidy(size + 10 * rng.choice((-1, 1))))
    wrong: Number = -other if number < 0 else other
    return wrong if wrong != number else tidy(number + unit)


def _exponent(text: str) -> int:
    """The exponent of the last decimal place: -2 for `1.25`."""
    return -len(text.partition(".")[2])


def wrong_rewritings(expression: Infix, kind: Mistake, rng: random.Random) -> Iterator[Infix]:
    """An endless stream of mistakes of one kind; some do not change the value."""
    attempt = ATTEMPTS[kind]
    while True:
        yield attempt(expression, rng)


def make_mistake(
    expression: Infix, kind: Mistake, rng: random.Random, tries: int = 12
) -> Infix | None:
    """The expression rewritten with one mistake that changes its value, None if none was found."""
    right = value(expression)
    for _, wrong in zip(range(tries), wrong_rewritings(expression, kind, rng), strict=False):
        try:
            if value(wrong) != right:
                return wrong
        except Unwieldy:
            continue
    return None


def miscalculate(expression: Infix, rng: random.Random) -> Infix:
    """One operation done with a wrong result."""
    places = list(reducible(expression))
    if not places:
        return expression
    path, index = place = rng.choice(places)
    bracket = dict(brackets(expression))[path]
    left, right = (plain(operand) for operand in bracket.operands[index : index + 2])
    assert left is not None
    assert right is not None
    try:
        result = apply(bracket.operators[index], left, right)
    except Unwieldy:
        return expression
    wrong = -result if result and rng.random() < 0.15 else near_miss(result, rng)
    return reduce_pair(expression, place, wrong)


def miscopy(expression: Infix, rng: random.Random) -> Infix:
    """One number replaced by a near miss, or by its neighbour."""
    path, bracket = rng.choice(list(brackets(expression)))
    indices = [
        i for i, operand in enumerate(bracket.operands) if isinstance(operand, int | Decimal)
    ]
    if not indices:
        return expression
    index = rng.choice(indices)
    number = bracket.operands[index]
    assert isinstance(number, int | Decimal)
    operands = list(bracket.operands)
    other = rng.choice(indices)
    if other != index and rng.random() < 0.25:
        operands[index], operands[other] = operands[other], operands[index]
    else:
        operands[index] = near_miss(number, rng)
    return rewrite(expression, path, Infix(tuple(operands), bracket.operators))


def misoperate(expression: Infix, rng: random.Random) -> Infix:
    """Another operator, or a sum carried out before the product beside it."""
    choices = [pair for pair in brackets(expression) if pair[1].operators]
    if not choices:
        return expression
    path, bracket = rng.choice(choices)
    index = rng.randrange(len(bracket.operators))
    operator = bracket.operators[index]
    pair = [plain(operand) for operand in bracket.operands[index : index + 2]]
    out_of_turn = operator not in TIGHT and not binds(bracket.operators, index, operator)
    if out_of_turn and pair[0] is not None and pair[1] is not None:
        return reduce_pair(expression, (path, index))
    others = {"+": "-*", "-": "+*", "*": "+-", "/": "*-"}[operator]
    operators = list(bracket.operators)
    operators[index] = rng.choice(others)
    return rewrite(expression, path, Infix(bracket.operands, tuple(operators)))


def missign(expression: Infix, rng: random.Random) -> Infix:
    """The sign of one number lost or gained, preferably where two signs meet."""
    path, bracket = rng.choice(list(brackets(expression)))
    indices = [
        i
        for i, operand in enumerate(bracket.operands)
        if isinstance(operand, int | Decimal) and operand
    ]
    if not indices:
        return expression
    negative = [i for i in indices if bracket.operands[i] < 0]  # type: ignore[operator]
    index = rng.choice(negative or indices)
    operands = list(bracket.operands)
    number = operands[index]
    assert isinstance(number, int | Decimal)
    operands[index] = -number
    return rewrite(expression, path, Infix(tuple(operands), bracket.operators))


def drop_term(expression: Infix, rng: random.Random) -> Infix:
    """One operand left out together with the operator before it."""
    choices = [pair for pair in brackets(expression) if len(pair[1].operands) > 2] or [
        pair for pair in brackets(expression) if len(pair[1].operands) > 1
    ]
    if not choices:
        return expression
    path, bracket = rng.choice(choices)
    index = rng.randrange(len(bracket.operands))
    before = max(index - 1, 0)
    return rewrite(
        expression,
        path,
        Infix(
            bracket.operands[:index] + bracket.operands[index + 1 :],
            bracket.operators[:before] + bracket.operators[before + 1 :],
        ),
    )


ATTEMPTS: dict[Mistake, Callable[[Infix, random.Random], Infix]] = {
    Mistake.CALCULATION: miscalculate,
    Mistake.OPERAND: miscopy,
    Mistake.OPERATION: misoperate,
    Mistake.SIGN: missign,
    Mistake.DROPPED: drop_term,
}
