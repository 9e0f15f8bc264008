"""The service under load: many clients, the same work in process, and /run_code.

    python benchmarks/bench_serve.py --seconds 20            # short; `make bench-serve`
    python benchmarks/bench_serve.py --seconds 300           # the full run

Clients send the shipped examples to `genprm serve` with the built-in model, one solution a
request, each as soon as its last is answered. Then the same number of solutions is judged in
process. Printed are errors by status, throughput, p50 and p99, and the service's memory at the
start and the end.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter

import httpx

from genprm.compose import JudgeChoice, open_judge
from genprm.dataset import read_solutions
from genprm.problem import Solution
from genprm.verify.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples" / "solutions.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--programs", type=int, default=128, help="/run_code requests in flight")
    asked = parser.parse_args()
    solutions = read_solutions(str(EXAMPLES))
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    served = asyncio.run(under_load(solutions, asked))
    alone = asyncio.run(in_process(solutions, served.total, asked.clients))
    print(f"in process: {alone:.2f} solutions/s; the service has {served.rate / alone:.0%} of it")


class Load:
    """What came of the requests."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.statuses: Counter[int | str] = Counter()
        self.rate = 0.0

    @property
    def total(self) -> int:
        return self.statuses[200]

    def report(self, name: str) -> None:
        self.seconds.sort()
        p50, p99 = (self.seconds[int(share * (len(self.seconds) - 1))] for share in (0.5, 0.99))
        statuses = ", ".join(f"{count} × {status}" for status, count in self.statuses.items())
        print(f"{name}: {statuses}; {self.rate:.2f}/s, p50 {p50:.2f} s, p99 {p99:.2f} s")


async def under_load(solutions: list[Solution], asked: argparse.Namespace) -> Load:
    command = [sys.executable, "-m", "genprm", "serve", "--port", "0", "--no-log-requests"]
    command += ["--concurrency", str(asked.clients)]
    service = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert service.stderr is not None
    try:
        found = re.search(r"http://\S+", service.stderr.readline())
        assert found, "the service did not start"
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=found[0], timeout=600, limits=limits) as client:
            await ready(client)
            bodies = [
                {"problem": one.problem, "steps": list(one.steps), "detail": "scores"}
                for one in solutions
            ]
            await client.post("/v1/verify", json=bodies[0])
            before = resident(service.pid)
            judging = await load(client, "/v1/verify", bodies, asked.clients, asked.seconds)
            judging.report(f"/v1/verify, {asked.clients} clients")
            programs = [{"code": f"print({number} ** 2)"} for number in range(100)]
            running = await load(client, "/run_code", programs, asked.programs, asked.seconds)
            running.report(f"/run_code, {asked.programs} in flight")
            print(
                f"memory: {before:.0f} MB at the start, {resident(service.pid):.0f} MB at the end"
            )
    finally:
        service.terminate()
        print(f"exit status after SIGTERM: {service.wait(60)}")
    return judging


async def ready(client: httpx.AsyncClient) -> None:
    while True:
        try:
            if (await client.get("/ready")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.1)


async def load(
    client: httpx.AsyncClient,
    path: str,
    bodies: Sequence[Mapping[str, object]],
    clients: int,
    seconds: float,
) -> Load:
    """Each client asks again as soon as it is answered, until the time is up."""
    found = Load()
    started = perf_counter()

    async def ask(number: int) -> None:
        while perf_counter() - started < seconds:
            number += 1
            start = perf_counter()
            try:
                reply = await client.post(path, json=bodies[number % len(bodies)])
                found.statuses[_outcome(path, reply)] += 1
            except httpx.HTTPError as error:
                found.statuses[type(error).__name__] += 1
            found.seconds.append(perf_counter() - start)

    await asyncio.gather(*map(ask, range(clients)))
    found.rate = found.total / (perf_counter() - started)
    return found


def _outcome(path: str, reply: httpx.Response) -> int | str:
    if path == "/run_code" and reply.status_code == 200:
        status = str(reply.json()["run_result"]["status"])
        return 200 if status == "Finished" else status
    return reply.status_code


async def in_process(solutions: list[Solution], count: int, concurrency: int) -> float:
    work = ((row, solutions[row % len(solutions)]) for row in range(count))
    async with open_judge(JudgeChoice(), Settings()) as judge:
        await judge.verify(solutions[0])
        start = perf_counter()
        async for _ in judge.verify_many(work, concurrency=concurrency):
            pass
        return count / (perf_counter() - start)


def resident(pid: int) -> float:
    """MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    main()
