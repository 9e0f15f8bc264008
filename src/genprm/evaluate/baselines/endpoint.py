"""JSON over HTTP to a model server: what the baselines that ask one share."""

import asyncio
from typing import Any, Self

import httpx

from genprm.errors import ContextExceeded, ModelError

_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_TOO_LONG = ("context length", "context window", "maximum context", "too long", "max_model_len")


class Endpoint:
    """One server under a base URL such as `http://host:8000/v1`; an async context manager.

    Args:
        base: URL that paths are appended to.
        api_key: sent as a bearer token.
        attempts: how often a request is sent before it fails for good.
        pause: seconds before the second attempt; doubles with each.
        timeout: seconds to wait for an answer.
    """

    def __init__(
        self,
        base: str,
        *,
        api_key: str | None = None,
        attempts: int = 6,
        pause: float = 1.0,
        timeout: float = 600.0,
    ) -> None:
        self.base = base.rstrip("/")
        self._attempts = attempts
        self._pause = pause
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, limits=limits)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            ContextExceeded: the server says that the prompt is too long.
            ModelError: the server refused, or could not be reached in all attempts.
        """
        url = f"{self.base}{path}"
        fault = ""
        for attempt in range(self._attempts):
            if attempt:
                await asyncio.sleep(self._pause * 2 ** (attempt - 1))
            try:
                response = await self._client.post(url, json=body)
            except httpx.HTTPError as error:
                fault = f"{type(error).__name__} {error}".strip()
                continue
            if response.is_success:
                return _object(url, response)
            fault = f"status {response.status_code}: {response.text[:300]}"
            if response.status_code not in _RETRIED:
                break
        if any(sign in fault.lower() for sign in _TOO_LONG):
            raise ContextExceeded(f"{url}: {fault}")
        raise ModelError(f"{url}: {fault}; fix: check the URL, the model's name and the server")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()


def _object(url: str, response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ModelError(f"{url}: the answer is no JSON object; fix: name a server's /v1 URL")
    return answer
