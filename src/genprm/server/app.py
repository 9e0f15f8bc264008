"""The HTTP service on a judge: its routes, and the limits around them.

    POST /v1/verify     judges one solution or many; as a stream on request
    POST /v1/rank       returns the order and the scores of candidates
    POST /v1/pool       every step's verdict of a problem's samples, each beginning judged once
    POST /v1/critique   the analysis of the first wrong step
    POST /get_reward    OpenRLHF's remote reward model
    POST /verify        NeMo Gym's resources server
    POST /run_code      SandboxFusion's code runner
    GET  /health /ready /metrics /openapi.json

Every reply that is not a success has the format of `errors`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPMethod
from typing import TypeAlias

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

import genprm
from genprm.answer import AnswerChecker
from genprm.sandbox import SandboxBackend
from genprm.server.body import BoundedBody
from genprm.server.document import document_limits
from genprm.server.errors import translate_errors
from genprm.server.judging import Judging
from genprm.server.limits import ServiceLimits
from genprm.server.logs import RequestLog
from genprm.server.metrics import Metrics
from genprm.server.routes import choose, nemo_gym, openrlhf, pool, run_code, status, verify
from genprm.server.security import Guard, Security
from genprm.verify.judge import StepJudge

__all__ = ["Service", "ServiceLimits", "create_app"]
Page: TypeAlias = Callable[[Judging], ASGIApp]


@dataclass(frozen=True, slots=True)
class Service:
    """The application, and the judging behind it."""

    app: FastAPI
    judging: Judging


def create_service(
    judge: StepJudge,
    limits: ServiceLimits = ServiceLimits(),
    security: Security = Security(),
    *,
    sandbox: SandboxBackend | None = None,
    page: Page | None = None,
) -> Service:
    """The service with a judge that the caller opens and closes.

    `sandbox` runs the programs of /run_code; without it, this route does not exist. `page` makes
    an application for all other paths, such as a viewer at `/`.
    """
    app = FastAPI(
        title="genprm",
        version=genprm.__version__,
        summary="A process reward model that reasons: it judges every step of a solution.",
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
    )
    metrics = Metrics()
    judging = Judging(judge, limits, metrics)
    metrics.watch("solutions", judging.queue)
    for routes in (verify, choose, pool, status):
        app.include_router(routes.router(judging))
    checker = AnswerChecker()
    for trainers in (openrlhf, nemo_gym):
        app.include_router(trainers.router(judging, checker))
    if sandbox is not None:
        app.include_router(run_code.router(judging, sandbox))
    if page is not None:
        _refuse_other_methods(app)
        app.mount("/", page(judging))
    translate_errors(app)
    document_limits(app, limits, judge.settings)
    app.add_middleware(BoundedBody, limits=limits)
    app.add_middleware(Guard, security=security)
    app.add_middleware(RequestLog, metrics=metrics)  # added last: the outermost
    return Service(app, judging)


def _refuse_other_methods(app: FastAPI) -> None:
    """Answer 405 where the page, which takes every path, would say that there is no such route."""

    async def refuse(_: Request) -> Response:
        raise HTTPException(405)

    for path, operations in app.openapi()["paths"].items():
        others = [one.value for one in HTTPMethod if one.value.lower() not in operations]
        app.add_route(path, refuse, methods=others, include_in_schema=False)


def create_app(
    judge: StepJudge,
    limits: ServiceLimits = ServiceLimits(),
    security: Security = Security(),
    *,
    sandbox: SandboxBackend | None = None,
    page: Page | None = None,
) -> FastAPI:
    """Only the application, for callers with their own server."""
    return create_service(judge, limits, security, sandbox=sandbox, page=page).app
