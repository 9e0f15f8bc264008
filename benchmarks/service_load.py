"""Parts of `bench_serve`: a service in its own process, and clients that keep it busy."""

import asyncio
import re
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import httpx

Outcome = int | str  # a status, or in words what is wrong with a reply
Body = Mapping[str, object]
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Service:
    """`genprm serve`, ready, and a client of it."""

    client: httpx.AsyncClient
    process: "subprocess.Popen[bytes]"

    def resident(self) -> float:
        """MB of memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        return int(found[1]) / 1024 if found else 0.0

    def sandboxes(self) -> list[int]:
        """Process numbers of the sandboxes' supervisors: the judge's and that of /run_code."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [int(child) for task in tasks for child in task.read_text().split()]
        return [pid for pid in children if b"sandboxes" in _command_line(pid)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""  # it has ended since


@asynccontextmanager
async def serving(*options: str) -> AsyncGenerator[Service, None]:
    """A service with these options; ended by SIGTERM, and its exit status printed."""
    port = free_port()
    command = [sys.executable, "-m", "genprm", "serve", "--port", str(port), "--no-log-requests"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([*command, *options], stderr=log)
        limits = httpx.Limits(max_connections=None)
        url = f"http://127.0.0.1:{port}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=600, limits=limits) as client:
                if not await answers(client, "/ready", _START_SECONDS):
                    log.seek(0)
                    sys.exit(f"the service did not start: {log.read().decode()}")
                yield Service(client, process)
        finally:
            process.terminate()
            print(f"  exit status after SIGTERM: {process.wait(60)}")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answers(client: httpx.AsyncClient, path: str, seconds: float) -> bool:
    """Whether a GET of the path has status 200 within so many seconds."""
    start = perf_counter()
    while perf_counter() - start < seconds:
        try:
            if (await client.get(path)).status_code == 200:
                return True
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    return False


@dataclass(slots=True)
class Load:
    """What came of the requests; times are seconds since the beginning."""

    clients: int
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)  # seconds, of every request
    answered: list[float] = field(default_factory=list)  # when each status 200 came
    unavailable: list[float] = field(default_factory=list)  # when each status 503 came
    megabytes: list[float] = field(default_factory=list)  # of the service, once a second
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Successes per second."""
        return self.outcomes[200] / self.seconds

    def percentile(self, share: float) -> float:
        """Seconds."""
        ordered = sorted(self.latencies)
        return ordered[int(share * (len(ordered) - 1))]

    def others(self, *allowed: Outcome) -> dict[Outcome, int]:
        """Outcomes that are neither a success nor allowed."""
        return {what: n for what, n in self.outcomes.items() if what not in (200, *allowed)}

    def report(self, name: str) -> None:
        """Print it."""
        outcomes = ", ".join(f"{count} × {what}" for what, count in self.outcomes.items())
        p50, p99 = self.percentile(0.5), self.percentile(0.99)
        print(
            f"  {name}, {self.clients} in flight, {self.seconds:.0f} s: {outcomes}; "
            f"{self.rate:.2f}/s, p50 {p50:.2f} s, p99 {p99:.2f} s"
        )

    def memory(self) -> list[float]:
        """MB: the median of each fifth of the time."""
        fifth = max(1, len(self.megabytes) // 5)
        starts = range(0, min(5 * fifth, len(self.megabytes)), fifth)
        return [_median(self.megabytes[start : start + fifth]) for start in starts]


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the clients send, and how a reply with status 200 is judged."""

    path: str
    body: Callable[[int], Body]  # of the n-th request
    check: Callable[[int, httpx.Response], Outcome]
    clients: int
    seconds: float


async def load(service: Service, traffic: Traffic) -> Load:
    """Each client asks again as soon as it is answered, until the time is up."""
    found = Load(traffic.clients)
    started = perf_counter()
    sent = iter(range(1 << 62))

    async def ask() -> None:
        while perf_counter() - started < traffic.seconds:
            number = next(sent)
            start = perf_counter()
            outcome = await _outcome(service.client, traffic, number)
            end = perf_counter()
            found.latencies.append(end - start)
            found.outcomes[outcome] += 1
            if outcome in (200, 503):
                (found.answered if outcome == 200 else found.unavailable).append(end - started)

    async def watch() -> None:
        while True:
            found.megabytes.append(service.resident())
            await asyncio.sleep(1.0)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(ask() for _ in range(traffic.clients)))
    watching.cancel()
    found.seconds = perf_counter() - started
    return found


async def _outcome(client: httpx.AsyncClient, traffic: Traffic, number: int) -> Outcome:
    name = f"bench-{number}"
    try:
        reply = await client.post(
            traffic.path, json=traffic.body(number), headers={"x-request-id": name}
        )
    except httpx.HTTPError as error:
        return f"{type(error).__name__} {error}".strip()
    if reply.headers.get("x-request-id") != name:
        return "another request's id"
    return traffic.check(number, reply) if reply.status_code == 200 else reply.status_code
