"""The messages between a sandbox server and its client.

    message = header, one line of JSON | newline | body

    server -> client   hello    tier                              once, first
    client -> server   run      id, session, timeout | code       a session begins with its first
                       fork     id, session, target               `target` is the new session
                       close    session
    server -> client   result   id, status, error, … | stdout
                       done     id                                the fork is made
                       failed   id, error                         the sandbox itself failed

Requests of different sessions overlap freely; those of one session do not. Ids and session numbers
are the client's. A session ends with its connection.

Code is UTF-8 with surrogates passed through, because models write them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from genprm.sandbox import RunResult, RunStatus

VERSION = 1
PATH = "/v1/sandbox"
MAX_MESSAGE = 32 << 20  # bytes


class MessageError(Exception):
    """The other end sent what the protocol does not allow."""


class _Header(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Hello(_Header):
    """The server is ready."""

    op: Literal["hello"] = "hello"
    version: int = VERSION
    tier: str


class RunRequest(_Header):
    """Run the body in a session."""

    op: Literal["run"] = "run"
    id: int
    session: int
    timeout: float  # seconds


class Fork(_Header):
    """Make `target` an independent copy of a session."""

    op: Literal["fork"] = "fork"
    id: int
    session: int
    target: int


class Close(_Header):
    """End a session, and what runs in it."""

    op: Literal["close"] = "close"
    session: int


class Result(_Header):
    """How a snippet ended; the body is what it printed."""

    op: Literal["result"] = "result"
    id: int
    status: RunStatus
    error: str | None
    duration: float  # seconds
    namespace_lost: bool

    @classmethod
    def of(cls, id: int, result: RunResult) -> "Result":
        """The header for a result."""
        return cls(
            id=id,
            status=result.status,
            error=result.error,
            duration=result.duration,
            namespace_lost=result.namespace_lost,
        )

    def with_stdout(self, stdout: bytes) -> RunResult:
        """The result again."""
        text = stdout.decode("utf-8", "replace")
        return RunResult(text, self.status, self.error, self.duration, self.namespace_lost)


class Done(_Header):
    """A fork was made."""

    op: Literal["done"] = "done"
    id: int


class Failed(_Header):
    """The sandbox could not do what was asked."""

    op: Literal["failed"] = "failed"
    id: int
    error: str


Request: TypeAlias = RunRequest | Fork | Close
Reply: TypeAlias = Hello | Result | Done | Failed

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="op")])
_REPLIES: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="op")])


def encode(header: Request | Reply, body: bytes = b"") -> bytes:
    """One message."""
    return header.model_dump_json().encode() + b"\n" + body


@dataclass(frozen=True, slots=True)
class Received:
    """A reply and its body."""

    header: Reply
    body: bytes


def read_request(data: bytes) -> tuple[Request, bytes]:
    """Header and body.

    Raises:
        MessageError: it is not a request.
    """
    header, _, body = data.partition(b"\n")
    try:
        return _REQUESTS.validate_json(header), body
    except ValidationError as error:
        raise MessageError(f"not a request: {error.errors()[0]['msg']}") from None


def read_reply(data: bytes) -> Received:
    """Header and body.

    Raises:
        MessageError: it is not a reply.
    """
    header, _, body = data.partition(b"\n")
    try:
        return Received(_REPLIES.validate_json(header), body)
    except ValidationError as error:
        raise MessageError(f"not a reply: {error.errors()[0]['msg']}") from None


def encode_code(code: str) -> bytes:
    """Code as the body of a run."""
    return code.encode("utf-8", "surrogatepass")


def decode_code(body: bytes) -> str:
    """The code in the body of a run.

    Raises:
        MessageError: it is not text.
    """
    try:
        return body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise MessageError("the code is not UTF-8") from None
