"""One folder of runs, and `genprm view` on it as its users start it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import Watched, chromium, watch
from runs import hostile, solution, write_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def rows() -> list[dict[str, Any]]:
    """Plain rows, one against its label, one with abstentions, and a hostile one."""
    made = [solution(n, [[0.9, 0.8], [0.9, 0.7]]) for n in range(40)]
    made[3] = solution(3, [[0.9, 0.9], [0.2, 0.9, 0.1]], label=-1, subset="gsm8k", generator=None)
    made[5] = solution(5, [[0.9, None], [0.1, 0.2]])
    made[7] = hostile(7)
    made[9]["steps"][0]["votes"][0]["analysis"] = "The zebra counts twice."
    return made


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("runs")
    write_run(made / "first.jsonl", rows())
    other = rows()
    other[1] = solution(1, [[0.1, 0.8], [0.9, 0.7]])
    write_run(made / "second.jsonl", other)
    return made


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    pytest.importorskip("uvicorn")
    command = [sys.executable, "-m", "genprm", "view", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "http://" in line:
                yield line[line.index("http://") :].strip()
                break
        else:
            pytest.fail(f"genprm view ended with {process.wait()}")
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def watched(browser: "Browser", address: str) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    opened = watch(context, address)
    yield opened
    context.close()
    opened.check()
