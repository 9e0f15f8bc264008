"""The calculator baseline: what it calls false, and what it leaves alone."""

import asyncio
from pathlib import Path

import pytest
from shared_data import shared

from genprm.evaluate.baselines.trivial import Calculator, adds_up
from genprm.evaluate.labelled import read_files
from genprm.evaluate.run import run


@pytest.mark.parametrize(
    ("step", "true"),
    [
        ("So 3 + 4 * 2 = 11.", True),
        ("So 3 + 4 * 2 = 14.", False),
        ("A = (-9 - 5 - 0) = (-9 - 5) = -14.", True),
        ("She pays $1,200 + $300 = $1,500 in all.", True),
        (r"\(\frac{18}{3} \times 2 = 12\)", True),
        (r"\(18 \div 3 \times 2 = 13\)", False),
        ("10 / 3 = 3.33", True),
        ("10 / 3 = 3.3 and 3.3 * 2 = 7", False),
        ("12 x 2 = 24 pages", True),
        ("2x + 3 = 7", True),
        ("x^2 - 4 = 12", True),
        ("5 boxes + 3 = 9", True),
        ("1 / 0 = 7", True),
        ("2^{10} = 1024", True),
        ("9 ** 9999999 = 1", True),
        ("No arithmetic here.", True),
    ],
)
def test_equalities(step: str, true: bool) -> None:
    assert adds_up(step) is true


def test_on_arithmetic_that_people_labelled(tmp_path: Path) -> None:
    rows = read_files([shared("bigbench_mistake/multistep_arithmetic.jsonl")])
    summary = asyncio.run(run(rows, Calculator(), tmp_path))
    assert summary.average_f1 is not None
    assert summary.average_f1 > 85
