"""Chains of equalities: `(-9 - 5 - 0) = (-14 - 0) = -14`, correct or with one mistake."""

from __future__ import annotations

import random
from dataclasses import dataclass

from genprm.arithmetic.expressions import Infix, Number, Unwieldy, show, show_number, value
from genprm.arithmetic.mistakes import Mistake, make_mistake
from genprm.arithmetic.rewriting import (
    as_number,
    bracket_products,
    reduce_pair,
    reducible,
    settle_signs,
)

MAX_LINKS = 9


@dataclass(frozen=True, slots=True)
class Habits:
    """How one writer simplifies, as shares of the links with each habit."""

    echo: float  # repeat the expression unchanged
    signs: float  # only tidy signs
    group: float  # only put a bracket around what comes next
    hurry: float  # carry out one more operation at once
    wrap: bool  # write negative numbers inside in brackets
    keep: float  # leave the bracket around a finished number
    outer: float  # write outer brackets around an unfinished expression
    plain: bool = False  # the same phrases in every solution, the first operation first

    @classmethod
    def draw(cls, rng: random.Random) -> Habits:
        """The habits of some writer."""
        return cls(
            echo=rng.choice((0.0, 0.0, 0.1)),
            signs=rng.choice((0.0, 0.3, 0.8)),
            group=rng.choice((0.0, 0.0, 0.4, 0.8)),
            hurry=rng.choice((0.0, 0.3, 0.6, 0.9)),
            wrap=rng.random() < 0.3,
            keep=rng.choice((0.0, 0.2, 0.7)),
            outer=rng.choice((0.0, 0.5, 1.0, 1.0)),
        )

    def write(self, expression: Infix, rng: random.Random) -> str:
        """One link as text."""
        number = as_number(expression)
        if number is not None:
            bracketed = number < 0 and rng.random() < self.keep / 4
            return f"({show_number(number)})" if bracketed else show_number(number)
        text = show(expression, wrap_negatives=self.wrap)
        return f"({text})" if rng.random() < self.outer else text


CAREFUL = Habits(
    echo=0.0, signs=0.0, group=0.0, hurry=0.0, wrap=False, keep=0.0, outer=0.0, plain=True
)


@dataclass(frozen=True, slots=True)
class Chain:
    """The links as written, and the number they end in."""

    links: tuple[str, ...]
    result: Number


def simplify(start: Infix, habits: Habits, rng: random.Random, *, show_start: bool = True) -> Chain:
    """A correct chain from `start` to its value.

    Raises:
        Unwieldy: when a value on the way has no short decimal form, or the chain gets too long.
    """
    forms = list(_forms(start, habits, rng))
    return _chain(forms if show_start or len(forms) == 1 else forms[1:], habits, rng)


def simplify_wrongly(
    start: Infix, kind: Mistake, habits: Habits, rng: random.Random, *, show_start: bool = True
) -> Chain | None:
    """A chain with one mistake of the given kind and consequences that follow from it.

    The mistake is in any of the written links; None if this expression has no place for it.
    """
    forms = list(_forms(start, habits, rng))[:-1] or [start]
    places = list(range(len(forms)))
    rng.shuffle(places)
    for place in places:
        wrong = make_mistake(forms[place], kind, rng)
        if wrong is None:
            continue
        # A slip while copying shows on the copied link itself, a wrong result on the next.
        right_part = forms[: place + 1]
        if place == 0 and kind is not Mistake.CALCULATION and rng.random() < 0.5:
            right_part = []
        if not show_start:
            right_part = right_part[1:]
        return _chain([*right_part, *_forms(wrong, habits, rng)], habits, rng)
    return None


def _chain(forms: list[Infix], habits: Habits, rng: random.Random) -> Chain:
    if len(forms) > MAX_LINKS:
        raise Unwieldy("too many links")
    return Chain(tuple(habits.write(form, rng) for form in forms), value(forms[-1]))


def _forms(start: Infix, habits: Habits, rng: random.Random) -> list[Infix]:
    """The expression, its rewritings, and last its value."""
    forms = [start]
    while as_number(current := forms[-1]) is None:
        forms.append(_next_form(current, habits, rng))
    if rng.random() < habits.echo / 2:
        forms.append(forms[-1])
    return forms


def _next_form(current: Infix, habits: Habits, rng: random.Random) -> Infix:
    if rng.random() < habits.echo:
        return current
    if rng.random() < habits.signs and (settled := settle_signs(current)) != current:
        return settled
    if rng.random() < habits.group and (grouped := bracket_products(current, rng)) != current:
        return grouped
    while True:
        places = list(reducible(current))
        first = rng.random() < 0.6 or habits.plain
        place = places[0] if first else rng.choice(places)
        current = reduce_pair(current, place, keep_bracket=rng.random() < habits.keep)
        if as_number(current) is not None or rng.random() >= habits.hurry:
            return current
