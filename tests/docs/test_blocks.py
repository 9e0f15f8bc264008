"""Every block of code in the README and the docs runs, or says what it needs."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from docs.tools.blocks import Block, blocks, matches, pages

ROOT = Path.cwd()
RUNNABLE = [page for page in pages() if any(block.runs for block in blocks(page))]
COMMAND = re.compile(r"^\s*(?:\$ )?(?:genprm|pip|uv|make|vllm|accelerate|curl|python3?) ")


@pytest.mark.parametrize("page", pages(), ids=str)
def test_commands_are_in_blocks_that_are_run_or_say_what_they_need(page: Path) -> None:
    hidden = [
        f"{page}:{block.line}"
        for block in blocks(page)
        if block.language in ("", "text", "console", "bash") and not block.is_output
        for line in block.code.splitlines()
        if COMMAND.match(line) and "[OPTIONS]" not in line
    ]
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    hidden += [
        f"{page}: {line}"
        for line in text.splitlines()
        if line.startswith("    ") and COMMAND.match(line)
    ]
    assert not hidden, "put these into an `sh` block"


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_the_blocks_of_a_page_run_in_order(page: Path, tmp_path: Path) -> None:
    for name in ("examples", "recipes"):
        shutil.copytree(ROOT / name, tmp_path / name)
    environment = shims(tmp_path)
    printed = ""
    ports: dict[str, str] = {}
    with background() as running:
        for written in blocks(page):
            block = replace(
                written,
                code=moved(written.code, ports),
                background=written.background and moved(written.background, ports),
            )
            place = f"{page}:{block.line}"
            if block.background:
                running.append(start(block, tmp_path, environment))
                wait_for(block.background, running[-1], place)
            elif block.runs:
                printed = run(block, tmp_path, environment, place)
            elif block.is_output:
                assert matches(block.code, printed), f"{place}: it printed\n{printed}"


def moved(text: str, ports: dict[str, str]) -> str:
    """The text with every port of ours turned into a free one, the same all over the page."""

    def free(match: re.Match[str]) -> str:
        if match[0] not in ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                ports[match[0]] = str(probe.getsockname()[1])
        return ports[match[0]]

    return re.sub(r"\b83\d\d\b", free, text)


def run(block: Block, folder: Path, environment: dict[str, str], place: str) -> str:
    program = (
        ["bash", "-euo", "pipefail", "-c", block.code]
        if block.language == "sh"
        else [sys.executable, "-c", block.code]
    )
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{place}: {done.stdout[-1000:]}{done.stderr[-3000:]}"
    if block.language == "python":
        promised = re.findall(r"^\s*print\(.*\)  # (.+)$", block.code, flags=re.M)
        lines = done.stdout.splitlines()
        assert all(any(line.strip() == told for line in lines) for told in promised), (
            f"{place}: it printed\n{done.stdout}"
        )
    return done.stdout


def start(block: Block, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", block.code],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


@contextmanager
def background() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    try:
        yield running
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            process.wait(30)


def wait_for(url: str, process: subprocess.Popen[bytes], place: str) -> None:
    port = int(url.rpartition(":")[2].partition("/")[0])
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{place}: it ended"
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.1)  # the server has no way to tell a stranger that it listens
    pytest.fail(f"{place}: nothing listens on port {port}")


def shims(folder: Path) -> dict[str, str]:
    """An environment in which what is installed already need not be installed again.

    `pip install` checks that the extras exist, and `python3 -m venv` makes an empty one.
    """
    shim = folder / ".shims"
    shim.mkdir()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    programs = {
        "genprm": f'exec {sys.executable} -m genprm "$@"',
        "python": f'exec {sys.executable} "$@"',
        "python3": 'if [ "${2-}" = venv ]; then mkdir -p "$3/bin"; touch "$3/bin/activate"; else '
        f'exec {sys.executable} "$@"; fi',
        "pip": f'exec {sys.executable} -c \'import re, sys; wanted = re.findall(r"[[](.*?)[]]", '
        f'" ".join(sys.argv)); known = {list(extras)!r}; '
        'assert all(x in known for w in wanted for x in w.split(",")), wanted\' "$@"'.replace(
            str(list(extras)), repr(list(extras)).replace("'", '"')
        ),
    }
    for name, program in programs.items():
        path = shim / name
        path.write_text(f"#!/usr/bin/env bash\n{program}\n")
        path.chmod(0o755)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("COV")},
        "PATH": f"{shim}:{os.environ['PATH']}",
        "PYTHONPATH": "",
        "HF_HUB_OFFLINE": "1",
    }


def test_an_output_may_leave_out_what_varies() -> None:
    assert matches("a … c", "a b  c\n")
    assert not matches("a … c", "a b")
