"""The calculator's time grows with the text only, whatever is in it."""

import time
from collections.abc import Callable

import pytest

from genprm.calculator.equations import equations
from genprm.calculator.expressions import Expression
from genprm.calculator.units import conversions
from genprm.calculator.unknowns import Unknowns
from genprm.evaluate.baselines.trivial import adds_up

READERS: dict[str, Callable[[str], object]] = {
    "equations": lambda text: list(equations(text)),
    "conversions": lambda text: list(conversions(text)),
    "unknowns of a problem": Unknowns,
    "unknowns of a step": lambda text: Unknowns("Tom has 3.").check(text),
    "expression": lambda text: Expression("Evaluate (3 + 4) * 5.").check(text),
    "adds up": adds_up,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("unit", ["( ", "$ ", " ", "-", "1 = ", "x = ", "x + 3 = ", "1", "sqrt( "])
def test_a_hostile_text_is_read_in_a_moment(reader: str, unit: str) -> None:
    text = unit * (20_000 // len(unit))
    start = time.process_time()
    READERS[reader](text)
    assert time.process_time() - start < 3.0


def test_equations_in_a_long_text_are_found_all_the_same() -> None:
    text = "( " * 500 + "so 3 + 4 = 8.\n" + "1 + 1 = 2\n" * 100
    assert [claim.holds for claim in equations(text)].count(False) == 1
    assert len(list(equations(text))) == 101
