"""The prompt for models that were not trained to verify, and when it is suggested."""

from genprm.cli.terminal.unreadable import Unreadable
from genprm.verdict import Flag, Vote
from genprm.verify.format import FORMAT_STATED, JUDGEMENT_OPEN, Mode, PromptFormat


def test_the_format_is_stated_and_the_checkpoints_prompt_is_unchanged() -> None:
    general, usual = PromptFormat(general=True), PromptFormat()
    for mode in Mode:
        ours, theirs = (form.messages("p", ["s"], [], mode=mode) for form in (general, usual))
        assert ours[1:] == theirs[1:]
        stated = "" if mode is Mode.DIRECT else FORMAT_STATED
        assert ours[0]["content"] == theirs[0]["content"] + stated
    assert JUDGEMENT_OPEN + "No}$\n</output>" in FORMAT_STATED
    assert (general.marks_assistant, usual.marks_assistant) == (True, False)


def test_a_thought_that_the_template_begins_is_closed() -> None:
    general = PromptFormat(general=True)
    assert general.opened("<assistant><think>\n") == "<assistant><think>\n\n</think>\n\n"
    assert general.opened("<assistant>\n") == "<assistant>\n"
    assert PromptFormat().opened("<assistant><think>\n") == "<assistant><think>\n"


def test_it_is_suggested_where_most_votes_are_unreadable() -> None:
    unread = Vote(None, "", flags=(Flag.UNREADABLE,), label_mass=0.004)
    read = Vote(0.9, "", label_mass=0.95)
    votes = Unreadable()
    assert votes.hint == ""
    votes.add([read, unread])
    assert votes.hint == ""
    votes.add([unread])
    hint = votes.hint
    assert hint.startswith("2 of 3 votes are unreadable: Yes and No together")
    assert "0.004" in hint
    assert hint.endswith("fix: add --prompt general")
