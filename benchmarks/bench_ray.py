"""Two workers on a Ray cluster beside one: work in the sandbox, work of an engine, and nothing.

    python benchmarks/bench_ray.py [--repetitions 3] [--output FILE.json]

The cluster is this machine: a head and two nodes with a CPU each. A worker is confined to one core,
as if it were a machine with one; the driver and Ray share the same cores. The rate counts from when
all workers are ready. "alone" is the same work in one and two processes without Ray: what the
machine can give at that time. Empty rows give what the scheduling of a row costs, and how much of
that is the driver's own time, which bounds how many rows a second one driver can hand out.
"""

import argparse
import asyncio
import fcntl
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import ClassVar, Generic

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # the workers import this file

from cluster import Nodes, cluster

from genprm.compose import JudgeChoice, ModelChoice
from genprm.concurrency import as_finished
from genprm.dataset import read_solutions
from genprm.problem import Solution
from genprm.records.record import Row
from genprm.sandboxes.load import load_sandbox
from genprm.tasks.cluster import ClusterSettings, ray_cluster
from genprm.tasks.verifying import VerifyTask
from genprm.verify.settings import Settings
from genprm.worker import Item, Needs, Opened, R, Work, Worker

AIM = 1.7
SNIPPET = "sum(i * i % 7 for i in range(300_000))\nprint('done')"
EXAMPLES = Path(__file__).parents[1] / "examples" / "solutions.jsonl"


class DoneRow(Row):
    """A row that says nothing."""

    KEY: ClassVar[str] = "row"
    row: int


@dataclass(frozen=True)
class EmptyWork:
    """Rows that cost nothing."""

    needs: ClassVar[Needs] = Needs()
    judge: ClassVar[None] = None
    policy: ClassVar[None] = None

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Solution, DoneRow], None]:
        yield self

    async def make(self, row: int, item: Solution) -> DoneRow:
        return DoneRow(row=row)


@dataclass(frozen=True)
class SandboxWork:
    """Rows that run one snippet, of some tens of milliseconds, in a session of their own."""

    needs: ClassVar[Needs] = Needs()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Solution, DoneRow], None]:
        async with load_sandbox("auto") as box:

            class Runner:
                judge = policy = None

                async def make(self, row: int, item: Solution) -> DoneRow:
                    async with box.session() as session:
                        result = await session.run(SNIPPET, timeout=120.0)  # busy machines, too
                    assert result.stdout == "done\n", result
                    return DoneRow(row=row)

            yield Runner()


@dataclass(frozen=True)
class OneCore(Generic[Item, R]):
    """Work in a process that is confined to a core which no other worker has."""

    work: Work[Item, R]
    folder: str
    needs: ClassVar[Needs] = Needs()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Worker[Item, R], None]:
        for core in sorted(os.sched_getaffinity(0)):
            claim = os.open(f"{self.folder}/{core}", os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(claim)
                continue
            for thread in os.listdir("/proc/self/task"):
                os.sched_setaffinity(int(thread), {core})
            break
        async with self.work.open() as worker:
            yield worker


@dataclass(frozen=True)
class Rate:
    """Rows a second, and the driver's own seconds for each."""

    rows: float
    driver: float


async def measure(
    opened: Opened[Solution, R], items: list[Solution], ready: Callable[[], bool]
) -> Rate:
    while not ready():
        await asyncio.sleep(0.05)
    await opened.worker.make(0, items[0])
    jobs = (opened.worker.make(row, item) for row, item in enumerate(items))
    started, spent = time.perf_counter(), time.process_time()
    async for _ in as_finished(jobs, opened.at_once):
        pass
    seconds = time.perf_counter() - started
    return Rate(len(items) / seconds, (time.process_time() - spent) / len(items))


def alone(work: Work[Solution, R], folder: str, items: list[Solution], start: Barrier) -> None:
    """All items in this process, without Ray, from when all processes are ready."""

    async def run() -> None:
        async with OneCore(work, folder).open() as worker:
            await worker.make(0, items[0])
            await asyncio.to_thread(start.wait)
            jobs = (worker.make(row, item) for row, item in enumerate(items))
            async for _ in as_finished(jobs, 4):
                pass
            await asyncio.to_thread(start.wait)

    asyncio.run(run())


def rate_alone(folder: str, work: Work[Solution, R], items: list[Solution], count: int) -> float:
    """Rows a second of so many processes, each with its share of the items."""
    spawning = multiprocessing.get_context("spawn")
    start = spawning.Barrier(count + 1)
    size = len(items) // count  # runs of rows: every second one of four examples is unlike the rest
    shares = [items[number * size : (number + 1) * size] for number in range(count)]
    processes = [
        spawning.Process(target=alone, args=(work, folder, share, start)) for share in shares
    ]
    for process in processes:
        process.start()
    start.wait()
    started = time.perf_counter()
    start.wait()
    seconds = time.perf_counter() - started
    for process in processes:
        process.join()
    return len(items) / seconds


def rate(
    nodes: Nodes, folder: str, work: Work[Solution, R], items: list[Solution], actors: int
) -> Rate:
    settings = ClusterSettings(nodes.address, Needs(actors=actors, cpus=1.0, gpus=0.0))

    async def run() -> Rate:
        async with executor.open(OneCore(work, folder), rows_at_once=4) as opened:
            return await measure(
                opened, items, lambda: executor.status == f"{actors}/{actors} actors"
            )

    with ray_cluster(settings, print) as executor:
        return asyncio.run(run())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--rows", type=int, default=120, help="snippets, and solutions")
    parser.add_argument("--folder", default="/tmp", help="for the workers' claims on cores")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    examples = list(read_solutions(str(EXAMPLES)))
    engine = VerifyTask(JudgeChoice(ModelChoice("arithmetic")), Settings())
    rows = arguments.rows
    found: dict[str, dict[str, float | list[float]]] = {}
    with cluster(nodes=2) as nodes:
        for name, work, count in (
            ("empty", EmptyWork(), 3000),
            ("sandbox", SandboxWork(), rows),
            ("engine", engine, rows),
        ):
            items = [examples[number % len(examples)] for number in range(count)]
            pairs = [
                (
                    rate(nodes, arguments.folder, work, items, 1),
                    rate(nodes, arguments.folder, work, items, 2),
                )
                for _ in range(arguments.repetitions)
            ]
            ratios = sorted(two.rows / one.rows for one, two in pairs)
            ratio = statistics.median(ratios)
            one, two = (statistics.median(p[side].rows for p in pairs) for side in (0, 1))
            driver = statistics.median(two.driver for _, two in pairs)
            if name != "empty":
                control = [
                    rate_alone(arguments.folder, work, items, 2)
                    / rate_alone(arguments.folder, work, items, 1)
                    for _ in range(arguments.repetitions)
                ]
                print(
                    f"{name:8} alone: ratio {statistics.median(control):.2f} "
                    f"({min(control):.2f} to {max(control):.2f})",
                    flush=True,
                )
            found[name] = {"one": one, "two": two, "ratios": ratios, "driver": driver}
            if name != "empty":
                found[name]["alone"] = statistics.median(control)
            verdict = "met" if ratio >= AIM else "MISSED"
            print(
                f"{name:8} {one:8.1f}/s with one, {two:8.1f}/s with two, ratio "
                f"{ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}; >= {AIM}: {verdict}); "
                f"driver {1000 * driver:.2f} ms a row",
                flush=True,
            )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    if arguments.output:
        arguments.output.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    from bench_ray import main as importable  # so that the workers find its classes by their names

    importable()
