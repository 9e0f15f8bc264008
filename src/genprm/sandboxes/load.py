"""Loads a sandbox by its name.

    auto, bare, …                          a tier of the sandbox on this machine
    remote:http://HOST:PORT[,http://…]     servers (genprm sandbox serve); all are used
    container:IMAGE[?engine=podman&runtime=runsc&tier=…&memory=8g&pids=4096]

The token of a server is read from the environment: GENPRM_SANDBOX_TOKEN.
"""

import os
from functools import partial
from urllib.parse import parse_qsl, urlsplit

from genprm.errors import InputError, MissingExtra
from genprm.sandbox import SandboxBackend
from genprm.sandboxes.fork_server import ForkServer

TOKEN_VARIABLE = "GENPRM_SANDBOX_TOKEN"


def load_sandbox(name: str) -> SandboxBackend:
    """The sandbox of this name, to be entered.

    Raises:
        InputError: the name cannot be read.
        SandboxError: there is no such tier.
        MissingExtra: the package for servers is not installed.
    """
    kind, separator, rest = name.partition(":")
    if separator and kind == "remote":
        return _remote(name, rest)
    if separator and kind == "container":
        return _container(name, rest)
    return ForkServer(name)


def _remote(name: str, addresses: str) -> SandboxBackend:
    try:
        from genprm.sandboxes.remote import websocket
    except ImportError as error:
        raise MissingExtra(error.name or "websockets", extra="sandbox") from None
    from genprm.sandboxes.remote.backend import RemoteSandbox
    from genprm.sandboxes.remote.connection import Address

    token = os.environ.get(TOKEN_VARIABLE)
    urls = list(dict.fromkeys(addresses.split(",")))
    for url in urls:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise InputError(
                f"--sandbox {name}: {url!r} is not an address; fix: write remote:http://HOST:PORT"
            )
    return RemoteSandbox([Address(url, partial(websocket.dial, url, token)) for url in urls])


def _container(name: str, rest: str) -> SandboxBackend:
    from genprm.sandboxes.remote.backend import RemoteSandbox
    from genprm.sandboxes.remote.container import Container

    image, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    known = {"engine", "runtime", "tier", "memory", "pids"}
    unknown = sorted(set(options) - known)
    if not image or image.startswith("-") or unknown or not options.get("pids", "1").isdigit():
        fault = f"no option {unknown[0]!r}" if unknown else "no image, or pids is no number"
        raise InputError(
            f"--sandbox {name}: {fault}; fix: write container:IMAGE?{'&'.join(sorted(known))}"
        )
    container = Container(
        image,
        engine=options.get("engine", "docker"),
        runtime=options.get("runtime"),
        tier=options.get("tier", "auto"),
        memory=options.get("memory", "8g"),
        pids=int(options.get("pids", "4096")),
    )
    return RemoteSandbox([container.address()])
