"""The generator knows the truth, and the teacher's executed code agrees with it, always."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.arithmetic.exercise import Family
from genprm.arithmetic.mistakes import Mistake
from genprm.arithmetic.problems import Split, exercise, split_of
from genprm.arithmetic.teacher import rationales

seeds = st.integers(0, 2**31)


@settings(max_examples=300, deadline=None)
@given(seeds, st.sampled_from(Family))
def test_execution_finds_the_first_error_that_the_generator_made(seed: int, family: Family) -> None:
    drawn = exercise(seed, 0, Split.TRAIN, family=family)
    judged = [rationale.correct for rationale in rationales(drawn, random.Random(seed))]
    assert len(judged) == len(drawn.steps) == len(drawn.claims)
    assert drawn.first_error == (judged.index(False) if False in judged else -1)
    assert (drawn.first_error == -1) == (drawn.kind is None)


@settings(deadline=None)
@given(seeds)
def test_exercises_are_the_same_from_the_same_seed(seed: int) -> None:
    assert exercise(seed, 3, Split.HELD_OUT) == exercise(seed, 3, Split.HELD_OUT)


def test_training_and_held_out_problems_never_meet() -> None:
    for split in Split:
        assert {split_of(exercise(0, index, split).problem) for index in range(30)} == {split}


def test_about_half_are_right_and_every_kind_of_mistake_occurs() -> None:
    drawn = [exercise(1, index, Split.TRAIN) for index in range(600)]
    kinds = Counter(item.kind for item in drawn)
    assert 0.4 < kinds[None] / len(drawn) < 0.6
    assert set(kinds) == {None, *Mistake}


def test_steps_span_the_stated_range() -> None:
    stories = [exercise(2, index, Split.TRAIN, family=Family.STORY) for index in range(200)]
    assert {len(story.steps) for story in stories} == set(range(2, 9))


def test_a_right_solution_states_the_answer() -> None:
    for index in range(100):
        drawn = exercise(3, index, Split.TRAIN)
        if drawn.first_error == -1:
            assert drawn.answer in drawn.steps[-1]


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_block_written_again_after_a_slip_finds_the_same(seed: int) -> None:
    drawn = exercise(seed, 1, Split.TRAIN)
    plain = rationales(drawn, random.Random(seed))
    slipped = rationales(drawn, random.Random(seed), slips=1.0)
    assert [rationale.correct for rationale in slipped] == [r.correct for r in plain]
    for rationale in slipped:
        assert rationale.slip is None or rationale.slip.output.startswith("Code execute Error: ")
