"""Nested integer expressions, solved in named parts with a chain of equalities in each step."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from genprm.arithmetic.chains import Chain, Habits, simplify, simplify_wrongly
from genprm.arithmetic.exercise import Claim, Exercise, Family
from genprm.arithmetic.expressions import (
    Infix,
    Number,
    Unwieldy,
    magnitude,
    show,
    show_number,
    substitute,
    value,
)
from genprm.arithmetic.mistakes import WITHIN_EXPRESSION, Mistake, make_mistake, near_miss
from genprm.arithmetic.rewriting import brackets, rewrite
from genprm.arithmetic.wording import PLAIN, PROBLEMS, Wording

LARGEST = 400_000
LETTERS = ("ABCDEFGH", "ABCDEFGH", "ABCDEFGH", "ABCDEFGH", "XYZUVWST", "PQRSTUVW", "MNKLPQRS")
GOAL = "goal"  # the Python name of the whole problem's value


@dataclass(frozen=True, slots=True)
class Nested:
    """A problem as a combination of named parts."""

    text: str
    whole: Infix  # over the names
    parts: Mapping[str, Infix]

    @property
    def values(self) -> dict[str, Number]:
        """The value of every part."""
        return {name: value(part) for name, part in self.parts.items()}


def solve_nested(
    nested: Nested, rng: random.Random, *, wrong: bool, habits: Habits | None = None
) -> Exercise | None:
    """One solution, with an error if `wrong`; None if no error could be made.

    Raises:
        Unwieldy: when the solution leads to unwieldy numbers.
    """
    return _Solving(nested, rng, habits or Habits.draw(rng)).solve(wrong=wrong)


def draw_nested(rng: random.Random) -> Nested:
    """A combination of two to six parts, all of whose values are of moderate size.

    Raises:
        Unwieldy: when some value is not.
    """
    count = rng.choice((2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 6))
    names = list(rng.choice(LETTERS)[:count])
    operators = rng.choice(("+-", "+-*", "+-*", "+-**"))
    length = rng.choice((2, 3, 3, 4, 4, 5))
    highest = rng.choice((9, 9, 9, 9, 12, 25, 99))
    parts = {name: _draw_part(rng, length, operators, highest) for name in names}
    whole = _draw_combination(rng, list(names))
    expression = show(substitute(whole, parts))
    if rng.random() < 0.7:  # outer brackets, as data sets write them
        expression = f"({expression})"
    nested = Nested(rng.choice(PROBLEMS).format(expression), whole, parts)
    values = [*nested.values.values(), value(whole, nested.values)]
    if max(magnitude(number) for number in values) > LARGEST:
        raise Unwieldy("too large")
    return nested


def _draw_part(rng: random.Random, length: int, operators: str, highest: int) -> Infix:
    if rng.random() < 0.12:
        halves = (
            _draw_part(rng, 2, operators, highest),
            _draw_part(rng, max(2, length - 1), operators, highest),
        )
        return Infix(halves, (rng.choice("+-*"),))
    if rng.random() < 0.15:
        length = max(2, length + rng.choice((-1, 1)))
    numbers = [rng.randint(0, highest) * rng.choice((1, 1, -1)) for _ in range(length)]
    return Infix(tuple(numbers), tuple(rng.choice(operators) for _ in range(length - 1)))


def _draw_combination(rng: random.Random, names: list[str]) -> Infix:
    """A combination of the names in order, in pairs of brackets or in a row."""
    if len(names) <= 2 or (len(names) == 3 and rng.random() < 0.6):
        return Infix(tuple(names), tuple(rng.choice("+-*") for _ in names[1:]))
    if rng.random() < 0.15:
        return Infix(tuple(names), tuple(rng.choice("++--*") for _ in names[1:]))
    operands: list[str | Infix] = []
    rest = list(names)
    while rest:
        take = 1 if len(rest) == 1 else rng.choice((2, 2, 2, 1, 3))
        group, rest = rest[:take], rest[take:]
        if len(group) == 1:
            operands.append(group[0])
        else:
            operands.append(Infix(tuple(group), tuple(rng.choice("+-*") for _ in group[1:])))
    if len(operands) == 1:
        return _draw_combination(rng, names)
    return Infix(tuple(operands), tuple(rng.choice("+-*") for _ in operands[1:]))


class _Solving:
    """A solution that is being written: the split as the writer sees it, and the true one."""

    def __init__(self, nested: Nested, rng: random.Random, habits: Habits) -> None:
        self.nested = nested
        self.rng = rng
        self.wording = PLAIN if habits.plain else Wording.draw(rng)
        self.habits = habits
        self.kind: Mistake | None = None

    def solve(self, *, wrong: bool) -> Exercise | None:
        count = len(self.nested.parts) + 2
        target = self._error_place(count) if wrong else -1
        seen = self._misread() if target == 0 else self.nested
        if seen is None:
            return None
        steps, claims = [self._opening(seen)], [self._opening_claim(seen)]
        believed: dict[str, Number] = {}
        for index, (name, part) in enumerate(seen.parts.items(), start=1):
            chain = self._part_chain(part, wrong=index == target)
            if chain is None:
                return None
            believed[name] = chain.result
            links = " = ".join(chain.links)
            definition = f"{name} = {self.wording.part(part)}"
            steps.append(self.wording.middle.format(name=name, chain=links))
            claims.append(
                Claim(f"Paragraph 1 says {definition}.", (), name, chain.links, (definition,))
            )
        final = self._final_chain(seen, believed, wrong=target == count - 1)
        if final is None:
            return None
        whole = self.wording.combination(seen.whole)
        stated = self._stated_answer(final, wrong=target == count - 1)
        answer = self.wording.answer(stated)
        steps.append(
            self.wording.ending.format(whole=whole, chain=" = ".join(final.links), answer=answer)
        )
        claims.append(
            Claim(
                self._final_source(seen, believed),
                (),
                GOAL,
                (whole, *final.links, show_number(stated)),
                recall=claims[0].setup,
            )
        )
        return Exercise(
            Family.NESTED,
            self.nested.text,
            tuple(steps),
            tuple(claims),
            show_number(value(self.nested.whole, self.nested.values)),
            target,
            self.kind,
        )

    def _error_place(self, count: int) -> int:
        roll = self.rng.random()
        if roll < 0.15:
            return 0
        return count - 1 if roll < 0.4 else self.rng.randrange(1, count - 1)

    def _opening(self, seen: Nested) -> str:
        return self.wording.opening.format(
            whole=self.wording.combination(seen.whole), parts=self.wording.definitions(seen.parts)
        )

    def _opening_claim(self, seen: Nested) -> Claim:
        problem = show(substitute(self.nested.whole, self.nested.parts))
        problem = f"({problem})" if f"({problem})" in self.nested.text else problem
        definitions = tuple(
            f"{name} = {self.wording.part(part)}" for name, part in seen.parts.items()
        )
        return Claim(
            f"The problem is one expression. The parts are {' '.join(seen.parts)}.",
            (f"{GOAL} = {problem}", *definitions),
            GOAL,
            (self.wording.combination(seen.whole),),
            recall=(f"{GOAL} = {problem}", *definitions),
        )

    def _final_source(self, seen: Nested, believed: dict[str, Number]) -> str:
        results = ", ".join(f"{name} = {show_number(number)}" for name, number in believed.items())
        whole = self.wording.combination(seen.whole)
        return f"Paragraph 1 says {whole}. Earlier paragraphs say {results}."

    def _misread(self) -> Nested | None:
        """The problem split wrongly: a part miscopied or exchanged, or another combination."""
        rng, nested = self.rng, self.nested
        parts, whole = dict(nested.parts), nested.whole
        roll = rng.random()
        name = rng.choice(list(parts))
        if roll < 0.55:
            self.kind = rng.choice(
                (Mistake.MISREAD, Mistake.SIGN, Mistake.DROPPED, Mistake.OPERATION)
            )
            within = Mistake.OPERAND if self.kind is Mistake.MISREAD else self.kind
            changed = make_mistake(parts[name], within, rng)
            if changed is None or len(changed.operands) < 2:
                return None
            parts[name] = changed
        elif roll < 0.7:
            self.kind = Mistake.DECOMPOSITION
            other = rng.choice([key for key in parts if key != name])
            parts[name], parts[other] = parts[other], parts[name]
        else:
            self.kind = Mistake.DECOMPOSITION
            spot = rng.choice([path for path, _ in brackets(whole)])
            whole = _other_operator(whole, spot, rng)
        seen = replace(nested, whole=whole, parts=parts)
        return seen if value(whole, seen.values) != value(nested.whole, nested.values) else None

    def _part_chain(self, part: Infix, *, wrong: bool) -> Chain | None:
        if not wrong:
            return simplify(part, self.habits, self.rng, show_start=self.rng.random() < 0.95)
        self.kind = self.rng.choice((*WITHIN_EXPRESSION, Mistake.CALCULATION, Mistake.SIGN))
        return simplify_wrongly(part, self.kind, self.habits, self.rng)

    def _stated_answer(self, final: Chain, *, wrong: bool) -> Number:
        """The chain's result, or a wrong copy of it if nothing else is wrong."""
        if not wrong or self.kind is not None:
            return final.result
        self.kind = Mistake.OPERAND
        return near_miss(final.result, self.rng)

    def _final_chain(
        self, seen: Nested, believed: dict[str, Number], *, wrong: bool
    ) -> Chain | None:
        rng = self.rng
        if wrong and rng.random() < 0.05:  # all right but for the answer, copied wrongly
            self.kind = None
            return simplify(substitute(seen.whole, believed), self.habits, rng)
        if wrong and rng.random() < 0.35:
            self.kind = Mistake.EARLIER
            name = rng.choice(list(believed))
            others = [number for key, number in believed.items() if key != name]
            wrong_value = (
                rng.choice(others) if rng.random() < 0.4 else near_miss(believed[name], rng)
            )
            if rng.random() < 0.25:
                wrong_value = -believed[name]
            mistaken = substitute(seen.whole, believed | {name: wrong_value})
            if value(mistaken) == value(seen.whole, believed):
                return None
            return simplify(mistaken, self.habits, rng)
        start = substitute(seen.whole, believed)
        if not wrong:
            return simplify(start, self.habits, rng)
        self.kind = rng.choice(WITHIN_EXPRESSION)
        return simplify_wrongly(start, self.kind, self.habits, rng)


def _other_operator(whole: Infix, path: tuple[int, ...], rng: random.Random) -> Infix:
    bracket = dict(brackets(whole))[path]
    index = rng.randrange(len(bracket.operators))
    operators = list(bracket.operators)
    operators[index] = rng.choice([operator for operator in "+-*" if operator != operators[index]])
    return rewrite(whole, path, Infix(bracket.operands, tuple(operators)))
