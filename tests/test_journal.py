"""Runs that survive: torn lines, other settings, other processes, full disks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.errors import JournalError
from genprm.journal import Journal
from genprm.records.failures import FailedRow
from genprm.records.record import Row
from genprm.records.run_spec import RunSpec

SPEC = RunSpec(command="test", settings={"votes": 8, "sampling": {"seed": 0, "mode": "genprm"}})


class Line(Row):
    """A row of these tests."""

    KEY: ClassVar[str] = "row"

    row: int
    text: str = ""


def write(path: Path, keys: list[int], order: list[int] | None = None) -> None:
    with Journal(path, SPEC, Line) as journal:
        for key in keys:
            if key not in journal:
                journal.append(Line(row=key, text=f"é{key}"))
        journal.finish(order or keys)


@settings(deadline=None)  # the first example imports what the others find loaded
@given(
    finish_order=st.permutations(range(6)),
    killed_after=st.integers(0, 6),
    torn=st.integers(0, 100),
)
def test_a_run_killed_anywhere_ends_as_an_unbroken_one(
    finish_order: list[int], killed_after: int, torn: int
) -> None:
    with TemporaryDirectory() as folder:
        whole, broken = Path(folder, "whole.jsonl"), Path(folder, "broken.jsonl")
        write(whole, list(range(6)))
        with Journal(broken, SPEC, Line) as journal:
            for key in finish_order[:killed_after]:
                journal.append(Line(row=key, text=f"é{key}"))
        kept = broken.read_bytes()
        broken.write_bytes(kept[: max(0, len(kept) - torn)])
        write(broken, list(range(6)))
        assert broken.read_bytes() == whole.read_bytes()


def test_finished_rows_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [0])
    path.write_text('{"row": 0,   "text": "as it was"}\n{"row": 1, "te')
    write(path, [0, 1])
    assert path.read_text().splitlines()[0] == '{"row": 0,   "text": "as it was"}'


def test_rows_are_put_into_order_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [2, 0, 1], order=[0, 1, 2])
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [0, 1, 2]


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [0])
    other = RunSpec(
        command="test", settings={"votes": 4, "sampling": {"seed": 1, "mode": "genprm"}}
    )
    changed = r"settings\.sampling\.seed was 0 and is 1; settings\.votes was 8 and is 4"
    with pytest.raises(JournalError, match=changed):
        Journal(path, other, Line).__enter__()
    write(path, [0, 1])


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("chapter 1")
    with pytest.raises(JournalError, match="not written by a resumable run"):
        Journal(path, SPEC, Line).__enter__()
    assert path.read_text() == "chapter 1"
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [0, 1])
    path.write_text("garbage\n" + path.read_text())
    with pytest.raises(JournalError, match=r"out\.jsonl: line 1: not a row of this run"):
        Journal(path, SPEC, Line).__enter__()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Journal(path, SPEC, Line), pytest.raises(JournalError, match="another process"):
        Journal(path, SPEC, Line).__enter__()


def test_a_row_is_written_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl", SPEC, Line) as journal:
        journal.append(Line(row=0))
        with pytest.raises(JournalError, match="stored already"):
            journal.append(Line(row=0))


def test_a_full_disk_keeps_what_was_finished(tmp_path: Path) -> None:
    """`RLIMIT_FSIZE` stands for the disk: the write that does not fit fails in its middle."""
    path = tmp_path / "out.jsonl"
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from genprm.journal import Journal\n"
        "from test_journal import SPEC, Line\n"
        "with Journal(Path(sys.argv[1]), SPEC, Line) as journal:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    journal.append(Line(row=0, text='x' * 1000))\n"
        "    journal.append(Line(row=1, text='x' * 1000))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent,
    )
    assert "JournalError: cannot write" in done.stderr
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [0]


def test_kill_dash_nine_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from genprm.journal import Journal\n"
        "from test_journal import SPEC, Line\n"
        "with Journal(Path(sys.argv[1]), SPEC, Line) as journal:\n"
        "    for row in range(3):\n"
        "        journal.append(Line(row=row))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=False, cwd=Path(__file__).parent
    )
    assert done.returncode == -signal.SIGKILL
    with Journal(path, SPEC, Line) as journal:
        assert [row.row for row in journal.rows()] == [0, 1, 2]


@pytest.mark.parametrize("line", ["true", "[1]", '{"row": true}', '{"row": [0]}', "[" * 100_000])
def test_a_line_that_is_no_row_is_one_clear_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [0])
    path.write_text(line + "\n")
    with pytest.raises(JournalError, match="line 1: not a row of this run"):
        Journal(path, SPEC, Line).__enter__()


def test_a_row_that_could_not_be_made_is_kept_and_made_again_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Journal(path, SPEC, Line) as journal:
        journal.append(FailedRow(id="a", row=0, failed="HTTP 400"))
        journal.append(Line(row=1))
        journal.finish([0, 1])
        assert [row.row for row in journal.rows()] == [1]
        assert journal.unmade == 1
    with Journal(path, SPEC, Line) as journal:
        assert 0 in journal
    with Journal(path, SPEC, Line, retry_failed=True) as journal:
        assert 0 not in journal
        journal.append(Line(row=0, text="made"))
        journal.finish([0, 1])
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [0, 1]
    with Journal(path, SPEC, Line) as journal:
        assert [row.text for row in journal.rows()] == ["made", ""]


def test_what_stands_at_the_run_files_name_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    precious = tmp_path / "precious.txt"
    precious.write_text("chapter 1")
    (tmp_path / "out.jsonl.run.json").symlink_to(precious)
    with pytest.raises(JournalError):
        Journal(path, SPEC, Line).__enter__()
    (tmp_path / "out.jsonl.run.json").unlink()
    (tmp_path / "out.jsonl.run.json").write_text("chapter 2")
    with pytest.raises(JournalError, match="not the run file of a genprm command"):
        Journal(path, SPEC, Line).__enter__()
    assert precious.read_text() == "chapter 1"
    assert (tmp_path / "out.jsonl.run.json").read_text() == "chapter 2"


def test_a_device_is_no_place_for_a_run(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="not a regular file"):
        Journal(Path("/dev/null"), SPEC, Line).__enter__()
    assert not Path("/dev/null.run.json").exists()


def test_lone_surrogates_are_stored_as_replacement_characters(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Journal(path, SPEC, Line) as journal:
        journal.append(Line.model_construct(row=0, text="a\ud800b"))
        assert [row.text for row in journal.rows()] == ["a\ufffdb"]
