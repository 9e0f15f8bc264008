"""The scripted teacher on solutions that it did not write."""

import random

import pytest

from genprm.arithmetic.critic import chain, critique
from genprm.arithmetic.exercise import Family
from genprm.arithmetic.problems import Split, exercise


def judged(exercise_labels: list[bool]) -> int:
    return exercise_labels.index(False) if False in exercise_labels else -1


@pytest.mark.parametrize("wrong", [0.0, 1.0])
def test_it_finds_the_generators_first_error_in_the_text_alone(wrong: float) -> None:
    for index in range(60):
        drawn = exercise(11, index, Split.TRAIN, wrong_share=wrong)
        steps = [f"Step {number}: {step}" for number, step in enumerate(drawn.steps, 1)]
        found = critique(drawn, steps, random.Random(index))
        assert found is not None
        assert judged([rationale.correct for rationale in found]) == drawn.first_error


def test_its_errors_come_at_the_stated_rate() -> None:
    missed = 0
    for index in range(240):
        drawn = exercise(12, index, Split.TRAIN)
        found = critique(drawn, drawn.steps, random.Random(index), errors=0.25)
        labels = [rationale.correct for rationale in found or []]
        missed += judged(labels) != drawn.first_error
    assert 40 < missed < 80


def test_a_step_that_is_no_chain_is_not_judged() -> None:
    drawn = exercise(11, 0, Split.TRAIN, wrong_share=0.0)
    assert critique(drawn, ["Step 1: I do not know."], random.Random(0)) is None


@pytest.mark.parametrize("whole", ["A - (B", "A + C", "A - B) + A"])
def test_a_combination_that_is_none_is_not_judged(whole: str) -> None:
    drawn = exercise(11, 1, Split.TRAIN, family=Family.NESTED, wrong_share=0.0)
    opening = f'This equation can be written as "{whole}", where A = (1 + 2) and B = (3 - 4).'
    assert critique(drawn, [opening, *drawn.steps[1:]], random.Random(0)) is None


@pytest.mark.parametrize(
    ("step", "links"),
    [
        ("Now Sam picks (48.75 / 2) = 24.375 kg.", ("(48.75 / 2)", "24.375")),
        ("Ben: 25 × 7 + 32 = 175 + 32 = 207", ("25 * 7 + 32", "175 + 32", "207")),
        ("Finally, the total is 10.4. So the answer is 10.4.", ("10.4",)),
        ("For A: A = (-9 - 5) = -14.", ("(-9 - 5)", "-14")),
        ("B is 2 ** 9999 = 4.", ()),
        ("C is 1 / 0 = 4.", ()),
    ],
)
def test_chains(step: str, links: tuple[str, ...]) -> None:
    assert chain(step) == links
