"""POST /v1/rank and POST /v1/critique: a choice among candidates, and a critique."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from genprm.records.service import CritiqueReply, RankedCandidate, RankReply
from genprm.server.judging import Judging, SolutionOutcome
from genprm.server.replies import critique
from genprm.server.requests import CritiqueRequest, RankRequest
from genprm.server.routes.documented import refusals
from genprm.verdict import total
from genprm.verify.aggregate import Aggregate


def router(judging: Judging) -> APIRouter:
    """Both routes."""
    routes = APIRouter()

    @routes.post(
        "/v1/rank",
        response_model=None,
        responses={200: {"model": RankReply}, **refusals},
        summary="Order candidate solutions of one problem, the best first.",
    )
    async def rank(body: RankRequest, request: Request) -> Response:
        results = await judging.until_gone(request, judging.job(body, body.asked).results())
        return JSONResponse(_ranked(results, body.score).json_object())

    @routes.post(
        "/v1/critique",
        response_model=None,
        responses={200: {"model": CritiqueReply}, **refusals},
        summary="The analysis of the first wrong step.",
    )
    async def criticise(body: CritiqueRequest, request: Request) -> Response:
        stopping = body.model_copy(update={"stop_at_first_error": True})
        job = judging.job(stopping, body.asked, single=True)
        (judged,) = await judging.until_gone(request, job.results())
        failed = None if judged.failed is None else str(judged.failed)
        reply = critique(judged.solution, judged.verdict, failed)
        return JSONResponse(reply.json_object())

    return routes


def _ranked(results: list[SolutionOutcome], score: Aggregate) -> RankReply:
    candidates = [_candidate(index, judged, score) for index, judged in enumerate(results)]
    ordered = sorted(
        candidates, key=lambda one: (one.score is None, -(one.score or 0.0), one.index)
    )
    order = tuple(one.index for one in ordered)
    return RankReply(
        order=order,
        scores=tuple(one.score for one in candidates),
        choice=order[0] if ordered[0].score is not None else None,
        candidates=tuple(candidates),
        usage=total(judged.verdict.usage for judged in results),
    )


def _candidate(index: int, judged: SolutionOutcome, score: Aggregate) -> RankedCandidate:
    rewards = tuple(step.reward for step in judged.verdict.steps)
    return RankedCandidate(
        index=index,
        score=None if judged.failed else score.score(rewards),
        first_error=None if judged.failed else judged.verdict.first_error,
        rewards=rewards,
        failed=None if judged.failed is None else str(judged.failed),
    )
