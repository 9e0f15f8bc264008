"""The asynchronous client, which can also follow a stream."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Self

import httpx
from pydantic import BaseModel

from genprm.client.exchange import (
    BUSY,
    Calls,
    Candidate,
    Reply,
    Scores,
    Verdicts,
    critique_body,
    pool_body,
    rank_body,
    seconds_to_wait,
    verify_body,
)
from genprm.errors import ModelError
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.records.service import CritiqueReply, Detail, PoolReply, RankReply, ScoredSolution
from genprm.records.verdicts import StepRow, VerdictRow


@dataclass(frozen=True, slots=True)
class StepEvent:
    """One step's verdict while its solution is being judged; `row` is the solution's index."""

    row: int
    step: int
    verdict: StepRow


class _Place(BaseModel):
    row: int
    step: int


class _Fault(BaseModel):
    message: str


class _Error(BaseModel):
    error: _Fault


class AsyncClient(Calls):
    """The asynchronous client; see `Client`."""

    def __init__(
        self, url: str, *, api_key: str | None = None, timeout: float = 3600.0, retries: int = 6
    ) -> None:
        super().__init__(url, api_key=api_key, retries=retries)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=10.0),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        )

    async def verify(
        self,
        solutions: Sequence[Solution],
        *,
        rows: Sequence[int] | None = None,
        **options: object,
    ) -> list[VerdictRow]:
        """As `Client.verify`."""
        body = verify_body(solutions, options, rows)
        return (await self._call("/v1/verify", body, Verdicts)).verdicts

    async def scores(
        self,
        solutions: Sequence[Solution],
        *,
        rows: Sequence[int] | None = None,
        **options: object,
    ) -> list[ScoredSolution]:
        """As `Client.scores`."""
        body = verify_body(solutions, {**options, "detail": Detail.SCORES.value}, rows)
        return (await self._call("/v1/verify", body, Scores)).verdicts

    async def stream(
        self,
        solutions: Sequence[Solution],
        *,
        rows: Sequence[int] | None = None,
        **options: object,
    ) -> AsyncGenerator[StepEvent | VerdictRow, None]:
        """Yield steps as they are judged, and a row for each solution when it is finished.

        Raises:
            InputError, ModelError: as `verify`; also where the stream ends before its end.
        """
        body = {**verify_body(solutions, options, rows), "stream": True}
        try:
            async with aclosing(await self._accepted("/v1/verify", body)) as reply:
                async for line in reply.aiter_lines():
                    event = json.loads(line)
                    if event["event"] == "done":
                        return
                    yield self._event(event)
        except httpx.TransportError as error:
            raise self.unreachable(error) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{self.url}: not a stream of genprm serve: {error}") from None
        raise ModelError(f"{self.url}: the stream broke off; fix: ask again")

    async def _accepted(self, path: str, body: Mapping[str, object]) -> httpx.Response:
        """The reply before its body is read; a busy service is asked again."""
        for attempt in range(self.retries + 1):
            reply = await self._http.send(self.request(path, body), stream=True)
            if reply.status_code == httpx.codes.OK:
                return reply
            await reply.aread()
            await reply.aclose()
            if reply.status_code not in BUSY or attempt == self.retries:
                break
            await asyncio.sleep(seconds_to_wait(reply.headers.get("retry-after"), attempt))
        raise self.fault(reply)

    async def rank(
        self, problem: str, candidates: Sequence[Candidate], **options: object
    ) -> RankReply:
        """As `Client.rank`."""
        return await self._call("/v1/rank", rank_body(problem, candidates, options), RankReply)

    async def pool(
        self, problem: str, samples: Sequence[Sequence[str]], *, row: int = 0, **options: object
    ) -> PoolReply:
        """As `Client.pool`."""
        return await self._call("/v1/pool", pool_body(problem, samples, row, options), PoolReply)

    async def critique(self, solution: Solution, **options: object) -> CritiqueReply:
        """As `Client.critique`."""
        return await self._call("/v1/critique", critique_body(solution, options), CritiqueReply)

    async def judge(self) -> JudgeSpec:
        """As `Client.judge`."""
        return await self._call("/v1/judge", None, JudgeSpec)

    async def close(self) -> None:
        """Close the connections. Idempotent."""
        await self._http.aclose()

    def _event(self, event: dict[str, object]) -> StepEvent | VerdictRow:
        if event["event"] == "error":
            raise ModelError(f"{self.url}: {_Error.model_validate(event).error.message}")
        if event["event"] == "verdict":
            return VerdictRow.model_validate(event)
        place = _Place.model_validate(event)
        return StepEvent(place.row, place.step, StepRow.model_validate(event))

    async def _call(self, path: str, body: Mapping[str, object] | None, kind: type[Reply]) -> Reply:
        exchange = self.exchange(path, body, kind)
        try:
            action = next(exchange)
            while True:
                if isinstance(action, float):
                    await asyncio.sleep(action)
                    action = next(exchange)
                    continue
                try:
                    came: httpx.Response | httpx.TransportError = await self._http.send(action)
                except httpx.TransportError as error:
                    came = error
                action = exchange.send(came)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
