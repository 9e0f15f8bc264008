"""One folder of runs, and `genprm view` on it as its users start it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import Watched, chromium, watch
from command_runs import rows_of, write_command_runs
from runs import HOSTILE, attacked, hostile, solution, write_run
from started import started

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
    with started("view", str(folder)) as at:
        yield at


@pytest.fixture(scope="session")
def command_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every command, as the commands write it."""
    return write_command_runs(tmp_path_factory.mktemp("commands") / "runs")


@pytest.fixture(scope="session")
def command_address(command_folder: Path) -> Iterator[str]:
    pytest.importorskip("uvicorn")
    with started("view", str(command_folder), "--no-live") as at:
        yield at


@pytest.fixture(scope="session")
def hostile_address(
    command_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The runs of every command with an attack in the place of every text."""
    pytest.importorskip("uvicorn")
    folder = tmp_path_factory.mktemp("hostile")
    for file in command_folder.rglob("*.jsonl"):
        spec = Path(f"{file}.run.json")
        if spec.exists():
            copy = folder / file.relative_to(command_folder)
            copy.parent.mkdir(exist_ok=True)
            rows = (attacked(row) for row in rows_of(file))
            copy.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
            command = json.loads(spec.read_text("utf-8"))["command"]
            attack = {"command": f"{command} {HOSTILE}", "model": HOSTILE}
            Path(f"{copy}.run.json").write_text(json.dumps(attack))
    with started("view", str(folder), "--no-live") as at:
        yield at


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
