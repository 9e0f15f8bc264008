"""GET /health, /ready and /metrics."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

import genprm
from genprm.records.run_spec import JudgeSpec
from genprm.server.errors import LATER, Refusal, shutting_down
from genprm.server.judging import Judging
from genprm.server.routes.documented import probe_refusals, refusals


class Health(BaseModel):
    """The process is alive; also its current load."""

    status: str
    model: str
    version: str
    judging: int
    waiting: int


class Ready(BaseModel):
    """The service takes requests."""

    status: str


def router(judging: Judging) -> APIRouter:
    """All three; `/healthz` is the older name of `/health`."""
    routes = APIRouter()

    @routes.get("/healthz", include_in_schema=False)
    @routes.get("/health", responses=probe_refusals, summary="The process lives.")
    async def health() -> Health:
        return Health(
            status="ok",
            model=model_name(judging.judge.spec),
            version=genprm.__version__,
            judging=judging.queue.running,
            waiting=judging.queue.waiting,
        )

    @routes.get("/ready", responses=probe_refusals, summary="The service takes requests.")
    async def ready() -> Ready:
        if judging.is_draining:
            raise shutting_down()
        if fault := await judging.probe():
            raise Refusal(503, fault, fix=LATER, retry_after=5)
        return Ready(status="ready")

    @routes.get(
        "/v1/judge",
        response_model=None,
        responses={200: {"model": JudgeSpec}, 401: refusals[401], **probe_refusals},
        summary="The model that judges, and the settings that hold by default.",
    )
    async def judge() -> JSONResponse:
        return JSONResponse(judging.judge.spec.json_object())

    @routes.get(
        "/metrics",
        response_class=Response,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            **{status: refusals[status] for status in (401, 403, 421, 500)},
        },
        summary="Counters for Prometheus.",
    )
    async def metrics() -> Response:
        return Response(judging.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return routes


def model_name(spec: JudgeSpec) -> str:
    """The name of the judge's model; for a cascade, that of the strong judge."""
    if spec.model is not None:
        return spec.model.name
    return model_name(spec.parts[-1]) if spec.parts else spec.judge
