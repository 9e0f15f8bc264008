"""Rows made by actors on a real Ray cluster of several nodes on this machine."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'genprm[ray]'")

from cluster import Doubling, Nodes, SumRow, calls, cluster
from recorded_curation import record

from genprm.cli.main import main
from genprm.curate.stages import Stage
from genprm.errors import GenprmError
from genprm.tasks.cluster import ClusterSettings, ray_cluster
from genprm.tasks.run import run_to_file
from genprm.worker import Needs


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two nodes, one connection for all tests; the last one kills a node."""
    with cluster(nodes=2) as found, ray_cluster(ClusterSettings(found.address), print):
        yield found


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def settings(nodes: Nodes, **changed: float) -> ClusterSettings:
    return ClusterSettings(nodes.address, Needs(actors=2, cpus=1.0, gpus=0.0), wait=30.0)


def run_on(
    nodes: Nodes, task: Doubling, items: list[int], output: Path, *, concurrency: int = 4
) -> tuple[list[SumRow], int, list[str]]:
    """The rows, how many could not be made, and the lines for people."""
    lines: list[str] = []
    with ray_cluster(settings(nodes), lines.append) as executor:
        made = run_to_file(task, items, output, list, concurrency=concurrency, executor=executor)
        rows, failed = asyncio.run(made)
    return rows, failed, lines


def run_here(task: Doubling, items: list[int], output: Path) -> bytes:
    asyncio.run(run_to_file(task, items, output, list, concurrency=4))
    return output.read_bytes()


def test_the_file_equals_the_one_made_here_and_a_run_moves_between_them(
    nodes: Nodes, notes: Path, tmp_path: Path
) -> None:
    items = list(range(60))
    task = Doubling(str(notes))
    whole = run_here(task, items, tmp_path / "here.jsonl")
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes(b"".join(whole.splitlines(keepends=True)[:20]))
    (tmp_path / "moved.jsonl.run.json").write_bytes((tmp_path / "here.jsonl.run.json").read_bytes())
    for note in notes.iterdir():
        note.unlink()
    rows, failed, lines = run_on(nodes, task, items, moved)
    assert moved.read_bytes() == whole
    assert (len(rows), failed, lines) == (60, 0, [])
    assert not any(calls(notes, row) for row in range(20))  # nothing twice
    assert all(len(calls(notes, row)) == 1 for row in range(20, 60))
    assert run_here(task, items, moved) == whole


def test_a_row_that_kills_its_actor_is_set_aside_and_a_broken_engine_is_opened_again(
    nodes: Nodes, notes: Path, tmp_path: Path
) -> None:
    items = list(range(24))
    task = Doubling(str(notes), poison=7, refused=9, breaks_at=15)
    rows, failed, lines = run_on(nodes, task, items, tmp_path / "rows.jsonl")
    assert failed == 2
    assert [row.row for row in rows] == [row for row in items if row not in (7, 9)]
    assert len(calls(notes, 7)) == 3
    assert all(len(calls(notes, row)) <= 3 for row in items)  # neighbours of a death
    stored = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    causes = {row["row"]: row["failed"] for row in stored if row.get("failed")}
    assert "died each of 3 times" in causes[7]
    assert causes[9] == "HTTP 400: no"
    (set_aside,) = [line for line in lines if "row 7 is set aside" in line]
    log = set_aside.rpartition(":")[2]
    assert Path(log).exists()
    assert any("the engine is gone" in line for line in lines)


@pytest.mark.parametrize(
    ("changed", "gpus", "said"),
    [
        ({"fails_to_open": "no such folder"}, 0.0, "no such folder"),
        ({}, 1.0, r"for an actor within 1 s: each asks for 1 CPU, 1 GPU, and .* 0 GPU.*fix: "),
    ],
    ids=["work that cannot be opened", "no GPU"],
)
def test_work_that_cannot_begin_is_one_line(
    nodes: Nodes, tmp_path: Path, changed: dict[str, str], gpus: float, said: str
) -> None:
    asked = ClusterSettings(
        nodes.address, Needs(actors=1, cpus=1.0, gpus=gpus), wait=1.0 + 29 * (not gpus)
    )
    with ray_cluster(asked, print) as executor:
        task = Doubling(**changed)  # type: ignore[arg-type]
        made = run_to_file(task, [1], tmp_path / "a", list, concurrency=1, executor=executor)
        with pytest.raises(GenprmError, match=said) as raised:
            asyncio.run(made)
    assert "\n" not in str(raised.value)


def test_another_version_of_genprm_or_of_ray_is_one_line(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ClusterSettings(nodes.address, Needs(actors=1, cpus=1.0, gpus=0.0), wait=30.0)
    monkeypatch.setattr("genprm.tasks.cluster.metadata.version", lambda _: "9.9")
    with ray_cluster(one, print) as executor:
        made = run_to_file(Doubling(), [1], tmp_path / "a", list, concurrency=1, executor=executor)
        with pytest.raises(GenprmError, match=r"has genprm 0\.\S+ and this command is 9\.9; fix: "):
            asyncio.run(made)

    def refuse(**_: object) -> None:  # what Ray 2.60 says to a cluster of 2.50
        raise RuntimeError(
            "Version mismatch: The cluster was started with:\n    Ray: 2.50.0\n    Python: 3.11.7\n"
            "This process on node 10.0.0.2 was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
        )

    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setattr("ray.init", refuse)
    with pytest.raises(GenprmError) as raised, ray_cluster(one, print):
        pass
    assert str(raised.value) == (
        f"--ray-address {nodes.address}: the cluster runs Ray 2.50.0 and Python 3.11.7, this "
        "command Ray 2.60.0 and Python 3.11.7; "
        "fix: install the same versions here and on every node"
    )


def command(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """A command in this process: its exit status."""
    monkeypatch.setattr(sys, "argv", ["genprm", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


ROWS = {
    "problems.jsonl": {"problem": "What is 3 + 4?", "answer": "7"},
    "solutions.jsonl": {"problem": "2 + 2 * 3", "steps": ["2 * 3 = 6", "The answer is 9"]},
}


def comparable(value: object) -> object:
    """A row without times and use of the cache; an engine's floats depend on its batches."""
    if isinstance(value, dict):
        chance = ("seconds", "duration", "tokens_cached")
        return {key: comparable(one) for key, one in value.items() if key not in chance}
    if isinstance(value, list):
        return [comparable(one) for one in value]
    return round(value, 2) if isinstance(value, float) else value


@pytest.mark.parametrize(
    "words",
    [
        ["verify", "solutions.jsonl", "-m", "arithmetic", "--mode", "direct"],
        ["sample", "problems.jsonl", "-k", "2"],
        ["rank", "problems.jsonl", "-k", "2", "-m", "arithmetic", "--mode", "direct"],
    ],
    ids=lambda words: words[0],
)
def test_commands_write_the_rows_that_they_write_here(
    nodes: Nodes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    for name, row in ROWS.items():
        Path(name).write_text(json.dumps(row) + "\n")
    ray = ["--executor", "ray", "--ray-address", nodes.address, "--actors", "1"]
    assert command(monkeypatch, *words, "-o", "ray.jsonl", *ray) == 0
    assert re.search(
        r"1/1 \d:\d\d:\d\d \d+\.\d\d/s  [\d,]+ tokens/s  1/1 actors  [\d,]+ \w+",
        capsys.readouterr().err,
    )
    assert command(monkeypatch, *words, "-o", "here.jsonl") == 0
    here, there = (
        comparable(json.loads(Path(f"{name}.jsonl").read_text())) for name in ("here", "ray")
    )
    assert here == there


def test_an_evaluation_and_every_stage_of_a_curation_are_the_same_bytes(
    nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = ["--executor", "ray", "--ray-address", nodes.address, "--actors", "1"]
    folder = record(tmp_path)
    words = ["curate", str(folder / "recipe.toml"), "--out", str(folder / "out")]
    assert command(monkeypatch, *words, "--stage", "problems", "--stage", "solutions") == 0
    solutions = folder / "out" / "solutions.jsonl"
    done = folder / "out" / "solutions.done.json"
    done.unlink()  # as if it had been killed before its last row
    solutions.write_bytes(b"".join(solutions.read_bytes().splitlines(keepends=True)[:-1]))
    assert command(monkeypatch, *words, *ray) == 0
    for stage in Stage:
        name = f"{stage}.jsonl"
        assert (folder / "out" / name).read_bytes() == (folder / "expected" / name).read_bytes()

    labelled = tmp_path / "labelled.jsonl"
    row = {"id": "a", "problem": "2 + 2", "steps": ["2 + 2 = 4", "4 + 1 = 6"], "label": 1}
    labelled.write_text("".join(json.dumps({**row, "id": f"r{n}"}) + "\n" for n in range(8)))
    judged = ["evaluate", "processbench", str(labelled), "--judge", "calculator"]
    assert command(monkeypatch, *judged, "-o", str(tmp_path / "run-here")) == 0
    assert command(monkeypatch, *judged, "-o", str(tmp_path / "run-ray"), *ray) == 0
    rows = [(tmp_path / name / "rows.jsonl").read_bytes() for name in ("run-here", "run-ray")]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "no cluster answers there"), ("nowhere", "not an address")],
)
def test_no_cluster_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    address: str,
    said: str,
) -> None:
    words = ["verify", "examples/solutions.jsonl", "-o", str(tmp_path / "rows")]
    assert command(monkeypatch, *words, "--executor", "ray", "--ray-address", address) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "rows").exists()


def test_a_driver_that_is_killed_goes_on_where_it_was(
    nodes: Nodes, notes: Path, tmp_path: Path
) -> None:
    output, items = tmp_path / "rows.jsonl", list(range(80))
    program = (
        "import asyncio, sys\n"
        "from cluster import Doubling\n"
        "from genprm.tasks.cluster import ClusterSettings, ray_cluster\n"
        "from genprm.tasks.run import run_to_file\n"
        "from genprm.worker import Needs\n"
        "from pathlib import Path\n"
        "settings = ClusterSettings(sys.argv[1], Needs(actors=2, cpus=1.0, gpus=0.0))\n"
        "with ray_cluster(settings, print) as executor:\n"
        "    made = run_to_file(Doubling(sys.argv[2], seconds=0.1), list(range(80)),\n"
        "        Path(sys.argv[3]), list, concurrency=2, executor=executor)\n"
        "    asyncio.run(made)\n"
    )
    support = str(Path(__file__).parents[1] / "support")
    command = [sys.executable, "-c", program, nodes.address, str(notes), str(output)]
    with subprocess.Popen(command, env={"PYTHONPATH": support}) as driver:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if output.exists() and output.read_bytes().count(b"\n") >= 12:
                break
            time.sleep(0.02)
        driver.kill()
    kept = output.read_bytes()
    assert 12 <= kept.count(b"\n") < 80
    task = Doubling(str(notes), seconds=0.0)
    _, failed, _ = run_on(nodes, task, items, output)
    assert failed == 0
    assert output.read_bytes() == run_here(task, items, tmp_path / "here.jsonl")


def test_a_node_that_is_killed_costs_nothing(nodes: Nodes, notes: Path, tmp_path: Path) -> None:
    items = list(range(120))
    task = Doubling(str(notes), seconds=0.2)
    killer = Thread(target=_kill_when_at_work, args=(nodes, notes))
    killer.start()
    _, failed, lines = run_on(nodes, task, items, tmp_path / "rows.jsonl", concurrency=8)
    killer.join()
    assert failed == 0
    assert any("its node died" in line or "died" in line for line in lines)
    quick = Doubling(str(notes), seconds=0.0)
    assert (tmp_path / "rows.jsonl").read_bytes() == run_here(quick, items, tmp_path / "here")


def _kill_when_at_work(nodes: Nodes, notes: Path) -> None:
    deadline = time.monotonic() + 60
    while len(list(notes.iterdir())) < 30 and time.monotonic() < deadline:
        time.sleep(0.02)
    nodes.kill()
