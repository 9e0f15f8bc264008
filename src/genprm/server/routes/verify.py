"""POST /v1/verify: judges solutions, and replies at the end or as a stream."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from genprm.records.record import JsonObject
from genprm.records.service import Detail, VerifyReply
from genprm.server.asked import Usable
from genprm.server.errors import Refusal
from genprm.server.judging import Job, Judging, SolutionOutcome
from genprm.server.replies import answer, step_answer
from genprm.server.requests import VerifyRequest
from genprm.server.routes.documented import refusals
from genprm.verdict import StepVerdict

Event = dict[str, object]
SERVER_SENT = "text/event-stream"
LINES = "application/x-ndjson"
_STREAMS: dict[str, dict[str, object]] = {kind: {"schema": {}} for kind in (SERVER_SENT, LINES)}


def router(judging: Judging) -> APIRouter:
    """The route."""
    routes = APIRouter()

    @routes.post(
        "/v1/verify",
        response_model=None,
        responses={200: {"model": VerifyReply, "content": _STREAMS}, **refusals},
        summary="Judge every step of one solution or many.",
    )
    async def verify(body: VerifyRequest, request: Request) -> Response:
        job = judging.job(body, body.asked, single=body.single)
        if not body.stream:
            results = await judging.until_gone(request, job.results())
            return JSONResponse(_reply(results, body.detail, single=body.single))
        server_sent = SERVER_SENT in request.headers.get("accept", "")
        events = _until_gone(request, judging, _events(job, body.detail))
        return StreamingResponse(
            _written(events, server_sent=server_sent),
            media_type=SERVER_SENT if server_sent else LINES,
        )

    return routes


def _reply(results: list[SolutionOutcome], detail: Detail, *, single: bool) -> Event:
    rows = [_row(row, judged, detail) for row, judged in enumerate(results)]
    if not single:
        return {"verdicts": rows}
    judged = results[0]
    return {
        "rewards": [step.reward for step in judged.verdict.steps],
        "first_error": rows[0]["first_error"],
        "verdicts": rows,
    }


def _row(row: int, judged: SolutionOutcome, detail: Detail) -> JsonObject:
    failed = None if judged.failed is None else str(judged.failed)
    whole = answer(detail, row, judged.solution, judged.verdict, failed)
    if judged.failed is not None:  # an unjudged solution has no first error, not "none found"
        whole = whole.model_copy(update={"first_error": None})
    return whole.json_object()


async def _events(job: Job, detail: Detail) -> AsyncGenerator[Event, None]:
    """Steps and verdicts as soon as they are judged; the last event is `done`."""
    happened: asyncio.Queue[Event | None] = asyncio.Queue()
    judged_steps = [0] * len(job.items)

    def on_step(row: int, step: StepVerdict) -> None:
        index = judged_steps[row]
        judged_steps[row] += 1
        item = job.items[row]
        assert isinstance(item, Usable)
        shown = step_answer(detail, item.solution.steps[index], step).json_object()
        happened.put_nowait({"event": "step", "row": row, "step": index, **shown})

    async def judge() -> None:
        async with aclosing(job.each(on_step)) as finished:
            async for row, judged in finished:
                happened.put_nowait({"event": "verdict", **_row(row, judged, detail)})

    judging = asyncio.create_task(judge())
    judging.add_done_callback(lambda _: happened.put_nowait(None))
    try:
        while (event := await happened.get()) is not None:
            yield event
        judging.result()
        yield {"event": "done"}
    finally:
        judging.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await judging


async def _until_gone(
    request: Request, judging: Judging, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[Event, None]:
    """The events until the client goes away or the service ends, which cancels their work."""
    async with aclosing(events):
        try:
            while (event := await judging.until_gone(request, anext(events, None))) is not None:
                yield event
        except Refusal as refusal:
            yield {"event": "error", "error": refusal.detail.model_dump()}


async def _written(
    events: AsyncGenerator[Event, None], *, server_sent: bool
) -> AsyncGenerator[bytes, None]:
    async with aclosing(events):
        async for event in events:
            line = json.dumps(event)  # ASCII: some clients split lines at U+2028, too
            name = event["event"]
            yield (f"event: {name}\ndata: {line}\n\n" if server_sent else line + "\n").encode()
