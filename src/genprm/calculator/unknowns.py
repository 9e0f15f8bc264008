"""Equations with unknowns: once these are determined, every later equation must fit them.

The problem's own equations are used first; if it has none, the first ones of the solution. Only
linear equations, and quadratic ones with one unknown, are solved; others are not judged.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, pairwise

from genprm.calculator.chains import OF_UNKNOWNS, find_chains
from genprm.calculator.equations import Claim
from genprm.calculator.exact import NotArithmeticError, letters, parse, tolerance, value
from genprm.calculator.notation import plain

Solution = Mapping[str, Fraction]

_SIDE = r"[-+*/().\d\s]*(?:(?<![A-Za-z])[a-z](?![A-Za-z])[-+*/().\d\s]*)*"
_CHAIN = re.compile(rf"(?<![\w=<>*/^])({_SIDE}(?:=\s*{_SIDE})+)(?![\w=(|])")
_USUAL = frozenset("xyznwtp")  # letters that are no unit and no word
_PROBES = (0, 1, 2, 3)
_MOST = 40  # equations of one text; solving takes the cube of their number

Equation = tuple[ast.expr, ast.expr]


class Unknowns:
    """What the equations so far determine about their unknowns."""

    def __init__(self, problem: str) -> None:
        self._equations = list(islice(_read(problem), _MOST))
        self._given = bool(self._equations)
        self._letters = {letter for pair in self._equations for letter in _letters(pair)}

    def check(self, step: str) -> list[Claim]:
        """The claims of a step about determined unknowns; its true equations are added."""
        claims = []
        for one, other in islice(_read(step), _MOST):
            asked = _letters((one, other))
            if not asked <= (self._letters or _USUAL):
                continue
            roots = [root for root in _solve(self._equations) if asked <= root.keys()]
            if roots:
                claims.append(_claim(one, other, roots))
            elif not self._given and len(self._equations) < _MOST:
                self._equations.append((one, other))
        return claims


def _claim(one: ast.expr, other: ast.expr, roots: Sequence[Solution]) -> Claim:
    said = f"{ast.unparse(one)} = {ast.unparse(other)}"
    held = [root for root in roots if _holds(one, other, root)]
    shown = (held or roots)[0]
    names = [f"{name} = {number}" for name, number in sorted(shown.items())]
    slack = float(tolerance(ast.unparse(one), ast.unparse(other)))
    test = f"print(abs(({ast.unparse(one)}) - ({ast.unparse(other)})) <= {slack:g} + 1e-9)"
    return Claim(f"{said}, where {', '.join(names)}", "\n".join((*names, test)), bool(held))


def _holds(one: ast.expr, other: ast.expr, root: Solution) -> bool:
    try:
        gap = abs(value(one, root) - value(other, root))
    except NotArithmeticError:
        return True
    return gap <= tolerance(ast.unparse(one), ast.unparse(other))


def _read(text: str) -> Iterator[Equation]:
    for _, chain in find_chains(_CHAIN, plain(text), OF_UNKNOWNS):
        for pair in pairwise(side.strip().rstrip(".").strip() for side in chain.split("=")):
            try:
                one, other = (parse(_explicit(side)) for side in pair)
            except NotArithmeticError:
                continue
            if _letters((one, other)):
                yield one, other


def _explicit(side: str) -> str:
    """`2x` and `3(x - 2)` with explicit multiplication signs."""
    side = re.sub(r"(?<=[\d)]) ?(?=[a-z(])", "*", side)
    return re.sub(r"(?<=[a-z])(?=\()", "*", side)


def _letters(pair: Equation) -> set[str]:
    return letters(pair[0]) | letters(pair[1])


def _solve(equations: Sequence[Equation]) -> list[Solution]:
    """All solutions; none if the equations do not determine one or cannot be solved here."""
    names = sorted({name for pair in equations for name in _letters(pair)})
    try:
        rows = [_linear(pair, names) for pair in equations]
        if None not in rows:
            solved = _eliminate([row for row in rows if row is not None], len(names))
            return [dict(zip(names, solved, strict=True))] if solved else []
        if len(names) == 1 and len(equations) == 1:
            return [{names[0]: root} for root in _quadratic(equations[0], names[0])]
    except NotArithmeticError:
        pass
    return []


def _gap(pair: Equation, known: Solution) -> Fraction:
    return value(pair[0], known) - value(pair[1], known)


def _linear(pair: Equation, names: Sequence[str]) -> list[Fraction] | None:
    """Coefficients and right side of a linear equation; None for other equations."""
    zero = dict.fromkeys(names, Fraction(0))
    base = _gap(pair, zero)
    row = [_gap(pair, {**zero, name: Fraction(1)}) - base for name in names]
    for scale in (2, 5):
        probe = {name: Fraction(scale * (place + 1)) for place, name in enumerate(names)}
        expected = base + sum(c * probe[name] for c, name in zip(row, names, strict=True))
        if _gap(pair, probe) != expected:
            return None
    return [*row, -base]


def _eliminate(rows: list[list[Fraction]], unknowns: int) -> list[Fraction] | None:
    """The solution by Gauss-Jordan elimination; None unless there is exactly one."""
    rows = [list(row) for row in rows]
    for column in range(unknowns):
        pivot = next((row for row in rows[column:] if row[column]), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        scaled = [number / pivot[column] for number in pivot]
        rows = [[a - row[column] * b for a, b in zip(row, scaled, strict=True)] for row in rows]
        rows.insert(column, scaled)
    if any(row[-1] for row in rows[unknowns:]):
        return None
    return [row[-1] for row in rows[:unknowns]]


def _quadratic(pair: Equation, name: str) -> list[Fraction]:
    """The rational roots of an equation of degree two."""
    f = [_gap(pair, {name: Fraction(probe)}) for probe in _PROBES]
    a = (f[2] - 2 * f[1] + f[0]) / 2
    b = f[1] - f[0] - a
    if a == 0 or f[3] != 9 * a + 3 * b + f[0]:
        return []
    root = parse(f"sqrt(({b}) * ({b}) - 4 * ({a}) * ({f[0]}))")
    return [(-b + sign * value(root)) / (2 * a) for sign in (1, -1)]
