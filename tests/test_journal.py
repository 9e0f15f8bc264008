"""Runs that survive: torn lines, other settings, other processes, full disks."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.errors import JournalError
from genprm.journal import Journal

CONFIG = {"votes": 8, "settings": {"seed": 0, "mode": "genprm"}}


def write(path: Path, keys: list[int], order: list[int] | None = None) -> None:
    with Journal(path, CONFIG, key="row") as journal:
        for key in keys:
            if key not in journal:
                journal.append({"row": key, "text": f"é{key}"})
        journal.finish(order or keys)


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
        with Journal(broken, CONFIG, key="row") as journal:
            for key in finish_order[:killed_after]:
                journal.append({"row": key, "text": f"é{key}"})
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
    other = {"votes": 4, "settings": {"seed": 1, "mode": "genprm"}}
    with pytest.raises(JournalError, match=r"settings\.seed is 0 there and 1 now; votes is 8"):
        Journal(path, other, key="row").__enter__()
    write(path, [0, 1])


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("chapter 1")
    with pytest.raises(JournalError, match="not written by a resumable run"):
        Journal(path, CONFIG, key="row").__enter__()
    assert path.read_text() == "chapter 1"
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    write(path, [0, 1])
    path.write_text("garbage\n" + path.read_text())
    with pytest.raises(JournalError, match=r"out\.jsonl:1: not a row of this run"):
        Journal(path, CONFIG, key="row").__enter__()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    with Journal(path, CONFIG, key="row"), pytest.raises(JournalError, match="another process"):
        Journal(path, CONFIG, key="row").__enter__()


def test_a_row_is_written_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "out.jsonl", CONFIG, key="row") as journal:
        journal.append({"row": 0})
        with pytest.raises(JournalError, match="there already"):
            journal.append({"row": 0})


def test_a_full_disk_keeps_what_was_finished(tmp_path: Path) -> None:
    """`RLIMIT_FSIZE` stands for the disk: the write that does not fit fails in its middle."""
    path = tmp_path / "out.jsonl"
    program = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from genprm.journal import Journal\n"
        "with Journal(Path(sys.argv[1]), {}, key='row') as journal:\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))\n"
        "    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "    journal.append({'row': 0, 'text': 'x' * 1000})\n"
        "    journal.append({'row': 1, 'text': 'x' * 1000})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False
    )
    assert "JournalError: cannot write" in done.stderr
    assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [0]


def test_kill_dash_nine_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from genprm.journal import Journal\n"
        "with Journal(Path(sys.argv[1]), {'votes': 8}, key='row') as journal:\n"
        "    for row in range(3):\n"
        "        journal.append({'row': row})\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Journal(path, {"votes": 8}, key="row") as journal:
        assert [row["row"] for row in journal.rows()] == [0, 1, 2]
