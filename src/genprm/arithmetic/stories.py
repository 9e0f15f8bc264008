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
from genprm.arithmetic.settings import Setting, draw_setting

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
class Story:
    """A problem's sentences and the quantities behind them."""

    setting: Setting
    text: str
    givens: dict[str, Number]
    facts: tuple[Fact, ...]  # in the order in which they are solved, the question last


def solve_story(
    story: Story, rng: random.Random, *, wrong: bool, habits: Habits | None = None
) -> Exercise | None:
    """One solution, `wrong` deciding whether it has an error; None where a try at one failed.

    Raises:
        Unwieldy: when the solution leads to unwieldy numbers.
    """
    return _Solving(story, rng, habits or Habits.draw(rng)).solve(wrong=wrong)


def draw_story(rng: random.Random) -> Story:
    """A story whose quantities all have moderate values with short decimal forms.

    Raises:
        Unwieldy: when some quantity has not.
    """
    setting = draw_setting(rng)
    names = iter(setting.who)
    first = next(names)
    sentence, number = given(setting, first, rng)
    sentences, givens, known = [sentence], {first: number}, [first]
    facts: list[Fact] = []
    values: dict[str, Number] = dict(givens)
    steps = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7))
    while len(facts) < steps:
        roll = rng.random()
        if roll < 0.15 and len(known) < 5:
            name = next(names)
            sentence, number = given(setting, name, rng)
            givens[name] = values[name] = number
            known.append(name)
            sentences.append(sentence)
            continue
        if roll < 0.4 and (facts or len(givens) > 1):
            fact = changed(setting, rng.choice(known), rng)
        elif len(known) < 6:
            name = next(names)
            fact = derived(setting, name, known, rng)
            known.append(name)
        else:
            fact = changed(setting, rng.choice(known), rng)
        values[fact.name] = _moderate(fact, values, setting)
        facts.append(fact)
        sentences.append(fact.sentence)
    if rng.random() < 0.3:
        sentences.insert(rng.randint(1, len(sentences)), distraction(setting, known, rng))
    asked = question(setting, known, rng)
    _moderate(asked, values, None)
    return Story(setting, " ".join([*sentences, asked.sentence]), givens, (*facts, asked))


def _moderate(fact: Fact, values: dict[str, Number], setting: Setting | None) -> Number:
    """The fact's value.

    Raises:
        Unwieldy: when it is too large, or makes no sense in the setting.
    """
    number = value(fact.formula, values)
    if magnitude(number) > LARGEST or (setting and not setting.allows(number)):
        raise Unwieldy(show_number(number))
    return number


class _Solving:
    """One solution in the making: what the writer believes, and the truth beside it."""

    def __init__(self, story: Story, rng: random.Random, habits: Habits) -> None:
        self.story = story
        self.rng = rng
        self.habits = habits
        self.sentence = rng.choice(STEPS)
        self.ending = rng.choice(LAST)
        self.boxed = rng.random() < 0.5
        self.signs = rng.choice((("*", "/"),) * 4 + (("×", "÷"),))
        self.kind: Mistake | None = None

    def solve(self, *, wrong: bool) -> Exercise | None:
        story, rng = self.story, self.rng
        target = rng.randrange(len(story.facts)) if wrong else -1
        truth, believed = dict(story.givens), dict(story.givens)
        bound: set[str] = set()
        steps: list[str] = []
        claims: list[Claim] = []
        for index, fact in enumerate(story.facts):
            chain = self._chain(fact, believed, wrong=index == target)
            if chain is None:
                return None
            claims.append(
                self._claim(fact, chain, believed, bound, last=index == len(story.facts) - 1)
            )
            truth[fact.name], believed[fact.name] = value(fact.formula, truth), chain.result
            if (
                index == target
                and truth[fact.name] == believed[fact.name]
                and not self._shows_error(chain)
            ):
                return None
            steps.append(self._text(fact, chain, last=index == len(story.facts) - 1))
        answer = show_number(truth[story.facts[-1].name])
        return Exercise(
            Family.STORY, story.text, tuple(steps), tuple(claims), answer, target, self.kind
        )

    def _chain(self, fact: Fact, believed: dict[str, Number], *, wrong: bool) -> Chain | None:
        start = substitute(fact.formula, believed)
        if not wrong:
            return simplify(start, self.habits, self.rng)
        if self.rng.random() < 0.25:
            mistaken = self._misremember(fact, believed)
            return simplify(mistaken, self.habits, self.rng) if mistaken else None
        self.kind = self.rng.choice((*WITHIN_EXPRESSION, Mistake.CALCULATION))
        return simplify_wrongly(start, self.kind, self.habits, self.rng)

    def _misremember(self, fact: Fact, believed: dict[str, Number]) -> Infix | None:
        """The formula with a wrong value for an earlier result, or a number of another sentence."""
        rng = self.rng
        names = [
            operand
            for _, bracket in brackets(fact.formula)
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
        mistaken = substitute(fact.formula, believed | {name: wrong_value})
        return mistaken if value(mistaken) != value(fact.formula, believed) else None

    def _claim(
        self, fact: Fact, chain: Chain, believed: dict[str, Number], bound: set[str], *, last: bool
    ) -> Claim:
        used = [
            operand
            for _, bracket in brackets(fact.formula)
            for operand in bracket.operands
            if isinstance(operand, str)
        ]
        givens = [
            name for name in dict.fromkeys(used) if name in self.story.givens and name not in bound
        ]
        bound.update(givens)
        bound.add(fact.name)
        setup = [f"{name} = {show_number(self.story.givens[name])}" for name in givens]
        formula = show(substitute(fact.formula, believed))
        recall = [*setup, f"{fact.name} = {formula}"]
        setup.append(f"{fact.name} = {show(fact.formula)}")
        says = "asks" if last else "says"
        links = (*chain.links, show_number(chain.result)) if last else chain.links
        return Claim(
            f"The problem {says}: {fact.sentence} So {fact.name} = {formula}.",
            tuple(setup),
            fact.name,
            links,
            tuple(recall),
        )

    def _shows_error(self, chain: Chain) -> bool:
        return len({round(float(eval(link)), 6) for link in chain.links}) > 1

    def _text(self, fact: Fact, chain: Chain, *, last: bool) -> str:
        text = " = ".join(chain.links)
        for plain, written in zip("*/", self.signs, strict=True):
            text = text.replace(f" {plain} ", f" {written} ")
        if last:
            number = show_number(chain.result)
            answer = rf"\boxed{{{number}}}" if self.boxed else number
            return self.ending.format(name=fact.name, chain=text, answer=answer)
        setting = self.story.setting
        return self.sentence.format(name=fact.name, has=setting.has, chain=text, unit=setting.unit)
