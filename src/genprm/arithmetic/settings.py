"""What a word problem is about: who has how much of what."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from genprm.arithmetic.expressions import Number

PEOPLE = (
    *("Mia", "Tom", "Ana", "Ben", "Eva", "Leo", "Zoe", "Sam", "Ida", "Max", "Lily", "Omar", "Nina"),
    *("Paul", "Rosa", "Hugo", "Emma", "Ivan", "Sara", "Noah", "Maya", "Liam", "Olga", "Raj", "Kim"),
    *("Ella", "Jack", "Luis", "Ruth", "Adam", "Vera", "Yuki", "Amir", "Jane", "Carl", "Dana"),
    *("Finn", "Gina", "Hana", "Joel"),
)
CITIES = (
    *("Oslo", "Rome", "Bern", "Lima", "Kyiv", "Riga", "Bonn", "Cork", "Nome", "Graz", "Turin"),
    *("Delhi", "Quito", "Perth", "Minsk", "Tunis"),
)
TEAMS = (
    *("Lions", "Bears", "Hawks", "Sharks", "Wolves", "Eagles", "Tigers", "Foxes", "Bulls", "Owls"),
)
THINGS = (
    *("pens", "apples", "books", "marbles", "stickers", "coins", "cards", "shells", "eggs"),
    *("stamps", "cookies", "toys", "buttons", "flowers", "pencils", "oranges", "balloons"),
    *("beads", "tickets", "photos"),
)
MEASURED = ("km", "dollars", "kg", "hours")  # may have decimals


@dataclass(frozen=True, slots=True)
class Setting:
    """The names and words of one problem."""

    who: tuple[str, ...]
    has: str  # the verb after a name
    have: str  # the verb after several names, or in a question
    unit: str
    smallest: int = 2
    largest: int = 60
    step: int = 30  # the largest change from one quantity to another

    @property
    def on_a_scale(self) -> bool:
        """Temperatures: `warmer` and `colder`, never `3 times as many`."""
        return self.unit == "degrees"

    @property
    def countable(self) -> bool:
        """Whether `3 times as many` makes sense."""
        return self.smallest > 0

    @property
    def priced(self) -> bool:
        """Whether each of them can have a price."""
        return self.unit in THINGS or self.unit == "kg"

    def allows(self, number: Number) -> bool:
        """Whether there can be that much: no -3 dollars, no half marbles."""
        if self.smallest > 0 and number <= 0:
            return False
        return isinstance(number, int) or self.unit in MEASURED


SETTINGS = (  # share, setting
    (20, Setting(PEOPLE, "has", "have", "things")),
    (10, Setting(PEOPLE, "owns", "own", "things")),
    (10, Setting(PEOPLE, "collects", "collect", "things")),
    (10, Setting(PEOPLE, "buys", "buy", "things")),
    (4, Setting(PEOPLE, "saves", "save", "dollars", largest=200)),
    (4, Setting(PEOPLE, "earns", "earn", "dollars", largest=200)),
    (4, Setting(PEOPLE, "has", "have", "dollars", largest=200)),
    (4, Setting(PEOPLE, "walks", "walk", "km", largest=40)),
    (4, Setting(PEOPLE, "runs", "run", "km", largest=40)),
    (4, Setting(PEOPLE, "rides", "ride", "km", largest=40)),
    (3, Setting(PEOPLE, "reads", "read", "pages")),
    (3, Setting(PEOPLE, "works", "work", "hours")),
    (3, Setting(PEOPLE, "picks", "pick", "kg")),
    (11, Setting(CITIES, "is at", "are at", "degrees", smallest=-20, largest=25)),
    (7, Setting(TEAMS, "have", "have", "points", smallest=-15, largest=40)),
)


def small(setting: Setting) -> Setting:
    """The same with numbers that a small model can learn to calculate with."""
    lowest, highest = max(setting.smallest, -9), min(setting.largest, 12)
    return replace(setting, smallest=lowest, largest=highest, step=9)


def draw_setting(rng: random.Random) -> Setting:
    """A setting with its names in random order."""
    (setting,) = rng.choices([setting for _, setting in SETTINGS], [share for share, _ in SETTINGS])
    unit = rng.choice(THINGS) if setting.unit == "things" else setting.unit
    return replace(setting, who=tuple(rng.sample(setting.who, len(setting.who))), unit=unit)
