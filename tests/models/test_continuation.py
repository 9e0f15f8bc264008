import itertools

from hypothesis import given
from hypothesis import strategies as st

from genprm.models.continuation import Continuation

letters = st.text("ab`\né", max_size=30)
stops = st.lists(st.text("ab`\né", min_size=1, max_size=4), max_size=3)


def read(pieces: list[bytes], stop_strings: list[str]) -> tuple[str, str | None]:
    continuation = Continuation(stop_strings)
    for piece in pieces:
        if continuation.feed(piece):
            break
    return continuation.text, continuation.stop


@given(letters, stops, st.lists(st.integers(0, 60), max_size=8))
def test_the_cut_does_not_depend_on_how_the_text_is_split(
    text: str, stop_strings: list[str], cuts: list[int]
) -> None:
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in itertools.pairwise(edges)]
    assert read(pieces, stop_strings) == read([data], stop_strings)


@given(letters, stops)
def test_what_is_kept_precedes_the_stop_and_holds_none(text: str, stop_strings: list[str]) -> None:
    kept, stop = read([text.encode()], stop_strings)
    assert text.startswith(kept + (stop or ""))
    assert not any(s in kept for s in stop_strings)
    if stop is None:
        assert kept == text


def test_a_token_may_hold_more_than_the_stop() -> None:
    assert read([b"7. </ana", b"lyze>\n<verify>"], ["</analyze>\n"]) == ("7. ", "</analyze>\n")


def test_first_complete_wins_and_the_longest_of_a_tie() -> None:
    assert read([b"x</a>\n"], ["</a>\n", "</a>"]) == ("x", "</a>")
    assert read([b"x```\n"], ["`\n", "```\n"]) == ("x", "```\n")


def test_invalid_bytes_become_replacement_characters() -> None:
    assert read([b"a\xe6\x97"], []) == ("a�", None)
