"""Training chats are the wire format, learned only where the model writes."""

import random
from dataclasses import replace

import jinja2
import pytest

from genprm.arithmetic.problems import Split, exercise
from genprm.arithmetic.slips import Slip
from genprm.arithmetic.teacher import Rationale
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat
from training.arithmetic.chats import assistant_turn, draw_chat
from training.arithmetic.tokenizer import CHAT_TEMPLATE

RATIONALE = Rationale("So A = 3.", "print(3 == A)", "True", "All equal.", correct=True)


@pytest.mark.parametrize(
    ("mode", "learned"),
    [
        (Mode.GENPRM, "So A = 3.\n</analyze>\n|print(3 == A)\n```\n|All equal.\n|</verify>\n|Yes"),
        (Mode.COT, "So A = 3.\n</analyze>\n|Yes"),
        (Mode.CODE, "print(3 == A)\n```\n|All equal.\n|</verify>\n|Yes"),
        (Mode.NO_EXEC, "So A = 3.\n</analyze>\n|print(3 == A)\n```\n|</verify>\n|Yes"),
        (Mode.DIRECT, "Yes"),
    ],
)
def test_loss_falls_on_what_the_model_writes(mode: Mode, learned: str) -> None:
    pieces = list(assistant_turn(RATIONALE, 2, mode))
    assert "|".join(piece.text for piece in pieces if piece.learned) == learned


def test_output_follows_the_block_in_the_words_of_the_wire_format() -> None:
    text = "".join(piece.text for piece in assistant_turn(RATIONALE, 2, Mode.GENPRM))
    assert text.startswith(wire.analyze_open(2))
    assert f"print(3 == A){wire.FENCE_CLOSE}{wire.code_output('True')}" in text
    assert wire.JUDGEMENT_OPEN + "Yes" + wire.JUDGEMENT_CLOSE in text


@pytest.mark.parametrize("index", range(8))
def test_a_chat_is_what_the_driver_would_have_rendered(index: int) -> None:
    text = "".join(
        piece.text for piece in draw_chat(exercise(0, index, Split.TRAIN), random.Random(index))
    )
    template = jinja2.Environment().from_string(CHAT_TEMPLATE)
    turns = [turn for turn in text.split("<|im_end|>\n") if turn]
    said = [turn for turn in turns if not turn.startswith("<|im_start|>")]
    users = [
        turn.removeprefix("<|im_start|>user\n")
        for turn in turns
        if turn.startswith("<|im_start|>user")
    ]
    mode = Mode.DIRECT if "directly" in turns[0] else Mode.GENPRM
    problem, first = users[0].removeprefix("Question: ").split("\n", 1)
    prompts = PromptFormat(question_prefix=users[0].startswith("Question: "))
    steps = [first.strip("\n"), *users[1:]]
    messages = [
        *prompts.messages(problem, steps, said[:-1], mode=mode),
        {"role": "assistant", "content": said[-1]},
    ]
    assert template.render(messages=messages) == text


def test_failed_code_is_shown_but_not_learned() -> None:
    slip = Slip("print(3 = A)", "Code execute Error: SyntaxError: invalid syntax")
    slipped = replace(RATIONALE, slip=slip, excuse="Again:")
    pieces = list(assistant_turn(slipped, 2, Mode.CODE))
    learned = "|".join(piece.text for piece in pieces if piece.learned)
    assert learned.startswith(f"Again:\n{wire.FENCE_OPEN}|print(3 == A)\n```\n|")
    assert slip.code + wire.FENCE_CLOSE + wire.code_output(slip.output) in "".join(
        piece.text for piece in pieces
    )
