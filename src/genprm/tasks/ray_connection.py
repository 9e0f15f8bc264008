"""Connects to a Ray cluster, or fails with one clear line; and reports what its nodes have."""

import contextlib
import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field

from genprm.errors import InputError
from genprm.extras import require
from genprm.worker import Needs

PROBE_SECONDS = 5.0
_START = (
    "fix: start one with ray start --head, or name another with --ray-address; "
    "more: genprm explain ray-cluster"
)
_LOCAL = ("auto", "local")


@contextmanager
def connected(address: str) -> Iterator[None]:
    """A connection to the cluster at this address.

    A program that is connected already, such as a job on a cluster, keeps its connection.

    Args:
        address: `HOST:PORT` from a node of the cluster, `ray://HOST:PORT` from elsewhere, `auto`
            for the cluster that this machine belongs to, `local` for a new one on this machine.

    Raises:
        InputError: nothing answers there, or the versions differ.
        MissingExtra: Ray is not installed.
    """
    require("ray", extra="ray")
    if address not in _LOCAL:
        _probe(address)
    import ray

    if ray.is_initialized():
        yield
        return
    try:
        ray.init(
            address=address,
            log_to_driver=False,  # what actors print may be anything; errors come as results
            logging_level=logging.ERROR,
            include_dashboard=False if address == "local" else None,
        )
    except (ConnectionError, TimeoutError) as error:
        raise InputError(f"--ray-address {address}: {_line(error)}; {_START}") from None
    except (RuntimeError, ValueError, OSError) as error:
        if "ersion mismatch" in str(error):
            raise InputError(f"--ray-address {address}: {_mismatch(str(error))}") from None
        raise InputError(f"--ray-address {address}: {_line(error)}; {_START}") from None
    _silence()
    try:
        yield
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """Try a connection first, because Ray waits a minute, and some versions then abort."""
    found = re.fullmatch(r"(?:ray://)?(\[[^\]]+\]|[^:/\[]+):(\d{1,5})/?", address)
    if found is None:
        raise InputError(
            f"--ray-address {address}: this is not an address; "
            "fix: write HOST:PORT, ray://HOST:PORT, auto or local"
        )
    host, port = found[1].strip("[]"), int(found[2])
    try:
        socket.create_connection((host, port), PROBE_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--ray-address {address}: no cluster answers there ({error}); {_START}"
        ) from None


def _silence() -> None:
    """Stop Ray from reporting dead workers on standard output, where rows go; genprm does so."""
    import ray._private.worker as internals

    with contextlib.suppress(AttributeError):
        internals.print_to_stdstream = lambda *_, **__: None


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text.rstrip(". ")[:300] or type(error).__name__


def _mismatch(text: str) -> str:
    versions = re.findall(r"(?:Ray|Python): (\S+)", text)
    if len(versions) < 4:
        return f"{' '.join(text.split())[:300]}; fix: install the same versions on every node"
    theirs, ours = versions[:2], versions[2:4]
    return (
        f"the cluster runs Ray {theirs[0]} and Python {theirs[1]}, this command Ray {ours[0]} and "
        f"Python {ours[1]}; fix: install the same versions here and on every node"
    )


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is alive, with its total resources (not only the free ones)."""

    id: str
    host: str
    cpus: float
    gpus: float
    memory: float  # GiB

    def room(self, needs: Needs) -> int:
        """How many actors with these needs fit on the empty node."""
        shares = [
            has / asked
            for has, asked in (
                (self.cpus, needs.cpus),
                (self.gpus, needs.gpus),
                (self.memory, needs.memory),
            )
            if asked
        ]
        return int(min(shares, default=self.cpus))

    def __str__(self) -> str:
        return f"{self.host} has {self.cpus:g} CPU, {self.gpus:g} GPU, {self.memory:.1f} GiB"


def nodes() -> list[Node]:
    """The nodes of the cluster that are alive."""
    import ray

    listed: Callable[[], list[dict[str, object]]] = ray.nodes
    entries = [_Listed.model_validate(entry) for entry in listed()]
    return [entry.node() for entry in entries if entry.alive]


class _Listed(BaseModel):
    """A node as Ray lists it."""

    id: Annotated[str, Field(alias="NodeID")]
    alive: Annotated[bool, Field(alias="Alive")]
    host: Annotated[str, Field(alias="NodeManagerHostname")] = ""
    address: Annotated[str, Field(alias="NodeManagerAddress")] = ""
    resources: Annotated[dict[str, float], Field(alias="Resources")] = {}

    def node(self) -> Node:
        has = self.resources.get
        return Node(
            id=self.id,
            host=self.host or self.address,
            cpus=has("CPU", 0),
            gpus=has("GPU", 0),
            memory=has("memory", 0) / 2**30,
        )
