"""Who may use the service: API keys, and protection against web pages that post to it.

A service that other machines can reach requires a key. The files of its page are open: they hold no
data, and a browser that opens a page sends no key.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from genprm.errors import InputError
from genprm.same_site import LOOPBACK, Foreign, SameSite, host_name
from genprm.server.errors import Refusal

KEYS_VARIABLE = "GENPRM_API_KEYS"
OPEN_ROUTES = frozenset({"/health", "/healthz", "/ready"})  # for probes, which send no key
_SHORTEST_KEY = 8


@dataclass(frozen=True, slots=True, repr=False)
class Security:
    """What a request must satisfy.

    Args:
        keys: SHA-256 digests of the accepted keys; if empty, no key is needed.
        hosts: names under which the service may be addressed; None allows any.
        origins: other origins whose pages may call the service, as `https://host`.
        open_routes: paths that need no key.
    """

    keys: tuple[bytes, ...] = ()
    hosts: frozenset[str] | None = LOOPBACK
    origins: frozenset[str] = frozenset()
    open_routes: frozenset[str] = OPEN_ROUTES

    def check(self, path: str, headers: Headers) -> None:
        """Return if the request is allowed.

        Raises:
            Refusal: 401, 403 or 421.
        """
        match SameSite(self.hosts, self.origins).fault(headers):
            case Foreign.HOST:
                host = host_name(headers.get("host", ""))
                raise Refusal(
                    421,
                    f"this service is not known as {host!r}",
                    field="Host",
                    fix="use the name on which it listens, or start it with --allow-host NAME",
                )
            case Foreign.ORIGIN:
                raise Refusal(
                    403,
                    "pages of another origin may not call this service",
                    field="Origin",
                    fix="start it with --allow-origin and the page's origin",
                )
        if self.keys and path not in self.open_routes and not self._has_key(headers):
            raise Refusal(
                401,
                "no valid API key",
                field="Authorization",
                fix="send the header Authorization: Bearer KEY",
            )

    def _has_key(self, headers: Headers) -> bool:
        """Compares with every key in constant time; Basic's password counts as a key.

        Trainers that take only a URL can send a key as `http://any:KEY@host`.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        elif scheme.lower() != "bearer":
            given = ""
        digest = _digest(given.strip())
        return sum(hmac.compare_digest(digest, key) for key in self.keys) > 0


class Guard:
    """ASGI middleware that lets through the requests that satisfy `Security`."""

    def __init__(self, app: ASGIApp, security: Security) -> None:
        self.app = app
        self.security = security

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] == "http":
            try:
                self.security.check(scope["path"], Headers(scope=scope))
            except Refusal as refusal:
                await refusal.response()(scope, receive, send)
                return
        await self.app(scope, receive, send)


def read_keys(file: Path | None) -> tuple[bytes, ...]:
    """Digests of the keys in a file, one on each line, and of those in the environment.

    Raises:
        InputError: the file cannot be read, holds no key, or a key is too short.
    """
    keys = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    if file is not None:
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise InputError(f"{file}: the keys cannot be read; fix: name a text file") from None
        keys += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if not keys:
            raise InputError(f"{file}: the file holds no key; fix: write one key on each line")
    if any(len(key) < _SHORTEST_KEY for key in keys):
        raise InputError(
            f"an API key is shorter than {_SHORTEST_KEY} characters; fix: use a longer one"
        )
    return tuple(map(_digest, keys))


def security_of(
    host: str, keys: tuple[bytes, ...], hosts: Iterable[str] = (), origins: Iterable[str] = ()
) -> Security:
    """The security of a service that listens on `host`.

    Raises:
        InputError: others can reach the address, and there is no key.
    """
    named = frozenset(map(str.lower, hosts))
    allowed = frozenset(origin.rstrip("/") for origin in origins)
    if is_loopback(host):
        return Security(keys, LOOPBACK | named | {host.lower()}, allowed)
    if not keys:
        raise InputError(
            f"--host {host}: others can reach this address, and no API key is set; "
            f"fix: pass --keys FILE, set {KEYS_VARIABLE}, or --host 127.0.0.1; "
            "more: genprm explain open-address"
        )
    return Security(keys, (LOOPBACK | named | {host.lower()}) if named else None, allowed)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
