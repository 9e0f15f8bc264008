"""The prompt for models that were not trained to verify, and when it is suggested."""

from math import log

import pytest

from genprm.cli.terminal.abstentions import Abstentions
from genprm.model import Choice, Completion, Finish
from genprm.verdict import Flag, Vote
from genprm.verify.format import FORMAT_STATED, JUDGEMENT_OPEN, Mode, PromptFormat, without_thought
from genprm.verify.session import vote_on_step
from genprm.verify.turn import Generate, Limits, Stage


def test_the_format_is_stated_and_the_checkpoints_prompt_is_unchanged() -> None:
    general, usual = PromptFormat(general=True), PromptFormat()
    for mode in Mode:
        ours, theirs = (form.messages("p", ["s"], [], mode=mode) for form in (general, usual))
        assert ours[1:] == theirs[1:]
        stated = "" if mode is Mode.DIRECT else FORMAT_STATED
        assert ours[0]["content"] == theirs[0]["content"] + stated
    assert JUDGEMENT_OPEN + "No}$\n</output>" in FORMAT_STATED
    assert (general.marks_assistant, usual.marks_assistant) == (True, False)


THINKING = "<assistant><think>\n"


def thinking(general: bool = True, **limits: int) -> Stage[Vote]:
    return vote_on_step(
        THINKING,
        step=1,
        mode=Mode.COT,
        limits=Limits(**limits),
        context_length=1000,
        prompt_format=PromptFormat(general=general),
        literal=str,
    )


def test_a_thought_has_a_bound_of_its_own_and_does_not_join_the_history() -> None:
    vote = thinking(tokens=40, thought_tokens=300)
    thought = next(vote)
    assert thought == Generate(THINKING, ("</think>",), 300)
    turn = vote.send(Completion("It is.\n", Finish.STOP, "</think>", 10, 200))
    assert isinstance(turn, Generate)
    assert turn.prompt.startswith(THINKING + "It is.\n</think>\n\n<analyze>\n")
    assert turn.max_tokens == 40
    vote.send(Completion("Right.", Finish.STOP, "</analyze>\n", 210, 40))
    with pytest.raises(StopIteration) as ended:
        vote.send(Choice({"Yes": log(0.9)}))
    cast = ended.value.value
    assert (cast.flags, cast.usage.tokens_out) == ((), 241)
    assert cast.text.startswith("<think>It is.\n</think>\n\n<analyze>\n")
    assert without_thought(cast.text).startswith("<analyze>\n")


def test_a_thought_without_end_is_closed_and_the_turn_goes_on() -> None:
    vote = thinking(thought_tokens=50)
    next(vote)
    turn = vote.send(Completion("Hm, wait", Finish.LENGTH, None, 10, 50))
    assert isinstance(turn, Generate)
    assert turn.prompt.startswith(THINKING + "Hm, wait\n</think>\n\n<analyze>\n")
    vote.send(Completion("Right.", Finish.STOP, "</analyze>\n", 70, 3))
    with pytest.raises(StopIteration) as ended:
        vote.send(Choice({"Yes": log(0.9)}))
    assert ended.value.value.flags == (Flag.THOUGHT_CUT,)


def test_no_thought_where_none_is_allowed_or_the_prompt_is_the_checkpoints() -> None:
    first, usual = next(thinking(thought_tokens=0)), next(thinking(general=False))
    assert isinstance(first, Generate)
    assert isinstance(usual, Generate)
    assert first.prompt.startswith(THINKING + "\n</think>\n\n<analyze>")
    assert usual.prompt.startswith(THINKING + "<analyze>")


def test_it_is_suggested_where_most_votes_are_unreadable() -> None:
    unread = Vote(None, "", flags=(Flag.UNREADABLE,), label_mass=0.004, likeliest=(" The", "1"))
    read = Vote(0.9, "", label_mass=0.95)
    votes = Abstentions()
    assert votes.hint == ""
    votes.add([read, unread])
    assert votes.hint == ""
    votes.add([unread])
    hint = votes.hint
    assert hint.startswith("2 of 3 votes are unreadable: Yes and No together")
    assert "0.004 on average (most probable instead: ' The')" in hint
    assert hint.endswith("fix: add --prompt general; more: genprm explain unreadable-votes")


def test_a_higher_limit_is_suggested_where_most_votes_are_cut_off() -> None:
    votes = Abstentions()
    votes.add([Vote(None, "", flags=(Flag.TRUNCATED,))] * 2 + [Vote(0.9, "", label_mass=0.95)])
    assert votes.hint.startswith("2 of 3 votes reached the token limit")
    assert votes.hint.endswith("fix: raise --max-tokens")
