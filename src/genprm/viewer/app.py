"""The page as an ASGI application: its files, and the routes through which it reads runs."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from genprm.errors import GenprmError, InputError
from genprm.problem import split_steps
from genprm.records.record import Record
from genprm.records.validation import first_fault
from genprm.same_site import LOOPBACK
from genprm.viewer.comparison import compare, place_of
from genprm.viewer.evidence import mark_evidence
from genprm.viewer.guard import Guard, error_reply
from genprm.viewer.index import RunIndex
from genprm.viewer.library import Library
from genprm.viewer.live import LiveJudge, LiveRequest, SplitRequest, live_events
from genprm.viewer.query import PageRequest, Query, place_in

STATIC = Path(str(resources.files("genprm.viewer") / "static"))
B = TypeVar("B", bound=BaseModel)


class NotFound(InputError):
    """The page asked for something that does not exist."""


def viewer_app(
    library: Library, judge: LiveJudge | None = None, *, hosts: Iterable[str] | None = LOOPBACK
) -> Starlette:
    """The page for a library of runs; with a judge, also *Try it*."""
    page = _Page(library, judge)
    return Starlette(
        routes=[
            Route("/api/runs", page.runs),
            Route("/api/runs/{run:int}/entries", page.entries),
            Route("/api/runs/{run:int}/entries/{number:int}", page.entry),
            Route("/api/runs/{run:int}/place/{number:int}", page.place),
            Route("/api/runs/{run:int}/funnel", page.funnel),
            Route("/api/runs/{run:int}/corrections", page.corrections),
            Route("/api/runs/{run:int}/corrections", page.correct, methods=["POST"]),
            Route("/api/runs/{run:int}/corrections/{name}.jsonl", page.corrected),
            Route("/api/compare/{a:int}/{b:int}", page.compare),
            Route("/api/compare/{a:int}/{b:int}/place/{left:int}/{right:int}", page.pair_place),
            Route("/api/split", page.split, methods=["POST"]),
            Route("/api/live", page.live, methods=["POST"]),
            Mount("/", StaticFiles(directory=STATIC, html=True)),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={GenprmError: _failed, HTTPException: _not_there},
    )


def page_files() -> frozenset[str]:
    """The paths of the page's own files, which contain no data and need no key."""
    files = (file for file in STATIC.rglob("*") if file.is_file())
    return frozenset({"/", *(f"/{file.relative_to(STATIC).as_posix()}" for file in files)})


class _Page:
    """The routes, one method each. Those that read files run in a thread."""

    def __init__(self, library: Library, judge: LiveJudge | None) -> None:
        self.library = library
        self.judge = judge

    async def runs(self, _: Request) -> Response:
        """Every run, and whether *Try it* works."""
        runs = await run_in_threadpool(self.library.refresh)
        return _json({"runs": _objects(runs), "live": self.judge is not None, "bundle": False})

    async def entries(self, request: Request) -> Response:
        """A page of a run's list."""
        query = _parsed(Query, dict(request.query_params))
        index = self._index(request)
        total, found = await run_in_threadpool(index.find, query)
        body = f'{{"total": {total}, "entries": [{",".join(found)}]}}'
        return Response(body, media_type="application/json")

    async def place(self, request: Request) -> Response:
        """The position of a row in a list, and the rows around it."""
        query, number = _parsed(Query, dict(request.query_params)), request.path_params["number"]
        ordered = await run_in_threadpool(self._index(request).numbers, query)
        return _answer(place_in(ordered, number))

    async def entry(self, request: Request) -> Response:
        """One complete row."""
        number = request.path_params["number"]
        document = await run_in_threadpool(self._index(request).document, number)
        if document is None:
            raise NotFound(f"row {number} is not in this run")
        return _answer(await run_in_threadpool(mark_evidence, document))

    async def funnel(self, request: Request) -> Response:
        """The funnel of a curation."""
        stages = await run_in_threadpool(self.library.funnel, self._run(request))
        return _json({"stages": _objects(stages)})

    async def corrections(self, request: Request) -> Response:
        """The current corrections, and what an export of them would contain."""
        found = await run_in_threadpool(self.library.corrections, self._run(request))
        return _answer(found)

    async def correct(self, request: Request) -> Response:
        """Store a correction in the journal."""
        run, body = self._run(request), await _body(request)
        found = await run_in_threadpool(self.library.correct, run, body)
        return _answer(found)

    async def corrected(self, request: Request) -> Response:
        """The corrections as rows for training or evaluation."""
        name = request.path_params["name"]
        if name not in ("chats", "labelled"):
            raise NotFound(f"{name}.jsonl; fix: ask for chats.jsonl or labelled.jsonl")
        rows = await run_in_threadpool(self.library.export, self._run(request))
        lines = rows.chats if name == "chats" else rows.labelled
        return Response(
            b"".join(row.line() for row in lines),
            media_type="application/x-ndjson",
            headers={"Content-Disposition": f'attachment; filename="{name}.jsonl"'},
        )

    async def compare(self, request: Request) -> Response:
        """One page of the comparison of two runs."""
        asked = _parsed(PageRequest, dict(request.query_params))
        a, b = self._pair(request)
        return _answer(await run_in_threadpool(compare, a, b, asked.offset, asked.limit))

    async def pair_place(self, request: Request) -> Response:
        """The position of a pair in the comparison, and the pairs around it."""
        left, right = request.path_params["left"], request.path_params["right"]
        return _answer(await run_in_threadpool(place_of, *self._pair(request), left, right))

    async def split(self, request: Request) -> Response:
        """A text, split into the steps in which it would be judged."""
        asked = _parsed(SplitRequest, await _body(request))
        return _json({"steps": list(split_steps(asked.solution))})

    async def live(self, request: Request) -> Response:
        """Judge one solution, step by step, until the client goes away."""
        if self.judge is None:
            raise NotFound(
                "this page was opened without a model; fix: start it with genprm view --live"
            )
        asked = _parsed(LiveRequest, await _body(request))
        events = _until_gone(request, live_events(self.judge, asked))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    def _pair(self, request: Request) -> tuple[RunIndex, RunIndex]:
        a, b = (_present(self.library.index(request.path_params[name])) for name in "ab")
        return a, b

    def _run(self, request: Request) -> int:
        run: int = request.path_params["run"]
        _present(self.library.index(run))
        return run

    def _index(self, request: Request) -> RunIndex:
        return _present(self.library.index(request.path_params["run"]))


T = TypeVar("T")


def _present(found: T | None) -> T:
    if found is None:
        raise NotFound("there is no such run on this page")
    return found


async def _until_gone(
    request: Request, events: AsyncGenerator[bytes, None]
) -> AsyncGenerator[bytes, None]:
    """The events until the client goes away, which cancels their source."""
    gone = asyncio.create_task(_gone(request))
    try:
        async with aclosing(events):
            while True:
                coming = asyncio.ensure_future(anext(events, None))
                try:
                    await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
                    event = coming.result() if coming.done() else None
                finally:
                    if not coming.done():
                        coming.cancel()
                        with suppress(asyncio.CancelledError):
                            await coming
                if event is None:
                    return
                yield event
    finally:
        gone.cancel()


async def _gone(request: Request) -> None:
    while not await request.is_disconnected():
        await asyncio.sleep(0.1)


async def _body(request: Request) -> dict[str, JsonValue]:
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise InputError("the body is not a JSON object")
    return body


def _parsed(model: type[B], fields: dict[str, JsonValue] | dict[str, str]) -> B:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise InputError(first_fault(error)) from None


def _objects(records: Iterable[Record]) -> list[JsonValue]:
    return [dict(record.json_object()) for record in records]


def _answer(record: Record) -> Response:
    return Response(record.line(), media_type="application/json")


def _json(value: dict[str, JsonValue]) -> Response:
    return JSONResponse(value)


async def _failed(_: Request, error: Exception) -> Response:
    return error_reply(str(error), 404 if isinstance(error, NotFound) else 400)


async def _not_there(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.url.path}: {error.detail.lower()}; fix: open the page at /"
    return error_reply(message, error.status_code)
