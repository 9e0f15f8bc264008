"""Mistakes in a formula: another operator, another number, or a result that is nearly right."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping
from fractions import Fraction

from training.language.templates import value

OTHER_OPERATORS: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Sub, ast.Mult),
    ast.Sub: (ast.Add, ast.Add, ast.Div),
    ast.Mult: (ast.Add, ast.Div, ast.Div, ast.Sub),
    ast.Div: (ast.Mult, ast.Mult, ast.Sub),
}


def mistaken(
    formula: ast.expr, error: str, known: Mapping[str, Fraction], rng: random.Random
) -> ast.expr | None:
    """The formula with another operator, or with another number in one place."""
    copy = ast.parse(ast.unparse(formula), mode="eval")
    if error == "operation":
        places = [node for node in ast.walk(copy) if isinstance(node, ast.BinOp)]
        if percent_of(formula, known):
            places = [node for node in places if isinstance(node.left, ast.BinOp)]
        if not places:
            return None
        node = rng.choice(places)
        node.op = rng.choice(OTHER_OPERATORS[type(node.op)])()
        return copy.body
    leaves = [n for n in ast.walk(copy) if isinstance(n, ast.Name | ast.Constant)]
    leaf = rng.choice(leaves)
    current = value(leaf, known)
    others = [name for name, number in known.items() if number != current]
    if others and rng.random() < 0.65:
        new: ast.expr = ast.Name(rng.choice(others))
    else:
        near = near_miss(current, rng)
        new = ast.Constant(float(near) if near.denominator > 1 else int(near))
    Replace(leaf, new).visit(copy)
    return copy.body


class Replace(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        """The new node for the old one; all others as they are."""
        return self.new if node is self.old else self.generic_visit(node)


def near_miss(number: Fraction, rng: random.Random) -> Fraction:
    """Another number that could pass for it at a glance."""
    unit = Fraction(1) if number.denominator == 1 else Fraction(1, 10)
    choices: list[Callable[[], Fraction]] = [
        lambda: number + rng.choice((-2, -1, 1, 2)) * unit,
        lambda: number + rng.choice((-10, 10)) * unit,
        lambda: number * 10,
        lambda: number + rng.randint(1, 9) * unit,
    ]
    for _ in range(20):
        other = rng.choices(choices, (4, 3, 1, 2))[0]()
        if other > 0 and other != number:
            return other
    return number + 1


def percent_of(
    formula: ast.expr, known: Mapping[str, Fraction]
) -> tuple[Fraction, Fraction] | None:
    """The share and the whole of `share / 100 * whole`."""
    match formula:
        case ast.BinOp(
            left=ast.BinOp(left=share, op=ast.Div(), right=ast.Constant(value=100)),
            op=ast.Mult(),
            right=whole,
        ):
            return value(share, known), value(whole, known)
    return None
