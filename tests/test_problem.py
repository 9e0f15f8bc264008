"""Splitting texts into steps."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.markup import protected_spans
from genprm.problem import pieces, split_steps
from genprm.step_marker import step_markers


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


@pytest.mark.parametrize(
    "line",
    [
        "Step 1: a", "**Step 1:** a", "**Step 1**: a", "### Step 1", "### Step 1: Add",
        "Step 1. Add",
        "#### **Step 1**", "- **Step 1:** a", "Step 1 (adding): a", "STEP 1:",
        "Step 1 - add", "Step 1",
    ],
)  # fmt: skip
def test_a_step_marker_in_any_dress(line: str) -> None:
    assert [marker.number for marker in step_markers(line)] == [1]
    first, second = f"{line}\nsome work", f"{line.replace('1', '2')}\nmore work"
    assert split_steps(f"{first}\n\n{second}") == (first, second)


@pytest.mark.parametrize(
    "line",
    [
        "Step 1 gave 5",
        "Step 1, which",
        "Step 1's sum",
        "Step 1.5 of",
        "Steps 1 and 2:",
        "Step 1-2 are",
    ],
)
def test_a_mention_of_a_step_is_no_marker(line: str) -> None:
    assert not list(step_markers(line))


@pytest.mark.parametrize(
    "whole",
    [
        "```python\na = 1\n\nb = 2\n```",
        "~~~\na\n\n```\n\nb\n~~~",
        "````\n```\n\n```\n````",
        "\\begin{align*}\na &= 1 \\\\[4pt]\n\nb &= 2\n\\end{align*}",
        "$$\nx\n\ny\n$$",
        "```\nStep 1: a\nStep 2: b\n```",
    ],
)
def test_code_and_display_mathematics_stay_whole(whole: str) -> None:
    assert split_steps(f"First.\n\n{whole}\n\nLast.") == ("First.", whole, "Last.")


def test_a_fence_behind_a_label_and_code_within_a_line() -> None:
    first = "Step 1: ```python\na = 1\n\nStep 2: no step\n```"
    assert split_steps(f"{first}\nStep 2: b") == (first, "Step 2: b")
    assert split_steps("Write `$$` for it.\n\nIt costs $$ 5.") == (
        "Write `$$` for it.",
        "It costs $$ 5.",
    )


@pytest.mark.parametrize("open_end", ["$$", "\\[", "```", "\\begin{cases}", "~~~"])
def test_what_is_never_closed_swallows_nothing(open_end: str) -> None:
    text = f"Cost\n{open_end} five.\n\nThen 3.\n\nThen 8."
    assert split_steps(text) == (f"Cost\n{open_end} five.", "Then 3.", "Then 8.")


def test_row_spacing_is_no_display_mathematics() -> None:
    assert len(split_steps("a \\\\[2pt] b\n\nc\n\nd")) == 3


@given(st.text(alphabet="a1 \n`~$\\[]{}#*:", max_size=200))
def test_pieces_joined_are_the_text(text: str) -> None:
    spans = protected_spans(text)
    assert "".join(pieces(text, sorted({span.start for span in spans}))) == text
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(st.text(alphabet="Step 12:\n`a$\r", max_size=200))
def test_splitting_again_changes_nothing_that_was_marked(text: str) -> None:
    steps = split_steps(text)
    assert all(step == step.strip() and step for step in steps)
    assert "".join("".join(steps).split()) == "".join(text.split())
