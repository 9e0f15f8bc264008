"""Baselines without a model: a constant, a position, and a calculator."""

import ast
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise

from genprm.calculator.chains import find_chains
from genprm.evaluate.run import WholeVerdict
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec


class Constant:
    """Always names the same step; -1 calls every solution right."""

    def __init__(self, first_error: int = -1) -> None:
        self._first_error = first_error

    @property
    def spec(self) -> JudgeSpec:
        """The constant."""
        return JudgeSpec(judge="constant", settings={"first_error": self._first_error})

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The constant."""
        return WholeVerdict(self._first_error, (self._first_error,))


class Position:
    """Calls the middle step of every solution wrong, which uses only the number of steps."""

    @property
    def spec(self) -> JudgeSpec:
        """It has no settings."""
        return JudgeSpec(judge="position")

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The index of the middle step, the later one of two."""
        middle = len(solution.steps) // 2
        return WholeVerdict(middle, (middle,))


class Calculator:
    """Names the first step that states a false equality between plain arithmetic expressions."""

    @property
    def spec(self) -> JudgeSpec:
        """It has no settings."""
        return JudgeSpec(judge="calculator")

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The first step that does not add up, or -1."""
        wrong = (index for index, step in enumerate(solution.steps) if not adds_up(step))
        first_error = next(wrong, -1)
        return WholeVerdict(first_error, (first_error,))


_LATEX = (
    (re.compile(r"\\(?:times|cdot)"), "*"),
    (re.compile(r"\\div|÷"), "/"),
    (re.compile(r"[×·]|(?<=[\d)]) ?x ?(?=[\d($.])"), "*"),
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:left|right|[!,;: ()\[\]])|\\?[$]"), ""),
    (re.compile(r"[−–]"), "-"),
    (re.compile(r"(?<=\d),(?=\d{3}\b)"), ""),
    (re.compile(r"\^"), "**"),
)
_EXPRESSION = r"[-+*/().\d\s]*\d[\d.\s)]*"
_CHAIN = re.compile(
    rf"(?<![\w.=<>])({_EXPRESSION}(?:=\s*{_EXPRESSION})+)(?![\w(%]|\s*[-+*/^]\s*\w)"
)
_MAX_EXPONENT = 64
_OPERATORS: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def adds_up(step: str) -> bool:
    """Whether every equality of plain arithmetic in a step holds, up to rounding.

    Text that cannot be read as arithmetic is not judged.
    """
    return all(_equal(left, right) for left, right in _equalities(step))


def _equalities(step: str) -> Iterator[tuple[str, str]]:
    for pattern, plain in _LATEX:
        step = pattern.sub(plain, step)
    for start, chain in find_chains(_CHAIN, step):
        sides = [side.strip().rstrip(".") for side in chain.split("=")]
        if not _is_tail(step[max(0, start - 100) : start].rstrip(), sides[0][0]):
            yield from pairwise(sides)


def _is_tail(before: str, first: str) -> bool:
    """Whether a chain is only the end of something else than plain arithmetic: "2x + 3 = 7"."""
    if first in "+-*/":
        return before[-1:] not in ("", "(", ",", ":", ".", "=", "<", ">")
    return before.endswith((*"+-*/^%√", " x", " of"))


def _equal(left: str, right: str) -> bool:
    try:
        one, other = (_value(ast.parse(side, mode="eval").body) for side in (left, right))
    except (SyntaxError, ValueError, ZeroDivisionError):
        return True
    decimals = min((_decimals(side) for side in (left, right) if "." in side), default=None)
    if decimals is None:
        return one == other
    return abs(one - other) <= Fraction(1, 10**decimals)


def _decimals(side: str) -> int:
    """The fewest decimals that a decimal in `side` is written with."""
    return min(len(decimals) for decimals in re.findall(r"\.(\d*)", side))


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as value):
            return Fraction(str(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            exponent = _value(right)
            if exponent.denominator != 1 or abs(exponent) > _MAX_EXPONENT:
                raise ValueError("not plain arithmetic")
            return Fraction(_value(left) ** int(exponent))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left), _value(right))
    raise ValueError("not plain arithmetic")
