"""Runs every attack in one tier, each beside a canary session; a program, so that any uid can.

python -m hostile TIER < {"NAME": "value"}    prints one JSON object per attack

The tier `remote` is the strongest one of a server on this machine.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass

from attacks import ATTACKS, Attack
from remote_server import served

from genprm.sandbox import SandboxBackend
from genprm.sandboxes.fork_server import ForkServer
from genprm.sandboxes.load import load_sandbox

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attack."""

    name: str
    status: str
    stdout: str
    error: str | None
    duration: float
    canary: str  # what the neighbour still knows
    afterwards: str  # how the next snippet in the same session ended


async def attack_all(tier: str, host: Mapping[str, str]) -> AsyncIterator[Outcome]:
    """Every attack in a session of its own, a few at once."""
    os.environ["GENPRM_TEST_SECRET"] = host["SECRET"]
    turn = asyncio.Semaphore(_AT_ONCE)

    async def attempt(box: SandboxBackend, attack: Attack) -> Outcome:
        async with turn, box.session() as canary, box.session() as session:
            await canary.run(f"song = {attack.name!r}")
            result = await session.run(fill(attack.code, host), attack.timeout)
            afterwards = await session.run("print(1 + 1)")
            heard = await canary.run("print(song)")
            return Outcome(
                attack.name,
                result.status.value,
                result.stdout[:2000],
                result.error,
                result.duration,
                heard.stdout.strip() if not heard.namespace_lost else "namespace lost",
                afterwards.status.value,
            )

    async with open_sandbox(tier) as box:
        for outcome in asyncio.as_completed([attempt(box, attack) for attack in ATTACKS]):
            yield await outcome


@contextlib.asynccontextmanager
async def open_sandbox(tier: str) -> AsyncIterator[SandboxBackend]:
    """The sandbox of this tier, entered."""
    if tier.startswith("container:"):
        async with load_sandbox(tier) as box:
            yield box
        return
    if tier != "remote":
        async with ForkServer(tier) as box:
            yield box
        return
    with served() as (address, _):
        async with load_sandbox(f"remote:{address}") as box:
            yield box


def fill(code: str, host: Mapping[str, str]) -> str:
    """Put the host's facts into a snippet."""
    for name, value in host.items():
        code = code.replace(f"@{name}@", value)
    return code


async def main() -> None:
    async for outcome in attack_all(sys.argv[1], json.load(sys.stdin)):
        print(json.dumps(asdict(outcome)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
