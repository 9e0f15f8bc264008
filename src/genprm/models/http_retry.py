"""Calling again when a server is busy, restarting or gone for a moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx

from genprm.errors import ModelError

_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}

T = TypeVar("T")


class Unavailable(Exception):
    """The server said: not now. `after` is when it may be asked again, if it told; seconds."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(Exception):
    """The server said no; asking again would not help."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with full jitter; a server's Retry-After comes first.

    The pauses grow from `first` to `longest` seconds; the defaults outlast a server's restart.
    """

    attempts: int = 8
    first: float = 0.5
    longest: float = 30.0

    async def __call__(self, call: Callable[[], Awaitable[T]], *, server: str) -> T:
        """The first result of `call` that is not `Unavailable` or a lost connection.

        Raises:
            ModelError: none came in all attempts. `Refused` passes.
        """
        attempt = 1
        while True:
            try:
                return await call()
            except (Unavailable, httpx.TransportError) as error:
                if attempt >= self.attempts:
                    raise ModelError(
                        f"{server}: {cause(error)}, {attempt} times; is the server healthy?"
                    ) from error
                await asyncio.sleep(self._pause(attempt, error))
            attempt += 1

    def _pause(self, attempt: int, error: Exception) -> float:
        if isinstance(error, Unavailable) and error.after is not None:
            return min(error.after, self.longest)
        return random.uniform(0, min(self.longest, self.first * 2**attempt))


def check(response: httpx.Response) -> None:
    """Pass a good response.

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
    """What went wrong, in words; httpx's own are sometimes empty."""
    if isinstance(error, httpx.ConnectError):
        return f"cannot connect ({error})"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.TransportError):
        return f"connection lost ({error or type(error).__name__})"
    return str(error)


def _message(response: httpx.Response) -> str:
    """The reason that a server gives: OpenAI's, vLLM's and FastAPI's shapes, or plain text."""
    try:
        body = response.json()
    except ValueError:
        return response.text.strip()[:200]
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
