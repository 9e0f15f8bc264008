"""Measures how close the judge on this machine comes to its engine's own speed: `genprm bench`.

The driver's processor time is that of the event loop's thread, because engines compute in other
threads, and code runs in other processes.
"""

import asyncio
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from tempfile import TemporaryDirectory

from genprm.bench.meters import ROW, MeteredModel, replay
from genprm.concurrency import together
from genprm.model import Model
from genprm.problem import Solution
from genprm.sandbox import SandboxBackend
from genprm.verdict import StepVerdict
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier
from genprm.verify.voting import Adaptive


@dataclass(frozen=True, slots=True)
class Workload:
    """What is judged: `solutions` × `settings.votes`, in parts for the slow reference."""

    solutions: Sequence[Solution]
    reference: int  # solutions that the reference's control flow judges; it is slow
    repetitions: int
    settings: Settings
    reference_engine_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pass:
    """The totals of judging once in one way."""

    seconds: float
    tokens: int
    driver_seconds: float = 0.0  # processor time of the event loop's thread
    solutions: int = 0


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of the repetitions."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of the repetitions' values."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Rates:
    """Solutions judged in a minute, by each way."""

    ours: Spread
    engine: Spread
    adaptive: Spread
    reference: Spread


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, and on which machine."""

    model: str
    engine: str
    machine: str
    solutions: int
    votes: int
    repetitions: int
    tokens_per_second: Spread
    engine_tokens_per_second: Spread
    share_of_engine: Spread  # 1 is the engine's own limit
    driver_seconds_per_1000_tokens: Spread
    solutions_per_minute: Rates
    reference_solutions: int
    reference_engine_args: tuple[str, ...]  # what its engine was given beside the judge's
    speedup: Spread  # over the reference's control flow, equal votes
    speedup_adaptive: Spread  # with adaptive votes and a stop at the first error
    first_verdict_seconds: Spread
    help_seconds: Spread


async def measure(
    model: Model, reference_model: Model, sandbox: SandboxBackend, work: Workload, name: str
) -> Report:
    """Measure every way in turn, `work.repetitions` times.

    `reference_model` holds the same weights; it may be the same object.
    """
    settings = replace(work.settings, adaptive=Adaptive.OFF, stop_at_first_error=False)
    saving = replace(work.settings, adaptive=Adaptive.CONFIDENT, stop_at_first_error=True)
    few = work.solutions[:: max(len(work.solutions) // work.reference, 1)][: work.reference]
    await _judge(model, sandbox, settings, few[:1])  # warm
    ours, engine, adaptive, reference = [], [], [], []
    for _ in range(work.repetitions):
        metered = MeteredModel(model)
        ours.append(await _judge(metered, sandbox, settings, work.solutions))
        engine.append(await _engine_alone(model, metered))
        adaptive.append(await _judge(model, sandbox, saving, work.solutions))
        reference.append(await _in_series(reference_model, sandbox, settings, few))
    # the few solutions are not as long as all: their rate, at the tokens of all
    slow = [a.tokens / _rate(b) for a, b in zip(ours, reference, strict=True)]
    return Report(
        model.name,
        f"{model.identity.engine} {model.identity.engine_version}".strip(),
        f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        len(work.solutions),
        settings.votes,
        work.repetitions,
        Spread.of([one.tokens / one.seconds for one in ours]),
        Spread.of([one.tokens / one.seconds for one in engine]),
        Spread.of([_rate(a) / _rate(b) for a, b in zip(ours, engine, strict=True)]),
        Spread.of([1000 * one.driver_seconds / one.tokens for one in ours]),
        Rates(
            ours=_per_minute([one.seconds for one in ours], ours),
            engine=_per_minute([one.seconds for one in engine], ours),
            adaptive=_per_minute([one.seconds for one in adaptive], ours),
            reference=_per_minute(slow, ours),
        ),
        len(few),
        work.reference_engine_args,
        Spread.of([b / a.seconds for a, b in zip(ours, slow, strict=True)]),
        Spread.of([b / a.seconds for a, b in zip(adaptive, slow, strict=True)]),
        Spread.of([_first_verdict(name, few[0]) for _ in range(work.repetitions)]),
        Spread.of([_seconds([sys.executable, "-m", "genprm", "--help"]) for _ in range(5)]),
    )


def _rate(one: Pass) -> float:
    return one.tokens / one.seconds


def _per_minute(seconds: Sequence[float], passes: Sequence[Pass]) -> Spread:
    return Spread.of(
        [60 * one.solutions / taken for taken, one in zip(seconds, passes, strict=True)]
    )


async def _judge(
    model: Model, sandbox: SandboxBackend, settings: Settings, solutions: Sequence[Solution]
) -> Pass:
    """Judge all solutions at once."""
    metered = model if isinstance(model, MeteredModel) else MeteredModel(model)
    verifier = Verifier(metered, sandbox, settings)

    async def one(row: int, solution: Solution) -> None:
        def on_step(at: int, _: StepVerdict) -> None:
            metered.next_step(at)

        ROW.set(row)
        await verifier.verify(solution, row=row, on_step=on_step)

    start, busy = time.perf_counter(), time.thread_time()
    await together(one(row, solution) for row, solution in enumerate(solutions))
    seconds, driver = time.perf_counter() - start, time.thread_time() - busy
    return Pass(seconds, metered.tokens_out, driver, len(solutions))


async def _engine_alone(model: Model, heard: MeteredModel) -> Pass:
    start = time.perf_counter()
    tokens = sum(await asyncio.gather(*(replay(model, s) for s in heard.steps.values())))
    return Pass(time.perf_counter() - start, tokens, solutions=len(heard.steps))


async def _in_series(
    model: Model, sandbox: SandboxBackend, settings: Settings, solutions: Sequence[Solution]
) -> Pass:
    """The reference's control flow: one request at a time.

    Code runs in the sandbox, which costs more than the reference's `exec`.
    """
    metered = MeteredModel(model, serial=True)
    start = time.perf_counter()
    for solution in solutions:
        await _judge(metered, sandbox, settings, [solution])
    return Pass(time.perf_counter() - start, metered.tokens_out, solutions=len(solutions))


def _first_verdict(model: str, solution: Solution) -> float:
    """Seconds from the start of a process to its first row."""
    with TemporaryDirectory() as folder:
        file = os.path.join(folder, "one.txt")
        with open(file, "w", encoding="utf-8") as stream:
            stream.write("\n\n".join([solution.problem, *solution.steps[:1]]))
        return _seconds([sys.executable, "-m", "genprm", "verify", file, "-m", model, "--json"])


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start
