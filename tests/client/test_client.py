"""The client against a real service: typed replies, busy services, rows as in process."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from marked_steps import analyst
from scripted import Scripted
from serving import running

from genprm.client import AsyncClient, Client, StepEvent
from genprm.client.judge import RemoteJudge, options
from genprm.errors import InputError, ModelError, RequestFailed
from genprm.model import Sampling
from genprm.policy import Sample
from genprm.pools import Pool
from genprm.problem import Problem, Solution
from genprm.records.service import PoolReply
from genprm.records.verdicts import StepRow, VerdictRow
from genprm.scale.best_of_n import Candidate, judge_all
from genprm.server.app import ServiceLimits, create_service
from genprm.server.requests import JudgingRequest
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.settings import Settings
from genprm.verify.turn import Limits as VoteLimits
from genprm.verify.verifier import Verifier
from genprm.verify.voting import Adaptive

SOLUTIONS = [
    Solution("1 + 1?", ("1 + 1 = 2.", "So wrong."), "a", {"source": "mine"}),
    Solution("2 + 2?", ("fine",)),
    Solution("3 + 3?", ("unreadable", "fine")),
]
SETTINGS = Settings(mode=Mode.COT, votes=3, seed=7)


def local(settings: Settings = SETTINGS) -> Verifier:
    return Verifier(analyst(), None, settings, clock=lambda: 0.0)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(create_service(local(Settings()))) as address:
        yield address


def test_replies_are_typed(url: str) -> None:
    with Client(url) as client:
        rows = client.verify(SOLUTIONS, mode="cot")
        assert [row.first_error for row in rows] == [1, -1, None]
        assert client.scores(SOLUTIONS[:1], mode="cot")[0].labels == (True, False)
        assert client.rank("?", ["wrong", "fine"], mode="cot").order == (1, 0)
        assert client.critique(SOLUTIONS[0], mode="cot").critique == "Fine."
        assert client.judge().judge == "genprm"


def test_steps_are_streamed_to_the_awaited_client(url: str) -> None:
    async def events() -> list[object]:
        async with AsyncClient(url) as client:
            return [event async for event in client.stream(SOLUTIONS[:1], mode="cot")]

    first, second, row = asyncio.run(events())
    assert isinstance(first, StepEvent)
    assert isinstance(second, StepEvent)
    assert (first.step, second.verdict.label) == (0, False)
    assert isinstance(row, VerdictRow)


def test_rows_through_the_service_are_those_in_process(url: str) -> None:
    async def rows(judge: Any) -> list[bytes]:
        found = {row: verdict async for row, verdict in judge.verify_many(enumerate(SOLUTIONS))}
        return [VerdictRow.of(row, one, found[row]).line() for row, one in enumerate(SOLUTIONS)]

    async def remote() -> list[bytes]:
        async with AsyncClient(url) as client:
            judge = RemoteJudge(client, await client.judge(), SETTINGS)
            assert judge.spec == local().spec
            return await rows(judge)

    assert asyncio.run(remote()) == asyncio.run(rows(local()))


POOL = Pool(
    Problem("p", "1 + 1?"),
    tuple(
        Sample("1 + 1?", steps, complete, 0)
        for steps, complete in [
            (("fine", "So wrong."), True),
            (("fine", "also fine"), True),
            (("cut off",), False),
            (("fine", "So wrong."), True),
        ]
    ),
)


def test_a_pool_through_the_service_is_ranked_as_in_process(url: str) -> None:
    async def remote() -> list[Candidate]:
        async with AsyncClient(url) as client:
            judge = RemoteJudge(client, await client.judge(), SETTINGS)
            return await judge_all(judge, POOL, row=3)

    found = asyncio.run(remote())
    assert [_timeless(one) for one in found] == [
        _timeless(one) for one in asyncio.run(judge_all(local(), POOL, row=3))
    ]
    assert [len(one.steps) for one in found] == [2, 2, 0, 2]


def _timeless(candidate: Candidate) -> list[dict[str, Any]]:
    rows = [json.loads(StepRow.of(step).line()) for step in candidate.steps]
    for row in rows:
        for vote in row["votes"]:
            vote["usage"].pop("seconds")
    return rows


def test_a_pool_that_the_engine_refuses_fails_and_says_why() -> None:
    class Picky(Scripted):
        def render(self, *args: Any, **options: Any) -> str:
            raise RequestFailed("the engine refused it")

    async def judge(url: str) -> None:
        async with AsyncClient(url) as client:
            remote = RemoteJudge(client, await client.judge(), SETTINGS)
            with pytest.raises(RequestFailed, match="the engine refused it"):
                await judge_all(remote, POOL, row=0)
            with pytest.raises(InputError, match="field votes"):
                await judge_all(remote.using(Settings(votes=10**6)), POOL, row=0)

    verifier = Verifier(analyst(Picky), None, SETTINGS)  # type: ignore[arg-type]
    with running(create_service(verifier)) as address:
        asyncio.run(judge(address))


def test_a_pool_whose_reply_lacks_a_verdict_fails_alone(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def judge() -> None:
        async with AsyncClient(url) as client:
            remote = RemoteJudge(client, await client.judge(), SETTINGS)
            whole = await client.pool("p", [["fine", "also fine"]])
            short = whole.model_copy(update={"samples": (whole.samples[0][:1],)})

            async def pool(*asked: Any, **options: Any) -> PoolReply:
                return short

            monkeypatch.setattr(client, "pool", pool)
            with pytest.raises(RequestFailed, match="does not have a verdict for each step"):
                await remote.judge_pool("p", [["fine", "also fine"]], row=0)

    asyncio.run(judge())


def test_every_setting_reaches_the_service() -> None:
    settings = Settings(
        Mode.CODE, 5, Adaptive.CONFIDENT, 0.1, True, Sampling(0.3, 0.8, 5), 9,
        VoteLimits(77, 2), 1.5, PromptFormat(False, True, True),
    )  # fmt: skip
    body = JudgingRequest.model_validate(json.loads(json.dumps(options(settings))))
    assert body.settings(Settings(), ServiceLimits(), [1]) == settings


def test_what_cannot_be_judged_fails_alone(url: str) -> None:
    async def judge() -> None:
        async with AsyncClient(url) as client:
            remote = RemoteJudge(client, await client.judge(), SETTINGS)
            with pytest.raises(RequestFailed, match="NUL"):
                await remote.verify(Solution("?", ("a\0",)))
            with pytest.raises(InputError, match="field votes"):
                await remote.using(Settings(votes=10**6)).verify(SOLUTIONS[0])
            with pytest.raises(InputError, match="whole solutions"):
                remote.begin()

    asyncio.run(judge())


def test_a_bad_request_and_an_absent_service_are_clear() -> None:
    absent = Client("http://127.0.0.1:9", retries=0)
    with absent, pytest.raises(ModelError, match=r"cannot be reached.*fix: start genprm serve"):
        absent.judge()


class Busy(BaseHTTPRequestHandler):
    """Refuses twice, then answers something else."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(429 if self.asked < 3 else 200)
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


def test_a_busy_service_is_asked_again_and_a_stranger_is_told_apart() -> None:
    server = HTTPServer(("127.0.0.1", 0), Busy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = Client(f"http://127.0.0.1:{server.server_port}", api_key="secret\n")
        with client, pytest.raises(ModelError, match="not a reply of genprm serve") as error:
            client.judge()
        assert Busy.asked == 3
        assert "secret" not in str(error.value)
    finally:
        server.shutdown()
        server.server_close()
