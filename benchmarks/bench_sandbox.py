"""The sandbox beside in-process `exec`, a subprocess per snippet and a Jupyter kernel, in one run.

    make bench-sandbox        or: python benchmarks/bench_sandbox.py [--repeats 3] [--tier auto]

Every figure is the median of the repeats. Latencies are seen by the caller, in one event loop.
Throughput is measured with two workers, for a machine with two cores; the snippets are a mix of
sympy, numpy, fractions and plain arithmetic. The Jupyter column needs `jupyter_client` and
`ipykernel`; without them it stays empty.
"""

import argparse
import asyncio
import contextlib
import importlib.util
import io
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from genprm.sandbox import RunStatus
from genprm.sandboxes.fork_server import ForkServer, ForkSession

TRIVIAL = "print(1 + 1)"
MIX = (
    "import sympy\nx = sympy.symbols('x')\nprint(sympy.solve(x**2 - 5*x + 6, x))",
    "import numpy as np\nprint(np.linalg.det(np.array([[2.0, 1.0], [1.0, 3.0]])).round(6))",
    "from fractions import Fraction\nprint(sum(Fraction(1, n) for n in range(1, 20)))",
    "eggs = 16 - 3 - 4\nprint(eggs * 2)",
)
STUBBORN = "while True:\n    try:\n        while True: abs(1)\n    except BaseException: pass"
WORKERS = 2
SECONDS = 3.0  # of each throughput measurement
LOOP_TIMEOUT = 0.5

Run = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, how it is written, and what it must be."""

    key: str
    text: str
    unit: str
    limit: float
    at_least: bool = False

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


TARGETS = (
    Figure("run p50", "trivial run in a session, p50", "ms", 0.3),
    Figure("run p99", "trivial run in a session, p99", "ms", 2),
    Figure("create p50", "create + first run, p50", "ms", 10),
    Figure("create p99", "create + first run, p99", "ms", 40),
    Figure("fresh ratio", "throughput, fresh sessions / subprocess", "x", 10, at_least=True),
    Figure("warm ratio", "throughput, warm sessions / subprocess", "x", 30, at_least=True),
    Figure("overhead", "overhead over in-process exec, mixed snippets", "ms", 0.5),
    Figure("idle MB", "unique memory of an idle session", "MB", 4),
    Figure("alive", "sessions alive at once", "", 200, at_least=True),
    Figure("late", "killed loop comes back after its time-out by", "s", 0.6),
)

COMPARED = (
    Figure("trivial p50", "trivial run, p50, ms", "ms", 0),
    Figure("trivial p99", "trivial run, p99, ms", "ms", 0),
    Figure("start p50", "create + first run, p50, ms", "ms", 0),
    Figure("per second", "mixed snippets a second, reused", "/s", 0),
    Figure("fresh per second", "mixed snippets a second, fresh each", "/s", 0),
    Figure("memory MB", "unique memory, MB", "MB", 0),
)
COLUMNS = ("sandbox", "in-process", "subprocess", "jupyter")

Figures = dict[str, float]


# --- measuring ---


async def latencies(run: Run, code: str, count: int) -> list[float]:
    """Milliseconds of `count` runs, one after the other."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        await run(code)
        times.append((time.perf_counter() - started) * 1e3)
    return times


async def throughput(make: Callable[[], contextlib.AbstractAsyncContextManager[Run]]) -> float:
    """Mixed snippets a second by `WORKERS` workers, each with its own runner."""
    done = 0
    deadline = 0.0

    async def work(run: Run) -> None:
        nonlocal done
        for code in itertools.cycle(MIX):
            if time.perf_counter() >= deadline:
                return
            await run(code)
            done += 1

    async with contextlib.AsyncExitStack() as stack:
        runs = [await stack.enter_async_context(make()) for _ in range(WORKERS)]
        started = time.perf_counter()
        deadline = started + SECONDS
        await asyncio.gather(*map(work, runs))
        return done / (time.perf_counter() - started)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def unique_megabytes(pid: int) -> float:
    """Memory that would be freed if the process ended."""
    with open(f"/proc/{pid}/smaps_rollup") as lines:
        private = [int(line.split()[1]) for line in lines if line.startswith("Private_")]
    return sum(private) / 1024


# --- the contestants ---


async def sandbox(box: ForkServer) -> tuple[Figures, Figures]:
    """The column of the sandbox, and its figures without a counterpart."""

    async def fresh(code: str) -> None:
        async with box.session() as session:
            await session.run(code)

    @contextlib.asynccontextmanager
    async def warm_run() -> AsyncIterator[Run]:
        async with box.session() as session:
            await session.run(TRIVIAL)
            yield session.run

    @contextlib.asynccontextmanager
    async def fresh_run() -> AsyncIterator[Run]:
        yield fresh

    await fresh(TRIVIAL)  # the imports are not measured here
    async with warm_run() as run:
        trivial = await latencies(run, TRIVIAL, 2000)
        mixed = {code: statistics.median(await latencies(run, code, 100)) for code in MIX}
    create = await latencies(fresh, TRIVIAL, 150)
    alone = {
        "run p50": percentile(trivial, 0.5),
        "run p99": percentile(trivial, 0.99),
        "create p50": percentile(create, 0.5),
        "create p99": percentile(create, 0.99),
        "overhead": statistics.mean(mixed[code] - reference(code) for code in MIX),
        "late": await lateness(box),
        **await crowd(box),
        **await copying(box),
    }
    column = {
        "trivial p50": alone["run p50"],
        "trivial p99": alone["run p99"],
        "start p50": alone["create p50"],
        "per second": await throughput(warm_run),
        "fresh per second": await throughput(fresh_run),
        "memory MB": alone["idle MB"],
    }
    return column, alone


def reference(code: str) -> float:
    """Milliseconds of a snippet by in-process `exec`."""
    return statistics.median(_execute(code, 100))


def _execute(code: str, count: int) -> Iterator[float]:
    namespace: dict[str, object] = {"__name__": "__main__"}
    for _ in range(count):
        started = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, namespace)
        yield (time.perf_counter() - started) * 1e3


async def lateness(box: ForkServer) -> float:
    """Seconds after its time-out at which a loop that swallows everything comes back."""
    async with box.session() as session:
        await session.run("x = 1")
        started = time.perf_counter()
        result = await session.run(STUBBORN, timeout=LOOP_TIMEOUT)
        assert result.status is RunStatus.TIMEOUT
        return time.perf_counter() - started - LOOP_TIMEOUT


async def crowd(box: ForkServer) -> Figures:
    """Two hundred sessions at once, and what one of them costs while it is idle."""
    sessions = [box.session() for _ in range(200)]
    started = time.perf_counter()
    await asyncio.gather(*(session.run("x = 1") for session in sessions))
    seconds = time.perf_counter() - started
    answers = await asyncio.gather(*(session.run("print(x)") for session in sessions))
    sizes = [unique_megabytes(session.pid) for session in sessions[:50] if session.pid]
    await asyncio.gather(*(session.close() for session in sessions))
    return {
        "alive": float(sum(answer.stdout == "1\n" for answer in answers)),
        "crowd seconds": seconds,
        "idle MB": statistics.median(sizes),
    }


async def copying(box: ForkServer) -> Figures:
    """fork() + first run of a session with a history: by clone, and by replay."""
    async with box.session() as base:
        for code in MIX:
            await base.run(code)

        async def clone(code: str) -> None:
            async with await base.fork() as copy:
                await copy.run(code)

        async def replay(code: str) -> None:
            async with ForkSession(box, base._history.copy()) as copy:
                await copy.run(code)

        return {
            "clone p50": statistics.median(await latencies(clone, TRIVIAL, 50)),
            "replay p50": statistics.median(await latencies(replay, TRIVIAL, 20)),
        }


async def in_process() -> Figures:
    """`exec` in this process: no isolation, no time-out."""
    import numpy  # noqa: F401
    import sympy  # noqa: F401

    trivial = list(_execute(TRIVIAL, 2000))
    started = time.perf_counter()
    done = 0
    while time.perf_counter() - started < SECONDS:
        for code in MIX:
            done += len(list(_execute(code, 1)))
    return {
        "trivial p50": percentile(trivial, 0.5),
        "trivial p99": percentile(trivial, 0.99),
        "per second": done / (time.perf_counter() - started),
    }


async def per_subprocess() -> Figures:
    """A new interpreter for every snippet; nothing is isolated either."""

    async def run(code: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"import sympy, numpy\n{code}", stdout=subprocess.DEVNULL
        )
        await process.wait()

    @contextlib.asynccontextmanager
    async def make() -> AsyncIterator[Run]:
        yield run

    trivial = await latencies(run, TRIVIAL, 8)
    return {
        "trivial p50": percentile(trivial, 0.5),
        "trivial p99": percentile(trivial, 0.99),
        "start p50": percentile(trivial, 0.5),
        "fresh per second": await throughput(make),
    }


async def jupyter() -> Figures:
    """A kernel per session; nothing is isolated either."""
    if not (importlib.util.find_spec("jupyter_client") and importlib.util.find_spec("ipykernel")):
        return {}
    from jupyter_client.manager import start_new_async_kernel

    @contextlib.asynccontextmanager
    async def kernel() -> AsyncIterator[tuple[Run, int]]:
        manager, client = await start_new_async_kernel(stderr=subprocess.DEVNULL)

        async def run(code: str) -> None:
            await client.execute_interactive(code, output_hook=lambda _: None)

        provisioner: Any = manager.provisioner  # its base class declares no process
        try:
            yield run, provisioner.process.pid
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    @contextlib.asynccontextmanager
    async def make() -> AsyncIterator[Run]:
        async with kernel() as (run, _):
            await run("import sympy, numpy")
            yield run

    async def start(code: str) -> None:
        async with kernel() as (run, _):
            await run(code)

    async with kernel() as (run, pid):
        await run("import sympy, numpy")
        trivial = await latencies(run, TRIVIAL, 100)
        memory = unique_megabytes(pid)
    return {
        "trivial p50": percentile(trivial, 0.5),
        "trivial p99": percentile(trivial, 0.99),
        "start p50": percentile(await latencies(start, TRIVIAL, 2), 0.5),
        "per second": await throughput(make),
        "memory MB": memory,
    }


# --- the report ---


@dataclass
class Report:
    """Figures of all repeats."""

    columns: dict[str, list[Figures]] = field(default_factory=lambda: {c: [] for c in COLUMNS})
    alone: list[Figures] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield f"| {'':38} | " + " | ".join(f"{c:>10}" for c in COLUMNS) + " |"
        yield "|" + "-" * 40 + "|" + "|".join("-" * 11 + ":" for _ in COLUMNS) + "|"
        for row in COMPARED:
            cells = [median(self.columns[column], row.key) for column in COLUMNS]
            shown = [f"{'' if cell is None else f'{cell:.3g}':>10}" for cell in cells]
            yield f"| {row.text:38} | " + " | ".join(shown) + " |"
        yield ""
        for target in TARGETS:
            value = median(self.alone, target.key)
            if value is not None:
                sign = ">=" if target.at_least else "<="
                verdict = "met" if target.holds(value) else "MISSED"
                wanted = f"{sign} {target.limit:g} {target.unit}"
                yield f"{verdict:6}  {target.text:48} {value:8.3g} {target.unit:2} ({wanted})"
        for key in ("clone p50", "replay p50", "crowd seconds", "start seconds"):
            yield f"        {key:48} {median(self.alone, key):8.3g}"


def median(figures: list[Figures], key: str) -> float | None:
    values = [each[key] for each in figures if key in each]
    return statistics.median(values) if values else None


async def repeat(report: Report, tier: str) -> str:
    """One round of everything."""
    contestants = {"in-process": in_process, "subprocess": per_subprocess, "jupyter": jupyter}
    for name, contestant in contestants.items():
        report.columns[name].append(await contestant())
    started = time.perf_counter()
    async with ForkServer(tier) as box, box.session() as session:
        await session.run(TRIVIAL)
        started_after = time.perf_counter() - started
        column, alone = await sandbox(box)
        assert box.tier is not None
        name = box.tier.name
    subprocesses = report.columns["subprocess"][-1]["fresh per second"]
    alone["fresh ratio"] = column["fresh per second"] / subprocesses
    alone["warm ratio"] = column["per second"] / subprocesses
    alone["start seconds"] = started_after
    report.columns["sandbox"].append(column)
    report.alone.append(alone)
    return name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tier", default="auto")
    arguments = parser.parse_args()
    report, tier = Report(), ""
    for _ in range(arguments.repeats):
        tier = asyncio.run(repeat(report, arguments.tier))
    load = os.getloadavg()[0]
    print(f"tier {tier}, {os.cpu_count()} cores, load {load:.1f}, median of {arguments.repeats}\n")
    print("\n".join(report.lines()))


if __name__ == "__main__":
    main()
