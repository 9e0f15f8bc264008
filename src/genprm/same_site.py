"""Which browser requests a local service answers: those under its own name from its own pages.

A browser lets any page send requests to 127.0.0.1. Such a request carries the page's `Origin`, or
reaches the service under a foreign `Host` (DNS rebinding), so both are checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Foreign(StrEnum):
    """The header that shows that a request is foreign."""

    HOST = "Host"
    ORIGIN = "Origin"


@dataclass(frozen=True, slots=True)
class SameSite:
    """Which requests are accepted.

    Args:
        hosts: names under which the service may be addressed, in lower case; None allows any.
        origins: other origins whose pages may call the service, as `https://host`.
    """

    hosts: frozenset[str] | None = LOOPBACK
    origins: frozenset[str] = frozenset()

    def fault(self, headers: Mapping[str, str]) -> Foreign | None:
        """The header because of which a request is refused; None if it is accepted.

        `headers` maps names in lower case to headers.
        """
        host = headers.get("host", "")
        if self.hosts is not None and host_name(host) not in self.hosts:
            return Foreign.HOST
        origin = headers.get("origin")
        if origin in self.origins:
            return None
        foreign = headers.get("sec-fetch-site") == "cross-site"
        if foreign or (origin is not None and _netloc(origin) != host):
            return Foreign.ORIGIN
        return None


def host_name(header: str) -> str:
    """The name in a `Host` header, in lower case and without its port; "" if there is none."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
