"""What code settles: equations, conversions, unknowns, and the order of operations."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.calculator.equations import equations
from genprm.calculator.exact import NotArithmeticError, evaluate
from genprm.calculator.expressions import Expression
from genprm.calculator.units import conversions
from genprm.calculator.unknowns import Unknowns


@pytest.mark.parametrize(
    ("step", "holds"),
    [
        ("3*4=12", [True]),
        ("first multiply: 2*5=10", [True]),
        (r"\(\frac{18}{3} \times 2 = 13\)", [False]),
        ("20% of 40 is 8.", [True]),
        ("5% of 80 is 5", [False]),
        ("20 / 80 = 0.25 = 25%", [True, True]),
        ("12% = 1.2", [False]),
        ("65 divided by 5 equals 15, so the answer is 15 days.", [False]),
        ("Half of 50 is 25.", [True]),
        ("7 less than 25 is 32.", [False]),
        ("per person: 24 ÷ 12 = **3**", [False]),
        ("The packs have 2 boxes * 6 pens = 12 pens.", [True]),
        ("10 / 3 = 3.33", [True]),
        ("that is about 10 / 3 = 3", []),
        ("16 - 10 is 6 more apples", []),
        ("2x + 3 = 7", []),
        ("5 boxes + 3 = 9", []),
        ("No arithmetic here.", []),
        ("9 ** 9999999 = 1", []),
    ],
)
def test_equations(step: str, holds: list[bool]) -> None:
    assert [claim.holds for claim in equations(step)] == holds


@pytest.mark.parametrize(
    ("step", "holds"),
    [
        ("2 m is 20 cm", [False]),
        ("1.5 hours is 1 hour 30 minutes", [True]),
        ("1.5 hours is 1 hour 50 minutes", [False]),
        ("A dozen is 12 eggs", [True]),
        ("1 pound is 12 ounces", [False]),
        ("the film is 2 hours long", []),
        ("2 hours is 5 km", []),
    ],
)
def test_conversions(step: str, holds: list[bool]) -> None:
    assert [claim.holds for claim in conversions(step)] == holds


@pytest.mark.parametrize(
    ("problem", "steps", "first_wrong"),
    [
        ("solve 2x + 3 = 11", ["2x = 11 - 3 = 8", "x = 8 / 2 = 4"], -1),
        ("solve 2x + 3 = 11", ["2x = 11 + 3 = 14", "x = 7"], 0),
        ("x + y = 10 and x - y = 4", ["2x = 14, so x = 7", "y = 4"], 1),
        ("solve x^2 = 49", ["x = 7"], -1),
        ("solve x^2 = 49", ["x = 24.5"], 0),
        ("Twice a number minus 5 equals 13.", ["2n - 5 = 13", "2n = 18", "n = 36"], 2),
        ("A shop sells 3 x 4 boxes.", ["3 x 4 = 12"], -1),
    ],
)
def test_unknowns(problem: str, steps: list[str], first_wrong: int) -> None:
    unknowns = Unknowns(problem)
    held = [all(claim.holds for claim in unknowns.check(step)) for step in steps]
    assert (held.index(False) if False in held else -1) == first_wrong


@pytest.mark.parametrize(
    ("problem", "steps", "first_wrong"),
    [
        ("What is 2 + 3 * 4?", ["3*4=12", "2+12=14"], -1),
        ("What is 2 + 3 * 4?", ["2+3=5", "5*4=20"], 0),
        ("What is 2+3*4?", ["3*4=12", "So the answer is 13"], 1),
        ("What is 2 * (3+4)?", ["2*3=6", "2*4=8", "6+8=14"], -1),
        ("12/(2+4)*3", ["2+4=6", "6*3=18"], 1),
        ("what is 47 x 23", ["47 x 20 = 940", "47 x 3 = 141"], -1),
        ("((7 - 0 + -3) - (5 - 0 * 0)) =", ["5 - 0 * 0 = 5 - 0 = 5"], -1),
        ("Tom has 2 apples and 3 pears.", ["2 + 3 = 5"], -1),
    ],
)
def test_expressions(problem: str, steps: list[str], first_wrong: int) -> None:
    expression = Expression(problem)
    held = [all(claim.holds for claim in expression.check(step)) for step in steps]
    assert (held.index(False) if False in held else -1) == first_wrong


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_survived(problem: str, step: str) -> None:
    list(equations(step))
    list(conversions(step))
    Unknowns(problem).check(step)
    Expression(problem).check(step)


@given(st.text(alphabet="0123456789+-*/(). =x%", max_size=40))
def test_the_code_of_a_claim_says_what_the_claim_says(step: str) -> None:
    for claim in equations(step):
        printed: list[object] = []
        exec(claim.code, {"print": printed.append})
        assert printed == [claim.holds]


@given(st.integers(), st.integers(1, 10**6))
def test_division_is_exact(top: int, bottom: int) -> None:
    assert evaluate(f"{top} / {bottom}") == Fraction(top, bottom)


def test_calls_are_not_arithmetic() -> None:
    with pytest.raises(NotArithmeticError):
        evaluate("__import__('os').getpid()")
