"""Sentences that say how one quantity of a word problem depends on others.

A `Relation` pairs phrasings with the formula they mean. Formulas are written over the names of
the quantities (`{a}`, `{c}`: earlier ones, `{b}`: the new one) and the numbers `{k}`, `{m}`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from decimal import Decimal

from genprm.arithmetic.expressions import Infix, Number, show_number, tidy


@dataclass(frozen=True, slots=True)
class Setting:
    """What a problem is about: who has how much of what."""

    who: tuple[str, ...]
    has: str  # the verb after a name
    have: str  # the verb after `they`, or in a question
    unit: str
    more: str = "more"
    fewer: str = "fewer"
    smallest: int = 2
    largest: int = 60
    scales: bool = True  # whether `3 times as many` makes sense

    def allows(self, number: Number) -> bool:
        """Whether there can be that much: no -3 dollars, no half marbles."""
        if self.smallest > 0 and number <= 0:
            return False
        return isinstance(number, int) or self.unit in MEASURED


MEASURED = ("km", "dollars", "kg", "hours")
PEOPLE = tuple(
    "Mia Tom Ana Ben Eva Leo Zoe Sam Ida Max Lily Omar Nina Paul Rosa Hugo Emma Ivan Sara Noah "
    "Maya Liam Olga Raj Kim Ella Jack Luis Ruth Adam Vera Yuki Amir Jane Carl Dana Finn Gina Hana Joel".split()
)
CITIES = tuple("Oslo Rome Bern Lima Kyiv Riga Bonn Cork Nome Graz Turin Delhi Quito Perth Minsk Tunis".split())
TEAMS = tuple("Lions Bears Hawks Sharks Wolves Eagles Tigers Foxes Bulls Owls".split())

COUNTED = tuple(
    "pens apples books marbles stickers coins cards shells eggs stamps cookies toys buttons flowers "
    "pencils oranges balloons beads tickets photos".split()
)


def draw_setting(rng: random.Random) -> Setting:
    """A setting with its names in random order."""
    roll = rng.random()
    if roll < 0.5:
        verbs = rng.choice((("has", "have"), ("has", "have"), ("owns", "own"), ("collects", "collect"), ("buys", "buy")))
        return Setting(_shuffled(PEOPLE, rng), *verbs, rng.choice(COUNTED))
    if roll < 0.62:
        return Setting(_shuffled(PEOPLE, rng), *rng.choice((("saves", "save"), ("earns", "earn"), ("has", "have"))), "dollars", largest=200)
    if roll < 0.74:
        verbs = rng.choice((("walks", "walk"), ("runs", "run"), ("rides", "ride")))
        return Setting(_shuffled(PEOPLE, rng), *verbs, "km", largest=40)
    if roll < 0.82:
        verbs, unit = rng.choice(((("reads", "read"), "pages"), (("works", "work"), "hours"), (("picks", "pick"), "kg")))
        return Setting(_shuffled(PEOPLE, rng), *verbs, unit)
    if roll < 0.93:
        return Setting(_shuffled(CITIES, rng), "is at", "are at", "degrees", "degrees warmer", "degrees colder", -20, 25, scales=False)
    return Setting(_shuffled(TEAMS, rng), "have", "have", "points", smallest=-15, largest=40, scales=False)


def _shuffled(names: tuple[str, ...], rng: random.Random) -> tuple[str, ...]:
    return tuple(rng.sample(names, len(names)))


@dataclass(frozen=True, slots=True)
class Fact:
    """One sentence of a problem, with the quantity it defines."""

    sentence: str
    name: str  # a Python name; a later fact may give it a new value
    formula: Infix


def given(setting: Setting, name: str, rng: random.Random) -> tuple[str, Number]:
    """A sentence that states a quantity outright, and its value."""
    number: Number = rng.randint(setting.smallest, setting.largest)
    if setting.unit in ("km", "dollars", "kg") and rng.random() < 0.35:
        number = Decimal(rng.randint(10, 400)) / (10 if setting.unit != "dollars" or rng.random() < 0.5 else 4)
    number = tidy(number)
    text = show_number(number)
    if setting.scales and rng.random() < 0.15:
        sentence = f"There is {name}, who {setting.has} {text} {setting.unit}."
    else:
        sentence = f"{name} {setting.has} {text} {setting.unit}."
    return sentence, number


def derived(setting: Setting, new: str, known: list[str], rng: random.Random) -> Fact:
    """A sentence that defines the quantity `new` through known ones."""
    a = known[-1] if rng.random() < 0.6 else rng.choice(known)
    c = rng.choice([name for name in known if name != a] or [a])
    k, m = rng.randint(2, 30), rng.randint(2, 9)
    has, unit = setting.has, setting.unit
    more = f"{k} {setting.more}" + ("" if "degrees" in setting.more else f" {unit}")
    fewer = f"{k} {setting.fewer}" + ("" if "degrees" in setting.fewer else f" {unit}")
    be = "is" if "degrees" in setting.more else has
    choices: list[tuple[str, Infix]] = [
        (rng.choice((f"{new} {be} {more} than {a}.", f"Compared with {a}, {new} {be} {more}.")), Infix((a, k), ("+",))),
        (rng.choice((f"{new} {be} {fewer} than {a}.", f"Compared with {a}, {new} {be} {fewer}.")), Infix((a, k), ("-",))),
    ]
    if setting.scales:
        p = rng.choice((5, 10, 20, 25, 30, 40, 50, 60, 75, 80))
        q, d = rng.choice(((1, 2), (1, 4), (3, 4), (1, 5), (2, 5), (3, 5), (4, 5)))
        percent = Infix((p, 100), ("/",))
        fraction = Infix((q, d), ("/",))
        choices += [
            (
                rng.choice(
                    (f"{new} {has} {m} times as many {unit} as {a}.", f"{new} {has} {m} times what {a} {has}.")
                ),
                Infix((m, a), ("*",)),
            ),
            (f"{new} {has} {m} times as many {unit} as {a}, plus {k} more.", Infix((m, a, k), ("*", "+"))),
            (f"{new} {has} {k} fewer than {m} times as many {unit} as {a}.", Infix((m, a, k), ("*", "-"))),
            (
                rng.choice((f"{new} {has} {p}% of what {a} {has}.", f"{new} {has} {p}% as many {unit} as {a}.")),
                Infix((percent, a), ("*",)),
            ),
            (
                rng.choice((f"{new} {has} {p}% more {unit} than {a}.", f"{new} {has} {p}% more than {a}.")),
                Infix((a, percent, a), ("+", "*")),
            ),
            (
                rng.choice((f"{new} {has} {q}/{d} as many {unit} as {a}.", f"{new} {has} {q}/{d} of what {a} {has}.")),
                Infix((fraction, a), ("*",)),
            ),
            (f"{new} {has} {k} groups of {m} {unit}.", Infix((k, m), ("*",))),
            (f"{new} {has} {k} groups of {m} {unit} and {k + m} single ones.", Infix((k, m, k + m), ("*", "+"))),
            (f"{new} {has} half as many {unit} as {a}.", Infix((a, 2), ("/",))),
        ]
    if c != a and setting.scales:
        choices += [
            (f"{new} {has} as many {unit} as {a} and {c} together.", Infix((a, c), ("+",))),
            (f"{new} {has} {k} more than {a} and {c} together.", Infix((a, c, k), ("+", "+"))),
        ]
    sentence, formula = rng.choice(choices)
    return Fact(sentence, new, formula)


def changed(setting: Setting, name: str, rng: random.Random) -> Fact:
    """A sentence after which a known quantity has another value."""
    k, m, p = rng.randint(2, 20), rng.randint(2, 5), rng.choice((10, 20, 25, 50))
    unit = setting.unit
    then = rng.choice(("Then", "Later", "After that"))
    if "degrees" in setting.more:
        choices = [
            (f"{then} {name} gets {k} degrees colder.", Infix((name, k), ("-",))),
            (f"{then} {name} gets {k} degrees warmer.", Infix((name, k), ("+",))),
        ]
    else:
        choices = [
            (rng.choice((f"{then} {name} loses {k} {unit}.", f"{then} {name} gives away {k} {unit}.")), Infix((name, k), ("-",))),
            (rng.choice((f"{then} {name} gets {k} more {unit}.", f"{then} {name} adds {k} {unit}.")), Infix((name, k), ("+",))),
        ]
    if setting.scales:
        share = Infix((p, 100), ("/",))
        choices += [
            (f"{then} {name} doubles that.", Infix((2, name), ("*",))),
            (f"{then} {name} splits it into {m} equal shares and keeps one.", Infix((name, m), ("/",))),
            (f"{then} {name} loses {p}% of it.", Infix((name, share, name), ("-", "*"))),
            (f"{then} {name} gets {m} packs of {k} {unit}.", Infix((name, m, k), ("+", "*"))),
        ]
    sentence, formula = rng.choice(choices)
    return Fact(sentence, name, formula)


def question(setting: Setting, known: list[str], rng: random.Random) -> Fact:
    """The question, as a fact that defines the asked quantity."""
    have, unit = setting.have, setting.unit
    last = known[-1]
    chosen = [name for name in known if name == last or rng.random() < 0.7]
    a, c = last, rng.choice([name for name in known if name != last] or [last])
    people = _listed(chosen)
    price = rng.choice((2, 3, 5, Decimal("0.5"), Decimal("1.5"), Decimal("2.5"), Decimal("0.25"), Decimal("1.2")))
    choices: list[tuple[str, str, Infix]] = [
        (f"What is the difference between {a} and {c}, counted as {a} minus {c}?", "difference", Infix((a, c), ("-",)))
    ]
    if "degrees" not in setting.more and len(chosen) > 1:
        total = Infix(tuple(chosen), ("+",) * (len(chosen) - 1))
        choices += [
            (f"How many {unit} do {people} {have} altogether?", "total", total),
            (f"How many {unit} do {people} {have} in total?", "total", total),
            (f"What is the total of {people}?", "total", total),
            (f"What do {people} {have} on average?", "average", Infix((total, len(chosen)), ("/",))),
        ]
    if "degrees" in setting.more and len(chosen) > 1:
        total = Infix(tuple(chosen), ("+",) * (len(chosen) - 1))
        choices.append((f"What is the average of {people}?", "average", Infix((total, len(chosen)), ("/",))))
    if unit not in ("km", "dollars", "degrees", "points", "hours", "pages"):
        choices.append(
            (f"What is the cost of what {a} {setting.has} if each costs {show_number(price)} dollars?", "cost", Infix((a, price), ("*",)))
        )
    sentence, name, formula = rng.choice(choices)
    return Fact(sentence, name, formula)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def distraction(setting: Setting, known: list[str], rng: random.Random) -> str:
    """A sentence with a number that nothing depends on."""
    name = rng.choice(known)
    k = rng.randint(2, 60)
    other = rng.choice([thing for thing in COUNTED if thing != setting.unit])
    if "degrees" in setting.more or setting.who[0] in TEAMS:
        return rng.choice((f"{name} won {k} games last year.", f"It is {k} km to {name}.", f"{k} people watch {name}."))
    return rng.choice(
        (
            f"{name} is {k} years old.",
            f"{name} also has {k} {other}.",
            f"{name} lives {k} km from school.",
            f"Last year {name} had {k} {other}.",
        )
    )
