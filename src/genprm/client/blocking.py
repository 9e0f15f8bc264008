"""The blocking client."""

import time
from collections.abc import Mapping, Sequence
from typing import Self

import httpx

from genprm.client.exchange import (
    Calls,
    Candidate,
    Reply,
    Scores,
    Verdicts,
    critique_body,
    pool_body,
    rank_body,
    verify_body,
)
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.records.service import CritiqueReply, Detail, PoolReply, RankReply, ScoredSolution
from genprm.records.verdicts import VerdictRow


class Client(Calls):
    """The blocking client. Options are those of `POST /v1/verify`: votes, mode, seed, max_tokens, …

    Args:
        url: the address of the service, such as http://127.0.0.1:8321.
        api_key: the key that is sent with every request; it is never shown.
        timeout: most seconds for one request.
        retries: how often a request that was not accepted is sent again.
    """

    def __init__(
        self, url: str, *, api_key: str | None = None, timeout: float = 3600.0, retries: int = 6
    ) -> None:
        super().__init__(url, api_key=api_key, retries=retries)
        self._http = httpx.Client(timeout=httpx.Timeout(timeout, connect=10.0))

    def verify(
        self,
        solutions: Sequence[Solution],
        *,
        rows: Sequence[int] | None = None,
        **options: object,
    ) -> list[VerdictRow]:
        """A row for each solution, in order.

        Raises:
            InputError: the service refuses the request; the message names the field.
            ModelError: the service cannot be reached or does not answer.
        """
        return self._call("/v1/verify", verify_body(solutions, options, rows), Verdicts).verdicts

    def scores(
        self,
        solutions: Sequence[Solution],
        *,
        rows: Sequence[int] | None = None,
        **options: object,
    ) -> list[ScoredSolution]:
        """The short form of `verify`: rewards, labels and the first error of each."""
        body = verify_body(solutions, {**options, "detail": Detail.SCORES.value}, rows)
        return self._call("/v1/verify", body, Scores).verdicts

    def rank(self, problem: str, candidates: Sequence[Candidate], **options: object) -> RankReply:
        """Rank candidates. Raises as `verify`."""
        return self._call("/v1/rank", rank_body(problem, candidates, options), RankReply)

    def pool(
        self, problem: str, samples: Sequence[Sequence[str]], *, row: int = 0, **options: object
    ) -> PoolReply:
        """Every step's verdict, by sample; steps that follow equal steps are judged once.

        `row` is the problem's place in a run, from which seeds come. Raises as `verify`.
        """
        return self._call("/v1/pool", pool_body(problem, samples, row, options), PoolReply)

    def critique(self, solution: Solution, **options: object) -> CritiqueReply:
        """The analysis of the first wrong step. Raises as `verify`."""
        return self._call("/v1/critique", critique_body(solution, options), CritiqueReply)

    def judge(self) -> JudgeSpec:
        """The spec of the service's judge. Raises as `verify`."""
        return self._call("/v1/judge", None, JudgeSpec)

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._http.close()

    def _call(self, path: str, body: Mapping[str, object] | None, kind: type[Reply]) -> Reply:
        exchange = self.exchange(path, body, kind)
        try:
            action = next(exchange)
            while True:
                if isinstance(action, float):
                    time.sleep(action)
                    action = next(exchange)
                    continue
                try:
                    came: httpx.Response | httpx.TransportError = self._http.send(action)
                except httpx.TransportError as error:
                    came = error
                action = exchange.send(came)
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
