"""What every HTTP caller shares: retries, reading errors in replies, and the API key.

An error may arrive as a status, as an `error` object with status 200, or in the middle of a
stream. All three are read here and become `Unavailable` (try again) or `Refused` (do not).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from genprm.errors import InputError, ModelError

_TRANSIENT = {408, 409, 425, 429, 500, 502, 503, 504, 529}

T = TypeVar("T")


class Unavailable(Exception):
    """The server cannot answer now. `after` is how many seconds to wait, if it said so."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class BadReply(Unavailable):
    """A reply that is cut off, or an error with status 200: retried, but not for long."""


class Refused(Exception):
    """The server refused the request; a retry would not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter; a server's Retry-After takes precedence.

    The pauses grow from `first` to `longest` seconds; the defaults outlast a server's restart.
    """

    attempts: int = 8
    first: float = 0.5
    longest: float = 30.0
    bad_replies: int = 4  # attempts at most where the server answers, but with a fault

    async def __call__(self, call: Callable[[], Awaitable[T]], *, server: str) -> T:
        """Call until the result is not `Unavailable` or a lost connection.

        Raises:
            ModelError: all attempts failed. `Refused` is passed on.
        """
        attempt = 1
        while True:
            try:
                return await call()
            except (Unavailable, httpx.TransportError) as error:
                bad = isinstance(error, BadReply)
                if attempt >= (min(self.attempts, self.bad_replies) if bad else self.attempts):
                    raise ModelError(
                        f"{server}: {cause(error)}, {attempt} times; fix: look at the server's log"
                    ) from error
                await asyncio.sleep(self._pause(attempt, error))
            attempt += 1

    def _pause(self, attempt: int, error: Exception) -> float:
        if isinstance(error, Unavailable) and error.after is not None:
            return min(error.after, self.longest)
        return random.uniform(0, min(self.longest, self.first * 2**attempt))


def check(response: httpx.Response) -> None:
    """Return if the response is good.

    Raises:
        Unavailable: try again. Refused: do not.
    """
    if response.is_success:
        return
    message = f"HTTP {response.status_code}: {_message(response)}"
    if response.status_code in _TRANSIENT:
        raise Unavailable(message, _retry_after(response))
    raise Refused(response.status_code, message)


def cause(error: Exception) -> str:
    """What went wrong, as text; httpx's own messages are sometimes empty."""
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect ({error})"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.TransportError):
        return f"connection lost ({error or type(error).__name__})"
    return str(error)


def check_reply(reply: object) -> None:
    """Return if a decoded reply carries no error.

    Raises:
        BadReply, Refused: it is an error object, as some servers and proxies send with status 200.
    """
    if not isinstance(reply, dict) or not _is_error(reply):
        return
    error = reply.get("error")
    code = error.get("code", reply.get("code")) if isinstance(error, dict) else reply.get("code")
    message = f"the server answers with an error: {_reason(reply)}"
    digits = str(code)
    status = int(digits) if digits.isdecimal() and len(digits) == 3 else 500
    if 400 <= status < 500 and status not in _TRANSIENT:
        raise Refused(status, message)
    raise BadReply(message)


def bearer(api_key: str | None) -> dict[str, str]:
    """The header that carries a key; empty without a key. White space around the key is removed.

    Raises:
        InputError: it cannot be sent. The key itself is never part of a message.
    """
    key = (api_key or "").strip()
    if not key:
        return {}
    if not (key.isascii() and key.isprintable()):
        raise InputError(
            "the API key holds a character that no header can carry (not printable ASCII); "
            "fix: copy the key once more into OPENAI_API_KEY or --api-key"
        )
    return {"Authorization": f"Bearer {key}"}


def _is_error(reply: dict[str, object]) -> bool:
    if reply.get("error"):
        return True
    return not reply.get("choices") and isinstance(reply.get("message"), str) and "code" in reply


def _message(response: httpx.Response) -> str:
    """The reason that a server gives: in OpenAI's, vLLM's or FastAPI's format, or as plain text."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:200]
    return _reason(body)


def _reason(body: object) -> str:
    if not isinstance(body, dict):
        return str(body)[:200]
    error = body.get("error", body)
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or error
    return str(error)[:500]


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return float(response.headers["retry-after"])
    except (KeyError, ValueError):  # absent, or a date
        return None
