"""Splitting texts into steps."""

from hypothesis import given
from hypothesis import strategies as st

from genprm.problem import split_steps


def test_step_markers_stay_in_the_text() -> None:
    text = "Step 1: Add.\n1 + 1 = 2\n\nStep 2: Double.\n\nIt is 4.\nStep 3: Done."
    assert split_steps(text) == (
        "Step 1: Add.\n1 + 1 = 2",
        "Step 2: Double.\n\nIt is 4.",
        "Step 3: Done.",
    )


def test_paragraphs_without_markers() -> None:
    assert split_steps("First.\nStill first.\n\n \nSecond.\n") == (
        "First.\nStill first.",
        "Second.",
    )


def test_lines_where_there_are_no_paragraphs() -> None:
    assert split_steps("First.\nSecond.") == ("First.", "Second.")


def test_display_math_is_kept_whole() -> None:
    text = "So\n\\[\nx = 1\n\n+ 2\n\\]\n\nDone. $$a\n\nb$$\n\nEnd."
    assert split_steps(text) == ("So\n\\[\nx = 1\n\n+ 2\n\\]", "Done. $$a\n\nb$$", "End.")


def test_an_empty_text_has_no_steps() -> None:
    assert split_steps(" \n\n ") == ()


@given(st.text(alphabet="ab1 .\n\\[]$SteP:", max_size=200))
def test_only_white_space_is_lost(text: str) -> None:
    assert "".join("".join(split_steps(text)).split()) == "".join(text.split())


@given(st.lists(st.from_regex(r"[a-z][a-z .]{0,20}[a-z]", fullmatch=True), min_size=2))
def test_joined_paragraphs_come_back(paragraphs: list[str]) -> None:
    assert split_steps("\n\n".join(paragraphs)) == tuple(paragraphs)
