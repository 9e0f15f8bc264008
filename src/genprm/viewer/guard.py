"""Security headers of every answer of the page, and which requests it accepts.

The page shows text that models wrote, so only its own scripts may run, and nothing may be loaded
from elsewhere. Requests must be addressed to this machine's own name, so that a page of another
site can neither read runs nor start work (DNS rebinding and cross-site requests).
"""

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genprm.same_site import LOOPBACK, Foreign, SameSite

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MAX_BODY = 8_000_000  # bytes


class Guard:
    """Middleware that refuses foreign hosts, foreign origins and long bodies, and sets headers."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] | None = LOOPBACK) -> None:
        self._app = app
        self._site = SameSite(None if hosts is None else frozenset(hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["method"])
        app = error_reply(refusal, 403) if refusal else self._app
        await app(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, method: str) -> str | None:
        match self._site.fault(headers):
            case Foreign.HOST:
                return (
                    "this page answers to this machine's own name only; fix: open its http address"
                )
            case Foreign.ORIGIN:
                return "a page of another site may not ask; fix: open this page itself"
        if method == "POST":
            if not headers.get("content-type", "").startswith("application/json"):
                return "only JSON is taken; fix: send content-type: application/json"
            length = headers.get("content-length", "")
            if not length.isdecimal() or int(length) > MAX_BODY:
                return f"the body's length is not known or above {MAX_BODY:,} bytes"
        return None


def error_reply(message: str, status: int) -> JSONResponse:
    """An error in the same format as the service's: what is wrong, and what to do."""
    wrong, _, fix = " ".join(message.split()).partition("; fix: ")
    return JSONResponse({"error": {"message": wrong, "field": None, "fix": fix}}, status)
