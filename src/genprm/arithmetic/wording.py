"""The phrases with which one writer solves a nested expression."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from genprm.arithmetic.expressions import Infix, Number, show, show_number

PROBLEMS = ("{} =", "{} =", "{} =", "What is {}?", "Calculate {}.", "Evaluate {}.", "Compute {}.")
OPENINGS = (
    'This equation can be written as "{whole}", where {parts}.',
    'This equation can be written as "{whole}", where {parts}.',
    'This equation can be written as "{whole}", where {parts}.',
    "We can write this as {whole}, where {parts}.",
    'The expression is "{whole}" with {parts}.',
    "Let {parts}. Then the expression is {whole}.",
    "First, split the expression as {whole}, where {parts}.",
)
MIDDLES = (
    "Let's calculate {name} = {chain}.",
    "Let's calculate {name} = {chain}.",
    "Let's calculate {name} = {chain}.",
    "Calculate {name} = {chain}.",
    "Now, {name} = {chain}.",
    "Next, {name} = {chain}.",
    "We have {name} = {chain}.",
    "{name} = {chain}",
    "For {name}: {name} = {chain}.",
)
ENDINGS = (
    "Then, the final equation is {whole} = {chain}. So the answer is {answer}",
    "Then, the final equation is {whole} = {chain}. So the answer is {answer}",
    "Then, the final equation is {whole} = {chain}. So the answer is {answer}.",
    "Finally, {whole} = {chain}. So the answer is {answer}.",
    "Then {whole} = {chain}. The answer is {answer}.",
    "Putting it together, {whole} = {chain}. So the answer is {answer}.",
)


@dataclass(frozen=True, slots=True)
class Wording:
    """One writer's phrases."""

    opening: str
    middle: str
    ending: str
    comma_list: bool  # `A = …, B = …, and C = …` instead of `and` everywhere
    outer: bool  # brackets around the parts
    whole_outer: bool  # brackets around the combination
    boxed: bool

    @classmethod
    def draw(cls, rng: random.Random) -> Wording:
        """The phrases of some writer."""
        return cls(
            opening=rng.choice(OPENINGS),
            middle=rng.choice(MIDDLES),
            ending=rng.choice(ENDINGS),
            comma_list=rng.random() < 0.7,
            outer=rng.random() < 0.85,
            whole_outer=rng.random() < 0.2,
            boxed=rng.random() < 0.35,
        )

    def part(self, part: Infix) -> str:
        """A part as its definition writes it."""
        return f"({show(part)})" if self.outer else show(part)

    def combination(self, whole: Infix) -> str:
        """The combination of the parts' names."""
        return f"({show(whole)})" if self.whole_outer else show(whole)

    def definitions(self, parts: Mapping[str, Infix]) -> str:
        """`A = …, B = …, and C = …`."""
        items = [f"{name} = {self.part(part)}" for name, part in parts.items()]
        if not self.comma_list:
            return " and ".join(items)
        return ", ".join(items[:-1]) + ("," if len(items) > 2 else "") + " and " + items[-1]

    def answer(self, number: Number) -> str:
        """The final answer, boxed or bare."""
        return rf"\boxed{{{show_number(number)}}}" if self.boxed else show_number(number)


PLAIN = Wording(
    opening=OPENINGS[0],
    middle=MIDDLES[0],
    ending=ENDINGS[0],
    comma_list=True,
    outer=True,
    whole_outer=False,
    boxed=True,
)
