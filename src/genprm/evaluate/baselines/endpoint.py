"""JSON over HTTP to a model server, for the baselines that use one."""

from typing import Any, Self

import httpx

from genprm.errors import ContextExceeded, ModelError, RequestFailed
from genprm.http import BadReply, Refused, Retry, bearer, check, check_reply

_ITEM_REFUSED = frozenset({400, 413, 422})  # statuses that may be about one request's text alone
_TOO_LONG = ("context length", "context window", "maximum context", "too long", "max_model_len")


class Endpoint:
    """One server under a base URL such as `http://host:8000/v1`; an async context manager.

    Args:
        base: the URL to which paths are appended.
        api_key: a key that is sent as a bearer token.
        attempts: how often a request is sent before it fails.
        pause: most seconds before the second attempt; it doubles with each further one.
        timeout: most seconds to wait for an answer.
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
        self._retry = Retry(attempts=attempts, first=pause / 2, bad_replies=attempts)
        self._answered = False
        headers = bearer(api_key)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(headers=headers, timeout=timeout, limits=limits)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the answer.

        Raises:
            ContextExceeded: the server says that the prompt is too long.
            RequestFailed: the server refused this request, or only this request failed.
            ModelError: the server refused, or could not be reached in all attempts.
        """
        url = f"{self.base}{path}"

        async def call() -> dict[str, Any]:
            response = await self._client.post(url, json=body)
            check(response)
            return _object(response)

        try:
            answer = await self._retry(call, server=url)
        except Refused as error:
            if any(sign in str(error).lower() for sign in _TOO_LONG):
                raise ContextExceeded(f"{url}: {error}") from None
            kind = RequestFailed if error.status in _ITEM_REFUSED else ModelError
            raise kind(
                f"{url}: {error}; fix: check the URL, the model's name and the server"
            ) from None
        except ModelError as error:
            raise (RequestFailed if self._answered else ModelError)(str(error)) from None
        self._answered = True
        return answer

    async def first_model(self) -> str:
        """The name of the first model that the server lists.

        Raises:
            ModelError: it lists none, or cannot be reached.
        """
        url = f"{self.base}/models"

        async def call() -> str:
            response = await self._client.get(url)
            check(response)
            try:
                return str(_object(response)["data"][0]["id"])
            except (KeyError, IndexError, TypeError):
                raise Refused(
                    200, "the server lists no model; fix: append #NAME to the URL"
                ) from None

        try:
            return await self._retry(call, server=url)
        except Refused as error:
            raise ModelError(f"{url}: {error}") from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = None
    check_reply(answer)
    if not isinstance(answer, dict):
        raise BadReply("the answer is not a JSON object; fix: name the URL of a server's /v1")
    return answer
