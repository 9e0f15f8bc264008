"""Problems that are one plain expression, and steps that reduce it in a wrong order.

An expression is stored as nested sums and products. A step `a op b = c` reduces it correctly if
both operands are in the same sum or product, and wrongly if both are still there but are not.
Everything else (`47 x 20` on the way to `47 x 23`) is not judged.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from genprm.calculator.equations import Claim
from genprm.calculator.exact import NotArithmeticError, letters, parse, value
from genprm.calculator.notation import NUMBER, plain

_ASKED = re.compile(
    r"(?i)^(?:please |can you )?(?:what is|what's|whats|calculate|compute|evaluate|find|work out|"
    r"simplify|how much is|solve|the value of|:|\s)*"
)
_OPERAND = rf"-?(?:{NUMBER})|\(-(?:{NUMBER})\)"
_REDUCTION = re.compile(
    rf"(?<![\w.=*/+(-])(?<![=*/+(-] )({_OPERAND}) ?([-+*/]) ?({_OPERAND})"
    rf" ?= ?(-?(?:{NUMBER}))(?![\w%(/*]|\.\d| ?[-+*/])"
)
_ANSWER = re.compile(rf"(?i)\banswer(?: is|:|=| =)? ?(-?(?:{NUMBER}))(?![\w%(/]|\.\d| ?[-+*/])")


@dataclass(frozen=True, slots=True)
class Group:
    """A sum of terms or a product of factors; `minus` ones are subtracted or divide."""

    product: bool
    plus: tuple["Part", ...]
    minus: tuple["Part", ...]


Part = Fraction | Group


class Expression:
    """The problem's expression as far as a solution has reduced it."""

    def __init__(self, problem: str) -> None:
        self.text = _expression(problem)
        self._tree: Part | None = None
        self._orderly = False  # whether a number names one place in the expression
        if self.text is not None:
            node = parse(self.text)
            self._value = value(node)
            self._tree = _part(node)
            self._orderly = all(count == 1 for count in _numbers(self._tree).values())

    def check(self, step: str) -> list[Claim]:
        """What a step does to the expression, and the answer that it gives."""
        if self._tree is None:
            return []
        text = plain(step)
        found = _REDUCTION.findall(text) if self._orderly else []
        claims = [claim for each in found if (claim := self._reduce(*each))]
        for stated in _ANSWER.findall(text):
            code = f"print(abs(({self.text}) - ({stated})) <= 1e-2)"
            holds = abs(self._value - Fraction(stated)) <= Fraction(1, 100)
            claims.append(Claim(f"the answer to {self.text} is {stated}", code, holds))
        return claims

    def _reduce(self, left: str, sign: str, right: str, result: str) -> Claim | None:
        one, other = (Fraction(side.strip("()")) for side in (left, right))
        operands = (one, other, sign)
        said = f"{left} {sign} {right} as part of {self.text}"
        reduced = _reduced(self._tree, operands, Fraction(result))
        if reduced is not None:
            self._tree = reduced
            return None
        present = _numbers(self._tree)
        if not Counter({abs(one): 1}) + Counter({abs(other): 1}) <= present or self._spreads(
            operands
        ):
            return None
        code = (
            f"# {left} and {right} do not stand together in {self.text}:\n"
            f"# the order of operations asks for another step first\nprint(False)"
        )
        return Claim(said, code, False)

    def _spreads(self, operands: tuple[Fraction, Fraction, str]) -> bool:
        """Whether a product could come from a factor that is multiplied into a sum in brackets."""
        return operands[2] in "*/" and _has_sum_in_product(self._tree)


def _expression(problem: str) -> str | None:
    text = plain(_ASKED.sub("", problem.strip())).strip().rstrip("?.! ").rstrip("= ").strip()
    text = re.sub(r"(?<=[\d)]) ?(?=\()", "*", text)
    try:
        node = parse(text)
        value(node)
    except NotArithmeticError:
        return None
    return text if isinstance(node, ast.BinOp) and not letters(node) else None


def _part(node: ast.expr) -> Part:
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            return _joined(False, _part(left), _part(right), minus=isinstance(op, ast.Sub))
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            return _joined(True, _part(left), _part(right), minus=isinstance(op, ast.Div))
    return value(node)


def _joined(product: bool, one: Part, other: Part, *, minus: bool) -> Group:
    first = one if isinstance(one, Group) and one.product is product else Group(product, (one,), ())
    second = (other,)
    return Group(
        product, first.plus + (() if minus else second), first.minus + (second if minus else ())
    )


def _reduced(
    part: Part | None, operands: tuple[Fraction, Fraction, str], result: Fraction
) -> Part | None:
    """The expression after the step; None if the operands are not in the same group."""
    if not isinstance(part, Group):
        return None
    one, other, sign = operands
    if part.product is (sign in "*/"):
        found = _taken(part, one, other, sign, result)
        if found is not None:
            return found
    for name, parts in (("plus", part.plus), ("minus", part.minus)):
        for place, inner in enumerate(parts):
            new = _reduced(inner, operands, result)
            if new is not None:
                changed = (*parts[:place], new, *parts[place + 1 :])
                plus, minus = (changed, part.minus) if name == "plus" else (part.plus, changed)
                return _simple(Group(part.product, plus, minus))
    return None


def _taken(part: Group, one: Fraction, other: Fraction, sign: str, result: Fraction) -> Part | None:
    plus, minus = Counter(part.plus), Counter(part.minus)
    if not part.product:  # signs belong to the numbers: 5 - 9 takes +5 and -9
        terms = plus + Counter({_negative(term): count for term, count in minus.items()})
        asked: Counter[Part] = Counter((one, other if sign == "+" else -other))
        if asked <= terms:
            return _simple(Group(False, (*(terms - asked).elements(), result), ()))
        return None
    wanted: Counter[Part] = Counter([one, other]) if sign == "*" else Counter([one])
    against: Counter[Part] = Counter() if sign == "*" else Counter([other])
    if wanted <= plus and against <= minus:
        left = (plus - wanted).elements()
        return _simple(Group(True, (*left, result), tuple((minus - against).elements())))
    if sign == "*" and wanted <= minus:  # 100 / 5 / 2 by 5 * 2
        return _simple(Group(True, part.plus, (*(minus - wanted).elements(), result)))
    return None


def _negative(term: Part) -> Part:
    return -term if isinstance(term, Fraction) else Group(True, (Fraction(-1), term), ())


def _simple(group: Group) -> Part:
    return group.plus[0] if len(group.plus) == 1 and not group.minus else group


def _numbers(part: Part | None) -> Counter[Fraction]:
    if isinstance(part, Fraction):
        return Counter([abs(part)])
    if part is None:
        return Counter()
    return sum((_numbers(inner) for inner in (*part.plus, *part.minus)), Counter())


def _has_sum_in_product(part: Part | None) -> bool:
    if not isinstance(part, Group):
        return False
    inner = (*part.plus, *part.minus)
    own = part.product and any(isinstance(each, Group) and not each.product for each in inner)
    return own or any(map(_has_sum_in_product, inner))
