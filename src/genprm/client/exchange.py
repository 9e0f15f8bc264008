"""What a client sends and how it reads replies, without any I/O of its own."""

import json
from collections.abc import Generator, Mapping, Sequence
from typing import TypeAlias, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from genprm.errors import InputError, ModelError
from genprm.problem import Solution
from genprm.records.record import without_surrogates
from genprm.records.service import ScoredSolution
from genprm.records.validation import field_fault
from genprm.records.verdicts import VerdictRow

Reply = TypeVar("Reply", bound=BaseModel)
Candidate: TypeAlias = str | Sequence[str]
BUSY = frozenset({429, 502, 503})
_LONGEST_WAIT = 60.0


class Verdicts(BaseModel):
    """A reply of /v1/verify with every vote."""

    verdicts: list[VerdictRow]


class Scores(BaseModel):
    """A reply of /v1/verify in its short form."""

    verdicts: list[ScoredSolution]


class Calls:
    """What is sent and how replies are read; the blocking and asynchronous clients use it."""

    def __init__(self, url: str, *, api_key: str | None, retries: int) -> None:
        self.url = url.rstrip("/")
        self.retries = retries
        self.headers = {"authorization": f"Bearer {api_key.strip()}"} if api_key else {}

    def exchange(
        self, path: str, body: Mapping[str, object] | None, kind: type[Reply]
    ) -> Generator[httpx.Request | float, httpx.Response | httpx.TransportError, Reply]:
        """Yield requests to send and seconds to wait, and be sent the outcome of each request."""
        for attempt in range(self.retries + 1):
            came = yield self.request(path, body)
            if isinstance(came, httpx.Response):
                if came.status_code == httpx.codes.OK:
                    return self.read(came, kind)
                fault = self.fault(came)
                wait = seconds_to_wait(came.headers.get("retry-after"), attempt)
                if came.status_code not in BUSY:
                    raise fault
            else:
                fault = self.unreachable(came)
                wait = seconds_to_wait(None, attempt)
                if isinstance(came, httpx.ReadTimeout):
                    raise fault
            if attempt < self.retries:
                yield wait
        raise fault

    def request(self, path: str, body: Mapping[str, object] | None) -> httpx.Request:
        """A POST of the body, or a GET without one. Half surrogate pairs become U+FFFD."""
        if body is None:
            return httpx.Request("GET", self.url + path, headers=self.headers)
        text = json.dumps(without_surrogates(body), ensure_ascii=False)
        headers = {**self.headers, "content-type": "application/json"}
        return httpx.Request("POST", self.url + path, headers=headers, content=text.encode())

    def read(self, reply: httpx.Response, kind: type[Reply]) -> Reply:
        """Parse the reply."""
        try:
            return kind.model_validate_json(reply.content)
        except ValidationError as error:
            raise ModelError(
                f"{self.url}: not a reply of genprm serve: {field_fault(error)}; "
                "fix: name the address of a genprm service of this version"
            ) from None

    def fault(self, reply: httpx.Response) -> ModelError | InputError:
        """The error that the service reports."""
        try:
            error = json.loads(reply.content)["error"]
            field = f"field {error['field']}: " if error["field"] else ""
            said = f"{field}{error['message']}; fix: {error['fix']}"
        except (ValueError, KeyError, TypeError):
            said = " ".join(reply.text[:200].split())
        kind = InputError if reply.status_code in (413, 422) else ModelError
        return kind(f"{self.url} answered {reply.status_code}: {said}")

    def unreachable(self, error: httpx.TransportError) -> ModelError:
        """The error when the service does not answer."""
        if isinstance(error, httpx.ReadTimeout):
            return ModelError(
                f"{self.url} did not answer in time; fix: send fewer solutions at once"
            )
        return ModelError(f"{self.url} cannot be reached: {error}; fix: start genprm serve there")


def verify_body(
    solutions: Sequence[Solution],
    options: Mapping[str, object],
    rows: Sequence[int] | None = None,
) -> dict[str, object]:
    """The request for these solutions; `rows` are their places in a run, for their seeds."""
    places = range(len(solutions)) if rows is None else rows
    asked = [
        {"problem": one.problem, "steps": list(one.steps), "id": one.id, "row": row}
        for one, row in zip(solutions, places, strict=True)
    ]
    return {**options, "solutions": asked}


def rank_body(
    problem: str, candidates: Sequence[Candidate], options: Mapping[str, object]
) -> dict[str, object]:
    """The request that ranks these candidates."""
    return {**options, "problem": problem, "candidates": list(candidates)}


def pool_body(
    problem: str, samples: Sequence[Sequence[str]], row: int, options: Mapping[str, object]
) -> dict[str, object]:
    """The request that judges these samples' steps, each beginning once."""
    return {**options, "problem": problem, "samples": list(map(list, samples)), "row": row}


def critique_body(solution: Solution, options: Mapping[str, object]) -> dict[str, object]:
    """The request that criticises this solution."""
    return {**options, "problem": solution.problem, "steps": list(solution.steps)}


def seconds_to_wait(said: str | None, attempt: int) -> float:
    """Seconds until a refused request is sent again: as the service says, or longer each time."""
    try:
        wait = float(said or "")
    except ValueError:
        wait = 0.5 * 2**attempt
    return max(0.0, min(wait, _LONGEST_WAIT))
