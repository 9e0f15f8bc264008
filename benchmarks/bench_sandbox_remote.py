"""A sandbox server on this machine beside the sandbox in this process, and many requests at once.

    python benchmarks/bench_sandbox_remote.py [--rounds 10] [--workers 2] [--in-flight 128]

Local and remote take turns, a second each, so that what else the machine does falls on both; the
ratio of a round is remote over local, and the median of the rounds is the figure. Client, server
and snippets share the machine's cores: a server with cores of its own does better. Then a number
of requests is kept in flight for a while, each a fresh session with one snippet, and their
latencies are stated.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from bench_sandbox import MIX, percentile

from genprm.sandbox import RunStatus, SandboxBackend
from genprm.sandboxes.load import load_sandbox

SLICE = 1.0  # seconds
TARGET = 0.7  # of the local throughput

Work = Callable[[SandboxBackend, float], Awaitable[int]]  # until when; gives the snippets done


@contextmanager
def served() -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "genprm", "sandbox", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            yield server.stderr.readline().rpartition(" at ")[2].strip()
        finally:
            server.kill()


async def reused(box: SandboxBackend, end: float) -> int:
    """Mixed snippets in one session."""
    done = 0
    async with box.session() as session:
        for code in itertools.cycle(MIX):
            if time.perf_counter() >= end:
                return done
            await session.run(code)
            done += 1
    return done


async def fresh(box: SandboxBackend, end: float) -> int:
    """Mixed snippets, each in a session of its own."""
    done = 0
    for code in itertools.cycle(MIX):
        if time.perf_counter() >= end:
            return done
        async with box.session() as session:
            await session.run(code)
        done += 1
    return done


async def rate(box: SandboxBackend, work: Work, workers: int) -> float:
    """Snippets a second."""
    started = time.perf_counter()
    done = await asyncio.gather(*(work(box, started + SLICE) for _ in range(workers)))
    return sum(done) / (time.perf_counter() - started)


async def compare(
    local: SandboxBackend, remote: SandboxBackend, work: Work, workers: int, rounds: int
) -> str:
    """One line: both rates and the ratio."""
    await rate(local, work, workers)
    await rate(remote, work, workers)
    pairs = [
        (await rate(local, work, workers), await rate(remote, work, workers)) for _ in range(rounds)
    ]
    ratios = sorted(there / here for here, there in pairs)
    here, there = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(ratios)
    verdict = "met" if ratio >= TARGET else "MISSED"
    return (
        f"{here:7.0f}/s local {there:7.0f}/s remote  ratio {ratio:.2f} "
        f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f}; >= {TARGET:g}: {verdict})"
    )


async def crowd(box: SandboxBackend, in_flight: int, seconds: float) -> str:
    """One line: latencies of fresh sessions with one snippet each."""
    latencies: list[float] = []
    bad = 0
    end = time.perf_counter() + seconds

    async def work(first: int) -> None:
        nonlocal bad
        for number in itertools.count(first):
            started = time.perf_counter()
            if started >= end:
                return
            async with box.session() as session:
                result = await session.run(MIX[number % len(MIX)])
            latencies.append(time.perf_counter() - started)
            bad += result.status is not RunStatus.OK

    started = time.perf_counter()
    await asyncio.gather(*(work(number) for number in range(in_flight)))
    total = time.perf_counter() - started
    p50, p99 = (percentile(latencies, share) for share in (0.5, 0.99))
    return (
        f"{len(latencies) / total:7.0f}/s  p50 {p50:.2f} s  p99 {p99:.2f} s  "
        f"max {max(latencies):.2f} s  {len(latencies)} requests, {bad} not ok"
    )


async def measure(arguments: argparse.Namespace) -> None:
    """Everything, in one process."""
    with served() as address:
        name = f"remote:{address}"
        async with load_sandbox(arguments.tier) as local, load_sandbox(name) as remote:
            for label, work in (("reused sessions", reused), ("fresh sessions", fresh)):
                line = await compare(local, remote, work, arguments.workers, arguments.rounds)
                print(f"{label:16} {line}", flush=True)
            for label, box in (("local", local), ("remote", remote)):
                line = await crowd(box, arguments.in_flight, arguments.seconds)
                print(f"{arguments.in_flight} in flight, {label:6} {line}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--in-flight", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=30.0, help="with that many in flight")
    parser.add_argument("--tier", default="auto")
    arguments = parser.parse_args()
    asyncio.run(measure(arguments))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.workers} workers")


if __name__ == "__main__":
    main()
