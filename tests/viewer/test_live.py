"""*Try it* without a browser: what is sent while votes are being cast, and what stopping does."""

import json
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("fastapi")
from marked_steps import analyst
from scripted import Scripted
from serving import Stuck, running, wait_until
from starlette.applications import Starlette

from genprm.server.app import ServiceLimits, create_service
from genprm.server.judging import Judging
from genprm.server.page import QueuedJudge
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier
from genprm.viewer.app import viewer_app
from genprm.viewer.library import Library

ASKED = {"problem": "What is 1 + 1?", "steps": ["One.", "This is wrong."], "votes": 2}


def page(judging: Judging) -> Starlette:
    return viewer_app(Library(), QueuedJudge(judging))


def serve(model: Scripted, limits: ServiceLimits = ServiceLimits()) -> Iterator[str]:
    verifier = Verifier(model, None, Settings(mode=Mode.COT))  # type: ignore[arg-type]
    with running(create_service(verifier, limits, page=page), limits) as url:
        yield url


@pytest.fixture
def url() -> Iterator[str]:
    yield from serve(analyst())


def events(reply: httpx.Response) -> Iterator[dict[str, object]]:
    name = ""
    for line in reply.iter_lines():
        kind, _, value = line.partition(": ")
        if kind == "event":
            name = value
        elif kind == "data":
            yield {"event": name, **json.loads(value)}


def test_every_vote_is_shown_before_its_step(url: str) -> None:
    with httpx.stream("POST", f"{url}/api/live", json=ASKED, timeout=30) as reply:
        seen = list(events(reply))
    names = [str(event["event"]) for event in seen]
    assert names[0] == "begin"
    assert names[-1] == "done"
    for step in (0, 1):
        votes = [e for e in seen if e["event"] == "vote" and e["step"] == step]
        assert {e["index"] for e in votes} == {0, 1}
        assert [e for e in votes if e["vote"] is None and "Fine." in str(e["text"])]
        assert len([e for e in votes if e["vote"] is not None]) == 2
        verdict = next(e for e in seen if e["event"] == "step" and e["index"] == step)
        assert seen.index(votes[-1]) < seen.index(verdict)


def test_requests_side_by_side_see_only_their_own_votes(url: str) -> None:
    other = {**ASKED, "steps": ["Alone."], "votes": 1}
    with (
        httpx.stream("POST", f"{url}/api/live", json=ASKED, timeout=30) as first,
        httpx.stream("POST", f"{url}/api/live", json=other, timeout=30) as second,
    ):
        theirs, ours = list(events(first)), list(events(second))
    assert len([e for e in ours if e["event"] == "vote" and e["vote"] is not None]) == 1
    assert len([e for e in theirs if e["event"] == "vote" and e["vote"] is not None]) == 4


def test_stopping_cancels_down_to_the_model_and_frees_the_place() -> None:
    model = analyst(Stuck)
    for url in serve(model, ServiceLimits(concurrency=1, waiting=0)):
        with httpx.stream("POST", f"{url}/api/live", json=ASKED, timeout=30) as reply:
            seen = events(reply)  # kept: closing it would close the stream
            assert next(seen)["event"] == "begin"
            wait_until(lambda: model.running == 2)
            refused = httpx.post(f"{url}/api/live", json=ASKED, timeout=30)
            assert "busy" in refused.text
            assert "fix:" in refused.text
        wait_until(lambda: model.running == 0)
        assert model.cancelled == 2


def test_the_services_limits_hold_on_the_page() -> None:
    for url in serve(analyst(), ServiceLimits(votes=1)):
        reply = httpx.post(f"{url}/api/live", json=ASKED, timeout=30)
        assert "event: error" in reply.text
        assert "votes: 2 is too much; fix:" in reply.text
