"""Word problems of two to eight steps, built from a graph of quantities."""

from __future__ import annotations

import random
from dataclasses import dataclass

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
from genprm.arithmetic.mistakes import WITHIN_EXPRESSION, Mistake, near_miss
from genprm.arithmetic.relations import Fact, changed, derived, distraction, given, question
from genprm.arithmetic.rewriting import brackets
from genprm.arithmetic.settings import Setting, draw_setting, small

LARGEST = 50_000

STEPS = (
    "{name} {has} {chain} {unit}.",
    "{name} {has} {chain} {unit}.",
    "So {name} {has} {chain} {unit}.",
    "Now {name} {has} {chain} {unit}.",
    "For {name} we get {chain} {unit}.",
    "{name}: {chain}",
    "{name} = {chain}.",
    "Calculate for {name}: {chain}.",
)
LAST = (
    "The {name} is {chain}. So the answer is {answer}.",
    "The {name} is {chain}. The answer is {answer}.",
    "Finally, the {name} is {chain}. So the answer is {answer}.",
    "{name} = {chain}. So the answer is {answer}",
    "This gives a {name} of {chain}. So the answer is {answer}.",
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A quantity that a step calculates."""

    name: str  # `Mia2` is what `Mia` has after a change
    subject: str  # in words
    formula: Infix  # over the names of givens and earlier quantities
    lines: tuple[str, ...]  # the sentences after the last quantity's, in Python; last its own


@dataclass(frozen=True, slots=True)
class Story:
    """A problem's text and the quantities behind it."""

    setting: Setting
    text: str
    givens: dict[str, Number]
    quantities: tuple[Quantity, ...]  # in the order in which they are solved, the asked one last

    def lines(self, end: int | None = None) -> tuple[str, ...]:
        """The problem in Python, sentence by sentence, up to the quantity before `end`."""
        return tuple(line for quantity in self.quantities[:end] for line in quantity.lines)


def solve_story(
    story: Story, rng: random.Random, *, wrong: bool, habits: Habits | None = None
) -> Exercise | None:
    """One solution, with an error if `wrong`; None if no error could be made.

    Raises:
        Unwieldy: when the solution leads to unwieldy numbers.
    """
    return _Solving(story, rng, habits or Habits.draw(rng)).solve(wrong=wrong)


def draw_story(rng: random.Random, *, easy: bool = False) -> Story:
    """A story whose quantities all have moderate values with short decimal forms.

    An `easy` one is drawn with small numbers.

    Raises:
        Unwieldy: when some quantity has not.
    """
    setting = small(draw_setting(rng)) if easy else draw_setting(rng)
    names = iter(setting.who)
    first = next(names)
    sentence, number = given(setting, first, rng)
    sentences, givens, known = [sentence], {first: number}, [first]
    lines = [f"{first} = {show_number(number)}"]
    current = {first: first}  # the name that now stands for a subject
    quantities: list[Quantity] = []
    values: dict[str, Number] = dict(givens)
    steps = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7))
    while len(quantities) < steps:
        roll = rng.random()
        if roll < 0.15 and len(known) < 5:
            name = next(names)
            sentence, number = given(setting, name, rng)
            givens[name] = values[name] = number
            current[name] = name
            known.append(name)
            sentences.append(sentence)
            lines.append(f"{name} = {show_number(number)}")
            continue
        if roll < 0.4 and (quantities or len(givens) > 1):
            fact = changed(setting, rng.choice(known), rng)
        elif len(known) < 6:
            name = next(names)
            fact = derived(setting, name, known, rng)
            known.append(name)
        else:
            fact = changed(setting, rng.choice(known), rng)
        quantities.append(_named(fact, current, lines))
        values[quantities[-1].name] = _moderate(quantities[-1], values, setting)
        lines = []
        sentences.append(fact.sentence)
    if rng.random() < 0.3:
        sentences.insert(rng.randint(1, len(sentences)), distraction(setting, known, rng))
    fact = question(setting, known, rng)
    asked = _named(fact, current, lines)
    _moderate(asked, values, None)
    text = " ".join([*sentences, fact.sentence])
    return Story(setting, text, givens, (*quantities, asked))


def _named(fact: Fact, current: dict[str, str], lines: list[str]) -> Quantity:
    """The fact's quantity under a new name, by which its subject is known from now on.

    In Python no name is new: a changed quantity is assigned to its old one.
    """
    own = f"{fact.subject} = {show(fact.formula)}"
    formula = substitute(fact.formula, current)
    before = current.get(fact.subject)
    count = int(before.removeprefix(fact.subject) or 1) + 1 if before else 1
    current[fact.subject] = f"{fact.subject}{count}" if count > 1 else fact.subject
    return Quantity(current[fact.subject], fact.subject, formula, (*lines, own))


def _moderate(quantity: Quantity, values: dict[str, Number], setting: Setting | None) -> Number:
    """The quantity's value.

    Raises:
        Unwieldy: when it is too large, or makes no sense in the setting.
    """
    number = value(quantity.formula, values)
    if magnitude(number) > LARGEST or (setting and not setting.allows(number)):
        raise Unwieldy(show_number(number))
    return number


class _Solving:
    """A solution that is being written: what the writer believes, and the truth."""

    def __init__(self, story: Story, rng: random.Random, habits: Habits) -> None:
        self.story = story
        self.rng = rng
        self.habits = habits
        self.sentence = rng.choice(STEPS)
        self.ending = rng.choice(LAST)
        self.boxed = rng.random() < 0.5
        self.signs = rng.choice((("*", "/"),) * 4 + (("×", "÷"),))
        if habits.plain:
            self.sentence, self.ending, self.boxed, self.signs = STEPS[0], LAST[0], True, ("*", "/")
        self.kind: Mistake | None = None

    def solve(self, *, wrong: bool) -> Exercise | None:
        story, rng = self.story, self.rng
        target = rng.randrange(len(story.quantities)) if wrong else -1
        truth, believed = dict(story.givens), dict(story.givens)
        steps: list[str] = []
        claims: list[Claim] = []
        for index, quantity in enumerate(story.quantities):
            last = index == len(story.quantities) - 1
            chain = self._chain(quantity, believed, wrong=index == target)
            if chain is None:
                return None
            right = value(quantity.formula, truth)
            if index == target and right == chain.result and not self._shows_error(chain):
                return None
            truth[quantity.name], believed[quantity.name] = right, chain.result
            claims.append(self._claim(index, chain))
            steps.append(self._text(quantity, chain, last=last))
        answer = show_number(truth[story.quantities[-1].name])
        return Exercise(
            Family.STORY, story.text, tuple(steps), tuple(claims), answer, target, self.kind
        )

    def _chain(
        self, quantity: Quantity, believed: dict[str, Number], *, wrong: bool
    ) -> Chain | None:
        start = substitute(quantity.formula, believed)
        if not wrong:
            return simplify(start, self.habits, self.rng)
        if self.rng.random() < 0.25:
            mistaken = self._misremember(quantity, believed)
            return simplify(mistaken, self.habits, self.rng) if mistaken else None
        self.kind = self.rng.choice((*WITHIN_EXPRESSION, Mistake.CALCULATION))
        return simplify_wrongly(start, self.kind, self.habits, self.rng)

    def _misremember(self, quantity: Quantity, believed: dict[str, Number]) -> Infix | None:
        """The formula with a wrong value for an earlier result, or a number of another sentence."""
        rng = self.rng
        names = [
            operand
            for _, bracket in brackets(quantity.formula)
            for operand in bracket.operands
            if isinstance(operand, str)
        ]
        if not names:
            return None
        name = rng.choice(names)
        others = [number for key, number in believed.items() if key != name]
        if others and rng.random() < 0.6:
            self.kind, wrong_value = Mistake.MISREAD, rng.choice(others)
        else:
            self.kind, wrong_value = Mistake.EARLIER, near_miss(believed[name], rng)
        mistaken = substitute(quantity.formula, believed | {name: wrong_value})
        right = value(quantity.formula, believed)
        return mistaken if value(mistaken) != right else None

    def _claim(self, index: int, chain: Chain) -> Claim:
        """The first analysis translates the whole problem; the code of each runs its own lines."""
        story, quantity = self.story, self.story.quantities[index]
        said = quantity.lines if index else story.lines()
        source = f"The problem says {', '.join(said)}."
        last = quantity is story.quantities[-1]
        links = (*chain.links, show_number(chain.result)) if last else chain.links
        recall = story.lines(index + 1)
        return Claim(source, quantity.lines, quantity.subject, links, recall)

    def _shows_error(self, chain: Chain) -> bool:
        return len({round(float(eval(link)), 6) for link in chain.links}) > 1

    def _text(self, quantity: Quantity, chain: Chain, *, last: bool) -> str:
        text = " = ".join(chain.links)
        for plain, written in zip("*/", self.signs, strict=True):
            text = text.replace(f" {plain} ", f" {written} ")
        if last:
            number = show_number(chain.result)
            answer = rf"\boxed{{{number}}}" if self.boxed else number
            return self.ending.format(name=quantity.subject, chain=text, answer=answer)
        words = {"name": quantity.subject, "has": self.story.setting.has}
        return self.sentence.format(**words, chain=text, unit=self.story.setting.unit)
