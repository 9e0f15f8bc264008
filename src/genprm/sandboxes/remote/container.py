"""A sandbox in a container: one long-lived container whose fork server is used through pipes.

    docker run --rm --interactive --network none --read-only --cap-drop ALL … IMAGE \
        sandbox serve --stdio

The container is an additional layer around the sandbox, not a replacement: inside it, sessions have
the best tier that works there. Under gVisor (`--runtime runsc`) neither Landlock nor supervised
system calls are available, but snippets only reach gVisor's own kernel. The tier must then be
named: `limits-only`.

CI tests the commands and the protocol over pipes with a stand-in for the engine's program. The
hostile suite has passed through Podman 4.3 with runc (`GENPRM_TEST_CONTAINER`); Docker and gVisor
have not been tried.
"""

import asyncio
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass

from genprm.errors import SandboxError
from genprm.sandboxes.remote.connection import Address
from genprm.sandboxes.remote.transport import PipeTransport, TransportClosed

STOP_LIMIT = 10.0  # seconds until a container has ended by itself


@dataclass(frozen=True, slots=True)
class Container:
    """How a container is run.

    Attributes:
        image: an image with genprm and the packages that snippets import.
        engine: the program: docker, podman, or another one with the same options.
        runtime: the runtime, such as runsc (gVisor); None is the engine's default.
        tier: the tier of the sandbox inside.
        memory: the memory limit of the whole container, in the engine's notation.
        pids: most processes in the whole container.
    """

    image: str
    engine: str = "docker"
    runtime: str | None = None
    tier: str = "auto"
    memory: str = "8g"
    pids: int = 4096

    def command(self, name: str) -> list[str]:
        """The command line that runs a container called `name` in the foreground."""
        options = [
            "--rm", "--interactive", "--name", name, "--network", "none", "--read-only",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "65534:65534",
            "--pids-limit", str(self.pids), "--memory", self.memory, "--memory-swap", self.memory,
            "--env", "HOME=/", "--workdir", "/", "--entrypoint", "genprm",
        ]  # fmt: skip
        if self.runtime is not None:
            options += ["--runtime", self.runtime]
        inside = ["sandbox", "serve", "--stdio", "--sandbox", self.tier]
        return [self.engine, "run", *options, self.image, *inside]

    def address(self) -> Address:
        """An address for a `RemoteSandbox`; connecting to it runs a container."""
        remedy = f"try {self.engine} run --rm --entrypoint genprm {self.image} --version"
        return Address(f"container {self.image}", self.start, remedy)

    async def start(self) -> "ContainerTransport":
        """Run a container.

        Raises:
            SandboxError: the engine is not installed.
        """
        if shutil.which(self.engine) is None:
            raise SandboxError(
                f"{self.engine} is not installed; "
                "fix: install it, or name another, such as container:IMAGE?engine=podman"
            )
        name = f"genprm-sandbox-{secrets.token_hex(6)}"
        process = await asyncio.create_subprocess_exec(
            *self.command(name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C at our terminal is our business
        )
        return ContainerTransport(process, [self.engine, "kill", name])


class ContainerTransport:
    """The pipes of the engine's program, which ends when its stdin does."""

    def __init__(self, process: asyncio.subprocess.Process, kill: list[str]) -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        self._process = process
        self._kill = kill
        self._pipes = PipeTransport(process.stdout, process.stdin)
        self._last_line = ""
        self._listening = asyncio.create_task(self._listen())

    async def send(self, message: bytes) -> None:
        """See the port."""
        await self._pipes.send(message)

    async def receive(self) -> bytes:
        """See the port."""
        try:
            return await self._pipes.receive()
        except TransportClosed as error:
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await asyncio.shield(self._listening)
            raise TransportClosed(self._last_line or str(error)) from None

    async def close(self) -> None:
        """See the port; waits until the container is gone."""
        await self._pipes.close()
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await self._process.wait()
        except TimeoutError:
            await self._end_by_force()
        self._listening.cancel()

    async def _end_by_force(self) -> None:
        with suppress(OSError):
            killer = await asyncio.create_subprocess_exec(
                *self._kill,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await killer.wait()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def _listen(self) -> None:
        """Keep the last line that the engine or the server wrote to stderr."""
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(4096):
            lines = chunk.decode("utf-8", "replace").strip().splitlines()
            self._last_line = lines[-1] if lines else self._last_line
