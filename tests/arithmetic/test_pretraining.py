"""The streams behind the shipped models, and training on several workers at once."""

import os
import re
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.answer import extract_answer
from genprm.arithmetic.problems import EASY_NUMBER, EASY_STEPS, Split, easy_exercise, split_of
from training.arithmetic.chats import TURN_OPEN
from training.arithmetic.drills import ROWS, drill_chat
from training.arithmetic.policy_chats import policy_chat
from training.arithmetic.stable_chats import shortened
from training.arithmetic.verifier_chats import verifier_chat

NUMBERS = st.integers(0, 10**6)
few = settings(max_examples=15, deadline=None)


@few
@given(NUMBERS, st.sampled_from(Split))
def test_an_easy_problem_is_small_right_and_of_its_split(index: int, split: Split) -> None:
    drawn = easy_exercise(7, index, split)
    numbers = re.findall(r"\d+", " ".join([drawn.problem, *drawn.steps]))
    assert all(int(number) <= EASY_NUMBER for number in numbers)
    assert len(drawn.steps) <= EASY_STEPS
    assert drawn.first_error == -1
    assert extract_answer(drawn.steps[-1]) == drawn.answer
    assert split_of(drawn.problem) is split


@few
@given(NUMBERS)
def test_drills_are_right_and_only_their_results_are_learned(number: int) -> None:
    _, *rows, _ = drill_chat(number)
    tasks, results = rows[::2], rows[1::2]
    assert len(tasks) == ROWS
    for task, result in zip(tasks, results, strict=True):
        assert eval(task.text.removesuffix(" =")) == int(result.text)
        assert result.learned
        assert not task.learned


@few
@given(NUMBERS)
def test_a_policy_learns_from_its_last_answer_only(number: int) -> None:
    *before, answer = policy_chat(number)
    assert answer.learned
    assert answer.text.startswith("Step 1: ")
    assert not any(piece.learned for piece in before)


@few
@given(NUMBERS, st.integers(1, 3))
def test_a_shortened_chat_is_the_beginning_of_the_whole_one(number: int, turns: int) -> None:
    whole = verifier_chat(number)
    short = shortened(whole, turns)
    opened = [piece for piece in short if piece.text.startswith(f"{TURN_OPEN}user")]
    assert short == whole[: len(short)]
    assert len(opened) == turns or short == whole


WORKER = """
import sys
import torch
import torch.distributed as dist
from training.arithmetic.training import Recipe, average_gradients, build_model

folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
model = build_model(Recipe(hidden=64, layers=1, feed_forward=64), 32)
for parameter in model.parameters():
    parameter.grad = torch.full_like(parameter, float(rank))
average_gradients(model)
print(*{float(value) for p in model.parameters() for value in p.grad.flatten()[:1]})
"""


def test_workers_share_their_gradients(tmp_path: Path) -> None:
    words = [sys.executable, "-c", WORKER, str(tmp_path)]
    loopback = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen([*words, rank], stdout=subprocess.PIPE, text=True, env=loopback)
        for rank in "01"
    ]
    assert [worker.communicate()[0] for worker in workers] == ["0.5\n", "0.5\n"]
