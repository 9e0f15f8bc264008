"""Chats say what judging would have written, and know who writes it."""

import re
from collections.abc import Generator
from typing import Any

import pytest

from genprm.curate.chats import chat, chat_rows, turns, usable
from genprm.model import Choice, Completion, Finish
from genprm.records.chats import Author
from genprm.records.critiques import Block, Critique, Paragraph
from genprm.records.curation import ConsensusRow
from genprm.sandbox import RunResult, RunStatus
from genprm.verdict import Vote
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.session import vote_on_step
from genprm.verify.turn import Execute, Generate, Judge, Limits

CRITIQUE = Critique(
    (
        Paragraph("One and one.", (Block("Look:", "print(1 + 1)", "2", "ok"),), "It is 2.", True),
        Paragraph(
            "Two and one.",
            (
                Block("", "x = 2 + 1", "", "ok"),
                Block("Now compare:", "print(x == 4)", "False", "ok"),
            ),
            "It is not.",
            False,
        ),
    )
)
STEPS = ("Step 1: 1 + 1 = 2.", "Step 2: 2 + 1 = 4.", "Step 3: never judged.")
LABELS = [True, False, False]
MODES = [mode for mode in Mode if mode is not Mode.CRITIQUE]  # which has no turns of steps


@pytest.mark.parametrize("mode", MODES)
def test_a_turn_is_what_the_session_would_have_written(mode: Mode) -> None:
    """Dictate the model's pieces to a real session: the vote's text is the turn."""
    for number, pieces in enumerate(turns(CRITIQUE, LABELS, mode), start=1):
        session = vote_on_step(
            "prompt",
            step=number,
            mode=mode,
            limits=Limits(),
            context_length=10_000,
            prompt_format=PromptFormat(),
            literal=str,
        )
        written = [piece.text for piece in pieces if piece.author is Author.MODEL]
        outputs = [
            block.output for block in CRITIQUE.paragraphs[number - 1].blocks if mode.executes
        ]
        vote = dictate(session, written, outputs)
        assert vote.text == "".join(piece.text for piece in pieces)
        assert vote.label is CRITIQUE.paragraphs[number - 1].correct
        assert not vote.flags


def dictate(session: Generator[Any, Any, Vote], written: list[str], outputs: list[str]) -> Vote:
    """Answer the session from a script: text for text, output for output, the last for judging."""
    action = next(session)
    try:
        while True:
            match action:
                case Generate(_, stop, _):
                    text = written.pop(0)
                    end = next(end for end in stop if end in text)
                    head, _, rest = text.partition(end)
                    if rest:  # the session stops sooner than the piece ends
                        written.insert(0, rest)
                    action = session.send(Completion(head, Finish.STOP, end, 1, 1))
                case Execute():
                    action = session.send(RunResult(outputs.pop(0), RunStatus.OK))
                case Judge():
                    odds = {"Yes": 0.0, "No": -9.0} if written[0] == "Yes" else {"No": 0.0}
                    action = session.send(Choice(odds))
    except StopIteration as end:
        vote: Vote = end.value
        return vote


@pytest.mark.parametrize("mode", MODES)
def test_pieces_sum_to_the_messages_and_outputs_are_the_sandboxes(mode: Mode) -> None:
    row = ConsensusRow(
        key="p/0",
        problem="p",
        steps=STEPS,
        labels=tuple(LABELS),
        cause=None,
        sample=0,
        critique=CRITIQUE,
    )
    (found,) = chat_rows([row], {"p": "1 + 1 + 1"}, [mode])
    assert found.labels == (True, False)
    roles = [message.role for message in found.messages]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    for index, message in enumerate(found.messages):
        stretches = list(found.stretches(index))
        assert "".join(text for _, text in stretches) == message.content
        assert all(text for _, text in stretches)
        assert all((author == "user") == (message.role != "assistant") for author, _ in stretches)
        outputs = re.findall(r"\[Code Output\]\n\n```\n.*?\n```\n", message.content, re.DOTALL)
        assert [text for author, text in stretches if author is Author.SANDBOX] == outputs
        assert bool(outputs) == (mode.executes and message.role == "assistant")


def test_the_first_turn_asks_the_question() -> None:
    messages = chat("1 + 1 + 1", STEPS, turns(CRITIQUE, LABELS, Mode.GENPRM), Mode.GENPRM)
    (_, (first,)), (_, (second,)) = messages[1], messages[3]
    assert first.text == "Question: 1 + 1 + 1\n\nStep 1: 1 + 1 = 2."
    assert second.text == "Step 2: 2 + 1 = 4."


def test_modes_with_code_need_code_for_every_step() -> None:
    silent = Critique((Paragraph("Fine.", (), "", True),))
    assert [mode for mode in MODES if usable(silent, mode)] == [Mode.COT, Mode.DIRECT]


def test_direct_mode_takes_the_scores_labels() -> None:
    unfiltered = turns(CRITIQUE, [True, True, True], Mode.DIRECT)
    assert ["".join(p.text for p in pieces) for pieces in unfiltered] == [r"\boxed{Yes}"] * 3
