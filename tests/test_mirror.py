"""Runs that are copied to a store while they grow: cut off, gone on with here, and elsewhere."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from genprm.errors import JournalError
from genprm.mirror import PARTS, Mirror
from genprm.object_store import ObjectStore

URL = "memory://bucket/run"
Move = Callable[[str], None]


class CutOff(Exception):
    """The command ends in the middle."""


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    pytest.importorskip("fsspec")
    found = ObjectStore(URL)
    yield found
    found.remove(list(found.sizes()))


@pytest.fixture
def move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Move:
    """To another machine: what lies on the disk of this one is not there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "first"))
    return lambda name: monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / name))


def mirror(store: ObjectStore, *names: str) -> Mirror:
    return Mirror(URL, store, names, every=1000.0)  # copies are made when a test says so


def add(file: Path, text: str) -> None:
    with file.open("a") as rows:
        rows.write(text)


def cut_off_after(store: ObjectStore, work: Callable[[Mirror], None]) -> None:
    with contextlib.suppress(CutOff), mirror(store) as run:
        work(run)
        raise CutOff


@pytest.fixture
def cut_off(store: ObjectStore, move: Move) -> ObjectStore:
    lost = ObjectStore(URL)

    def fail(name: str, data: bytes) -> None:
        raise OSError(0, "no network")

    def work(run: Mirror) -> None:
        (run.folder / "rows.jsonl.run.json").write_text("spec")
        add(run.folder / "rows.jsonl", "1\n")
        run.copy()
        add(run.folder / "rows.jsonl", "2\n{torn")
        run.copy()
        lost.write = fail  # type: ignore[method-assign]
        add(run.folder / "rows.jsonl", " no more}\n3\n")

    cut_off_after(lost, work)
    return store


def test_a_run_that_was_cut_off_goes_on_here_with_every_row(cut_off: ObjectStore) -> None:
    with mirror(cut_off) as run:
        rows = run.folder / "rows.jsonl"
        assert rows.read_text() == "1\n2\n{torn no more}\n3\n"
        add(rows, "4\n")
    assert set(cut_off.sizes()) == {"rows.jsonl", "rows.jsonl.run.json"}
    assert cut_off.read("rows.jsonl") == b"1\n2\n{torn no more}\n3\n4\n"
    assert not run.folder.exists()


def test_elsewhere_it_goes_on_with_what_was_copied(cut_off: ObjectStore, move: Move) -> None:
    move("second")
    with mirror(cut_off) as run:
        assert (run.folder / "rows.jsonl").read_text() == "1\n2\n"
        assert (run.folder / "rows.jsonl.run.json").read_text() == "spec"
        add(run.folder / "rows.jsonl", "5\n")
        run.copy()
    assert cut_off.read("rows.jsonl") == b"1\n2\n5\n"
    move("first")  # the first machine comes back, and takes what has been finished meanwhile
    with mirror(cut_off) as run:
        assert (run.folder / "rows.jsonl").read_text() == "1\n2\n5\n"


def test_rows_put_into_order_replace_their_parts_and_may_grow_again(
    store: ObjectStore, move: Move
) -> None:
    def work(run: Mirror) -> None:
        rows = run.folder / "rows.jsonl"
        add(rows, "b\na\n")
        run.copy()
        ordered = run.folder / "rows.jsonl.ordered"
        ordered.write_text("a\nb\n")
        ordered.replace(rows)
        run.copy()
        assert store.read("rows.jsonl") == b"a\nb\n"
        assert not store.sizes(f"{PARTS}/rows.jsonl")
        add(rows, "c\n")

    cut_off_after(store, work)
    assert store.sizes(f"{PARTS}/rows.jsonl")
    move("second")
    with mirror(store) as run:
        assert (run.folder / "rows.jsonl").read_text() == "a\nb\nc\n"
    assert store.read("rows.jsonl") == b"a\nb\nc\n"


def test_files_that_are_removed_are_removed_there(store: ObjectStore, move: Move) -> None:
    with mirror(store) as run:
        add(run.folder / "rows.jsonl", "1\n")
        add(run.folder / "done.json", "{}")
        run.copy()
        (run.folder / "rows.jsonl").unlink()
        (run.folder / "done.json").unlink()
        add(run.folder / "other.json", "{}")
    assert store.sizes() == {"other.json": 2}


def test_other_files_beside_a_run_are_left_alone(store: ObjectStore, move: Move) -> None:
    store.write("another.jsonl", b"of another run\n")
    with mirror(store, "rows.jsonl", "rows.jsonl.run.json") as run:
        assert not (run.folder / "another.jsonl").exists()
        add(run.folder / "rows.jsonl", "1\n")
    assert store.read("another.jsonl") == b"of another run\n"
    assert store.read("rows.jsonl") == b"1\n"


def test_a_run_that_another_machine_took_over_is_no_longer_copied(
    store: ObjectStore, move: Move
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(mirror(store))
        add(first.folder / "rows.jsonl", "1\n")
        first.copy()
        move("second")
        with mirror(store) as second:
            add(second.folder / "rows.jsonl", "2\n")
        add(first.folder / "rows.jsonl", "3\n")
        with pytest.raises(JournalError, match="has taken this run over; fix: "):
            stack.close()
    assert store.read("rows.jsonl") == b"1\n2\n"
    assert (first.folder / "rows.jsonl").read_text() == "1\n3\n"


def test_two_commands_on_one_machine_do_not_share_a_run(store: ObjectStore, move: Move) -> None:
    with (
        mirror(store),
        pytest.raises(JournalError, match="is being written by another process"),
        mirror(store),
    ):
        pass
