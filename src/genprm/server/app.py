"""The HTTP service: POST /v1/verify, GET /healthz.

    {"problem": "1 + 1?", "steps": ["1 + 1 = 3."], "votes": 4}   one solution
    {"solutions": [{...}, {...}], "stream": true}                many; steps as they are judged

The answer is `{"verdicts": [row, …]}`, each row as `genprm verify` writes it. A stream has one
event per line of JSON, or server-sent events where the request accepts `text/event-stream`. A
full queue answers 503 at once; a client that goes away has its work cancelled, down to the
engine. Every error is `{"error": "one clear line"}`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse

import genprm
from genprm.concurrency import as_finished
from genprm.errors import GenprmError, InputError
from genprm.problem import Solution
from genprm.records.verdicts import StepRow, VerdictRow
from genprm.server.queue import Full, Queue
from genprm.server.requests import VerifyRequest
from genprm.verdict import SolutionVerdict, StepVerdict
from genprm.verify.judge import StepJudge

Event = dict[str, Any]
T = TypeVar("T")
SERVER_SENT = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the service takes on."""

    concurrency: int = 16  # solutions judged at the same time
    waiting: int = 1024  # solutions accepted and not yet begun


def create_app(judge: StepJudge, limits: Limits = Limits()) -> FastAPI:
    """The service on a verifier that the caller opens and closes."""
    app = FastAPI(title="genprm", version=genprm.__version__)
    queue = Queue(limits.concurrency, limits.waiting)

    @app.get("/healthz")
    async def health() -> Event:
        return {
            "status": "ok",
            "model": _model_name(judge),
            "version": genprm.__version__,
            "judging": queue.running,
            "waiting": queue.waiting,
        }

    @app.post("/v1/verify", response_model=None)
    async def verify(body: VerifyRequest, request: Request) -> Response:
        job = _Job(judge.using(body.settings(judge.settings)), body)
        places = queue.claim(len(job.solutions))
        if body.stream:
            server_sent = SERVER_SENT in request.headers.get("accept", "")
            events = _until_gone(request, job.events(places), server_sent=server_sent)
            media = SERVER_SENT if server_sent else "application/x-ndjson"
            return StreamingResponse(events, media_type=media)
        rows = await _unless_gone(request, job.rows(places))
        return JSONResponse({"verdicts": rows} if rows is not None else {}, 200 if rows else 499)

    _translate_errors(app)
    return app


class _Job:
    """One request's solutions."""

    def __init__(self, judge: StepJudge, body: VerifyRequest) -> None:
        self.judge = judge
        self.solutions = [asked.read() for asked in body.solutions]

    async def rows(self, places: "Queue.Places") -> list[Event]:
        """Every verdict, in the order asked."""
        with places:
            jobs = (self._verdict(places, index) for index in range(len(self.solutions)))
            async with aclosing(as_finished(jobs, len(self.solutions))) as finished:
                verdicts = {index: verdict async for index, verdict in finished}
        return [self._row(index, verdicts[index]) for index in range(len(self.solutions))]

    async def events(self, places: "Queue.Places") -> AsyncGenerator[Event, None]:
        """Steps and verdicts as they stand; the last event is `done`, or the error."""
        happened: asyncio.Queue[Event] = asyncio.Queue()

        def on_step(row: int, step: StepVerdict) -> None:
            happened.put_nowait({"event": "step", "row": row, **StepRow.of(step).json_object()})

        async def judge(index: int) -> None:
            _, verdict = await self._verdict(places, index, on_step)
            happened.put_nowait({"event": "verdict", **self._row(index, verdict)})

        async def judge_all() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for index in range(len(self.solutions)):
                        group.create_task(judge(index))
            except* GenprmError as errors:
                first = errors.exceptions[0]
                happened.put_nowait({"event": "error", "error": _one_line(first)})
            else:
                happened.put_nowait({"event": "done"})

        with places:
            judging = asyncio.create_task(judge_all())
            try:
                while (event := await happened.get())["event"] not in ("done", "error"):
                    yield event
                yield event
            finally:
                await _cancel(judging)

    async def _verdict(
        self, places: "Queue.Places", index: int, on_step: Any = None
    ) -> tuple[int, SolutionVerdict]:
        async with places.turn():
            solution = self.solutions[index]
            return index, await self.judge.verify(solution, row=index, on_step=on_step)

    def _row(self, index: int, verdict: SolutionVerdict) -> Event:
        solution: Solution = self.solutions[index]
        return dict(VerdictRow.of(index, solution, verdict).json_object())


async def _unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """The work's result; None where the client went away, and the work was cancelled."""
    job = asyncio.ensure_future(work)
    gone = asyncio.create_task(_gone(request))
    try:
        await asyncio.wait({job, gone}, return_when=asyncio.FIRST_COMPLETED)
        return job.result() if job.done() else None
    finally:
        await _cancel(gone)
        await _cancel(job)


async def _until_gone(
    request: Request, events: AsyncGenerator[Event, None], *, server_sent: bool
) -> AsyncGenerator[bytes, None]:
    """The events as bytes, until the client goes away: then what makes them is cancelled."""
    gone = asyncio.create_task(_gone(request))
    try:
        async with aclosing(events):
            while True:
                coming = asyncio.ensure_future(anext(events, None))
                try:
                    await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
                    event = coming.result() if coming.done() else None
                finally:
                    await _cancel(coming)
                if event is None:
                    return
                line = json.dumps(event, ensure_ascii=False)
                name = event["event"]
                yield (f"event: {name}\ndata: {line}\n\n" if server_sent else line + "\n").encode()
    finally:
        await _cancel(gone)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _cancel(job: "asyncio.Future[Any]") -> None:
    if not job.done():
        job.cancel()
        with suppress(asyncio.CancelledError):
            await job


def _translate_errors(app: FastAPI) -> None:
    async def unusable(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        fault = error.errors()[0]
        if fault["type"] == "json_invalid":
            return JSONResponse({"error": f"the body is not JSON: {fault['ctx']['error']}"}, 400)
        field = ".".join(str(part) for part in fault["loc"][1:]) or "body"
        cause = fault["msg"].removeprefix("Value error, ")
        return JSONResponse({"error": f"field {field}: {cause}"}, 400)

    async def full(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": _one_line(error)}, 503, {"Retry-After": "1"})

    async def failed(_: Request, error: Exception) -> Response:
        return JSONResponse(
            {"error": _one_line(error)}, 400 if isinstance(error, InputError) else 502
        )

    async def unforeseen(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": f"{type(error).__name__}: {_one_line(error)}"}, 500)

    app.add_exception_handler(RequestValidationError, unusable)
    app.add_exception_handler(Full, full)
    app.add_exception_handler(GenprmError, failed)
    app.add_exception_handler(Exception, unforeseen)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _model_name(judge: StepJudge) -> str:
    spec = judge.spec
    while spec.model is None and spec.parts:
        spec = spec.parts[-1]
    return spec.model.name if spec.model else spec.judge
