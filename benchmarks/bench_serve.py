"""The service under load: many clients, the same work in process, /run_code, and killed processes.

    python benchmarks/bench_serve.py --seconds 20            # short; `make bench-serve`
    python benchmarks/bench_serve.py --seconds 300           # the full run: half an hour

Clients send the shipped examples to `genprm serve -m arithmetic`, one solution a request, each as
soon as its last is answered. Then the same number of solutions is judged in process. The last lines
say which of the wanted properties hold; the exit status is 1 if one does not.

`--parts` runs some of: judging, programs, sandbox-killed, engine-killed.
"""

import argparse
import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import httpx
from service_kills import SLOTS, kill_engine, kill_sandboxes
from service_load import Body, Load, Outcome, Service, Traffic, load, serving

from genprm.compose import JudgeChoice, ModelChoice, open_judge
from genprm.dataset import read_solutions
from genprm.problem import Solution
from genprm.verify.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples" / "solutions.jsonl"
MODEL = "arithmetic"
PARTS = ("judging", "programs", "sandbox-killed", "engine-killed")
_FLAT = 1.05  # the service's memory in the last fifth of the time, by that in the third
_CACHE = "cache_gb=1"  # the engine's cache grows until it is full, which is no leak
_WARM = 240.0  # seconds; in a shorter run the cache still fills in the third fifth
_SHARE = 0.9  # of the throughput in process


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of each part")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--programs", type=int, default=128, help="/run_code requests in flight")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    asked = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start")
    wanted = asyncio.run(run(asked))
    for what, holds in wanted.items():
        print(f"{'yes' if holds else 'NO ':3}  {what}")
    sys.exit(not all(wanted.values()))


async def run(asked: argparse.Namespace) -> dict[str, bool]:
    """The wanted properties, and whether each holds."""
    solutions = read_solutions(str(EXAMPLES))
    judging = Judgements(solutions).traffic(asked.clients, asked.seconds)
    wanted: dict[str, bool] = {}
    if set(asked.parts) != {"engine-killed"}:
        options = ("-m", MODEL, "--engine-arg", _CACHE, "--concurrency", str(asked.clients))
        async with serving(*options) as service:
            await service.client.post("/v1/verify", json=judging.body(0))
            if "judging" in asked.parts:
                wanted |= await judged(service, judging, solutions)
            if "programs" in asked.parts:
                wanted |= await programs(service, asked.programs, asked.seconds)
            if "sandbox-killed" in asked.parts:
                wanted |= await sandbox_killed(service, judging)
    if "engine-killed" in asked.parts:
        few = replace(judging, clients=min(SLOTS, asked.clients))
        wanted |= await engine_killed(few)
    return wanted


class Judgements:
    """Requests to judge the examples, each with an id of its own that must come back."""

    def __init__(self, solutions: list[Solution]) -> None:
        self._solutions = solutions

    def traffic(self, clients: int, seconds: float) -> Traffic:
        return Traffic("/v1/verify", self._body, self._check, clients, seconds)

    def _solution(self, number: int) -> Solution:
        return self._solutions[number % len(self._solutions)]

    def _body(self, number: int) -> Body:
        one = self._solution(number)
        return {
            "problem": one.problem,
            "steps": list(one.steps),
            "id": str(number),
            "row": number,
            "detail": "scores",
        }

    def _check(self, number: int, reply: httpx.Response) -> Outcome:
        (row,) = reply.json()["verdicts"]
        if row["id"] != str(number):
            return "another solution's id"
        if row.get("failed"):
            return f"failed: {row['failed']}"
        whole = len(row["rewards"]) == len(self._solution(number).steps)
        return 200 if whole else "not every step judged"


async def judged(service: Service, traffic: Traffic, solutions: list[Solution]) -> dict[str, bool]:
    found = await load(service, traffic)
    found.report("/v1/verify")
    memory = found.memory()
    fifths = ", ".join(f"{megabytes:.0f}" for megabytes in memory)
    print(f"  memory of the service in each fifth of the time: {fifths} MB")
    alone = await in_process(solutions, found.outcomes[200], traffic.clients)
    share = found.rate / alone
    print(f"  in process: {alone:.2f} solutions/s; the service has {share:.0%} of it")
    wanted = {
        "no error but 429": not found.others(429),
        f"at least {_SHARE:.0%} of the throughput in process": share >= _SHARE,
    }
    if traffic.seconds >= _WARM:
        wanted["memory is flat once the cache is full"] = memory[4] <= memory[2] * _FLAT
    return wanted


async def programs(service: Service, in_flight: int, seconds: float) -> dict[str, bool]:
    def body(number: int) -> Body:
        return {"code": f"print({number % 100} ** 2)"}

    def check(number: int, reply: httpx.Response) -> Outcome:
        ran = reply.json()["run_result"] or {}
        right = ran.get("stdout") == f"{(number % 100) ** 2}\n"
        return 200 if right else str(ran.get("status"))

    found = await load(service, Traffic("/run_code", body, check, in_flight, seconds))
    found.report("/run_code")
    return {"/run_code: no time-out and no error": not found.others()}


async def sandbox_killed(service: Service, traffic: Traffic) -> dict[str, bool]:
    found, recoveries = await kill_sandboxes(service, traffic)
    found.report(f"/v1/verify, {len(recoveries)} sandboxes killed")
    return _recovered("sandbox", found, recoveries, is_ready=True)


async def engine_killed(traffic: Traffic) -> dict[str, bool]:
    found, recoveries, is_ready = await kill_engine(traffic)
    found.report("/v1/verify on llama.cpp's server, killed once")
    return _recovered("engine", found, recoveries, is_ready=is_ready)


def _recovered(
    what: str, found: Load, recoveries: list[float], *, is_ready: bool
) -> dict[str, bool]:
    print(f"  first success after: {', '.join(f'{seconds:.1f} s' for seconds in recoveries)}")
    return {
        f"{what} killed: every request has its verdict, 503 or 429": not found.others(429, 503),
        f"{what} killed: verdicts again without a restart": bool(recoveries)
        and max(recoveries) < float("inf")
        and is_ready,
    }


async def in_process(solutions: list[Solution], count: int, concurrency: int) -> float:
    """Solutions per second."""
    work = ((row, replace(solutions[row % len(solutions)], id=str(row))) for row in range(count))
    model = ModelChoice(MODEL, engine_args=(_CACHE,))
    async with open_judge(JudgeChoice(model), Settings()) as judge:
        await judge.verify(solutions[0])
        start = perf_counter()
        async for _ in judge.verify_many(work, concurrency=concurrency):
            pass
        return count / (perf_counter() - start)


if __name__ == "__main__":
    main()
