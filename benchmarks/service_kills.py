"""Parts of `bench_serve`: the sandbox's and the engine's process killed while clients wait.

What is wanted: a request that is accepted has an answer, which is its verdict or status 503; the
service goes on without a restart. The built-in model is in the service's own process, so the
engine that is killed is llama.cpp's server on the same weights, and it is started again on its
port. A request waits for an engine that restarts (`genprm.http.Retry`) and has status 503 after
that.
"""

import asyncio
import os
import signal
import subprocess
import sys
from importlib import resources
from pathlib import Path
from time import perf_counter

import httpx
from service_load import Load, Service, Traffic, answers, free_port, load, serving

WEIGHTS = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
SLOTS = 8  # of the engine; it is much slower than the built-in one, so there are as many clients
_BETWEEN = 5.0  # seconds between two losses of the sandbox, at least
_RECOVERY = 120.0  # seconds after which a service is said not to have recovered
# llama.cpp's server in a process of its own, as `genprm.models.llama_cpp` sets it up in process.
_ENGINE = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_parallel, params.n_ctx = int(sys.argv[4]), int(sys.argv[4]) * 4096
params.cpuparams.n_threads = int(sys.argv[3])
params.cpuparams.poll = params.verbosity = 0
params.ui = params.warmup = params.fit_params = False
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
"""


async def kill_sandboxes(service: Service, traffic: Traffic) -> tuple[Load, list[float]]:
    """Kill both sandboxes again and again; seconds from each loss to the next success."""
    kills: list[float] = []
    started = perf_counter()

    async def kill() -> None:
        pause = max(_BETWEEN, traffic.seconds / 10)
        while perf_counter() - started + pause < traffic.seconds:
            await asyncio.sleep(pause)
            for pid in service.sandboxes():
                os.kill(pid, signal.SIGKILL)
                kills.append(perf_counter() - started)

    _, found = await asyncio.gather(kill(), load(service, traffic))
    return found, _recoveries(kills, found)


async def kill_engine(traffic: Traffic) -> tuple[Load, list[float], bool]:
    """A service on an engine of its own, which is killed once and is away for a quarter of the
    time; then seconds until the next success, and whether the service is ready in the end.
    """
    port = free_port()
    engine = await _started(port)
    try:
        options = ["-m", f"http://127.0.0.1:{port}/v1", "--chat-template", str(WEIGHTS)]
        async with serving(*options, "--concurrency", str(traffic.clients)) as service:
            back: list[float] = []
            started = perf_counter()

            async def kill_and_restart() -> "subprocess.Popen[bytes]":
                await asyncio.sleep(traffic.seconds / 4)
                engine.kill()
                engine.wait()
                await asyncio.sleep(traffic.seconds / 4)
                again = await _started(port)
                back.append(perf_counter() - started)
                return again

            engine, found = await asyncio.gather(kill_and_restart(), load(service, traffic))
            is_ready = await answers(service.client, "/ready", _RECOVERY)
    finally:
        engine.kill()
        engine.wait()
    return found, _recoveries(back, found), is_ready


async def _started(port: int) -> "subprocess.Popen[bytes]":
    threads = str(len(os.sched_getaffinity(0)))
    weights = str(WEIGHTS / "model.gguf")
    command = [sys.executable, "-c", _ENGINE, weights, str(port), threads, str(SLOTS)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        if not await answers(client, "/health", _RECOVERY):
            sys.exit("llama.cpp's server did not start; fix: pip install '.[gguf]'")
    return process


def _recoveries(events: list[float], found: Load) -> list[float]:
    """Seconds from each event to the next success; infinite where none came."""
    return [
        min((end - event for end in found.answered if end > event), default=float("inf"))
        for event in events
    ]
