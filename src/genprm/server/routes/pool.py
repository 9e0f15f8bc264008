"""POST /v1/pool: judges the steps of a problem's samples, and each shared beginning once.

`genprm rank -m service:…` sends it. The verdicts and their seeds are those of a ranking in process.
A pool takes one place in the queue.
"""

import asyncio
import time
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from genprm.errors import GenprmError, InputError, RequestFailed
from genprm.policy import Sample
from genprm.pools import Pool
from genprm.problem import Problem, Solution
from genprm.records.service import PoolReply
from genprm.records.verdicts import StepRow
from genprm.scale.best_of_n import Candidate, judge_all
from genprm.server.errors import Refusal, refusal_of, shutting_down
from genprm.server.judging import Judging
from genprm.server.limits import ServiceLimits
from genprm.server.metrics import Metrics
from genprm.server.queue import Queue
from genprm.server.requests import PoolRequest
from genprm.server.routes.documented import refusals
from genprm.verdict import SolutionVerdict, total
from genprm.verify.judge import StepJudge


def router(judging: Judging) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post(
        "/v1/pool",
        response_model=None,
        responses={200: {"model": PoolReply}, **refusals},
        summary="Judge the steps of a problem's samples, each beginning once.",
    )
    async def pool(body: PoolRequest, request: Request) -> Response:
        if judging.is_draining:
            raise shutting_down()
        _check(body, judging.limits)
        lengths = [len(sample) for sample in body.samples]
        judge = judging.judge.using(body.settings(judging.judge.settings, judging.limits, lengths))
        reply = await judging.until_gone(request, _judged(judging, judge, body))
        return JSONResponse(reply.json_object())

    return routes


def _check(body: PoolRequest, limits: ServiceLimits) -> None:
    if len(body.samples) > limits.solutions:
        raise Refusal(
            422,
            f"{len(body.samples):,} samples; fix: send at most {limits.solutions:,} in one request",
            field="samples",
        )
    for index, sample in enumerate(body.samples):
        if len(sample) > limits.steps:
            raise Refusal(
                422,
                f"{len(sample):,} steps; fix: send at most {limits.steps:,}",
                field=f"samples.{index}",
            )


async def _judged(judging: Judging, judge: StepJudge, body: PoolRequest) -> PoolReply:
    """Raises Refusal: 429 where the queue is full, 503 where the engine or the sandbox is gone,
    504 where time ran out.
    """
    samples = tuple(Sample(body.problem, tuple(one), bool(one), 0) for one in body.samples)
    pool = Pool(Problem("", body.problem), samples)
    with judging.queue.claim(1) as places:
        return await _in_turn(judging, judge, pool, body, places)


async def _in_turn(
    judging: Judging, judge: StepJudge, pool: Pool, body: PoolRequest, places: Queue.Places
) -> PoolReply:
    seconds = body.seconds or judging.limits.seconds
    start = time.monotonic()
    try:
        async with asyncio.timeout(seconds), places.turn():
            candidates = await judge_all(judge, pool, row=body.row)
    except TimeoutError:
        raise Refusal(504, f"not judged within {seconds:g} s") from None
    except (RequestFailed, InputError) as error:
        return PoolReply(failed=str(error))
    except GenprmError as error:
        judging.fault = str(error)
        raise refusal_of(error) from None
    judging.fault = None
    _count(judging.metrics, candidates, time.monotonic() - start)
    return PoolReply(samples=tuple(tuple(map(StepRow.of, one.steps)) for one in candidates))


def _count(metrics: Metrics, candidates: Sequence[Candidate], seconds: float) -> None:
    """Each judged sample is a solution; a beginning that several share is counted once."""
    seen: set[tuple[str, ...]] = set()
    for candidate in candidates:
        solution = Solution(candidate.sample.problem, candidate.sample.steps)
        new = []
        for index, step in enumerate(candidate.steps):
            beginning = solution.steps[: index + 1]
            if beginning not in seen:
                seen.add(beginning)
                new.append(step)
                metrics.count_step(solution, index, step)
        if candidate.steps:
            verdict = SolutionVerdict("", tuple(new), total(step.usage for step in new))
            metrics.count_solution(verdict, None, seconds)
