"""Chains of equalities: right ones keep their value, wrong ones lose it in one place."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.arithmetic.chains import Habits, simplify, simplify_wrongly
from genprm.arithmetic.expressions import Infix, Unwieldy, show, value
from genprm.arithmetic.mistakes import WITHIN_EXPRESSION, near_miss

operators = st.sampled_from("+-*")


@st.composite
def infixes(draw: st.DrawFn, depth: int = 2) -> Infix:
    operand = (
        st.integers(-99, 99) if depth == 0 else st.one_of(st.integers(-99, 99), infixes(depth - 1))
    )
    operands = draw(st.lists(operand, min_size=2, max_size=4))
    return Infix(tuple(operands), tuple(draw(operators) for _ in operands[1:]))


@settings(deadline=None)
@given(infixes())
def test_value_is_what_python_makes_of_the_text(expression: Infix) -> None:
    assert value(expression) == eval(show(expression))
    assert value(expression) == eval(show(expression, wrap_negatives=True))


@settings(deadline=None)
@given(infixes(), st.integers())
def test_every_link_of_a_right_chain_has_the_same_value(expression: Infix, seed: int) -> None:
    rng = random.Random(seed)
    try:
        chain = simplify(expression, Habits.draw(rng), rng)
    except Unwieldy:
        return
    assert {eval(link) for link in chain.links} == {chain.result} == {value(expression)}


@settings(deadline=None)
@given(infixes(depth=1), st.sampled_from(WITHIN_EXPRESSION), st.integers())
def test_a_wrong_chain_ends_in_another_value_and_once_wrong_stays_wrong(
    expression: Infix, kind: object, seed: int
) -> None:
    rng = random.Random(seed)
    try:
        chain = simplify_wrongly(expression, kind, Habits.draw(rng), rng)  # type: ignore[arg-type]
    except Unwieldy:
        return
    if chain is None:
        return
    values = [eval(link) for link in chain.links]
    first_wrong = next(i for i, v in enumerate(values) if v != value(expression))
    assert set(values[first_wrong:]) == {chain.result}


@settings(deadline=None)
@given(st.integers(-10_000, 10_000), st.integers())
def test_near_miss_is_another_number_of_the_same_sign(number: int, seed: int) -> None:
    wrong = near_miss(number, random.Random(seed))
    assert wrong != number
    assert wrong * number >= 0


def test_division_without_a_short_decimal_form_is_refused() -> None:
    for expression in (Infix((1, 3), ("/",)), Infix((1, 0), ("/",))):
        try:
            value(expression)
        except Unwieldy:
            continue
        raise AssertionError(show(expression))
