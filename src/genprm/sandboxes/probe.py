"""Tests which layers of the sandbox work on this machine.

It does not rely on versions: a sandbox is started, a session in it tries what must be impossible,
and the kernel is asked what it knows about the session's process.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from genprm.errors import SandboxError
from genprm.sandbox import RunStatus
from genprm.sandboxes.fork_server import ForkServer, ForkSession
from genprm.sandboxes.host.tiers import AUTO, Tier

# What a session must not be able to do. `os.__file__` is among the few files that it may read.
_TRIALS = (
    ("files (Landlock)", "import os; os.listdir('/')"),
    ("host files", "open('/etc/passwd').read()"),
    ("writing", "import os; open(os.__file__, 'a')"),
    ("changing modes", "import os; os.chmod(os.__file__, 0o644)"),
    ("network (seccomp)", "import socket; socket.socket()"),
    ("processes (seccomp)", "import os; os.fork()"),
    ("threads (seccomp)", "import _thread; _thread.start_new_thread(print, ())"),
    ("signals (seccomp)", "import os; os.kill(os.getppid(), 0)"),
    ("memory limit", "bytearray(1 << 40)"),
)
_NAMESPACES = ("mnt", "pid", "net", "ipc", "uts")


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of isolation, and how it was tested."""

    name: str
    holds: bool
    evidence: str


@dataclass(frozen=True, slots=True)
class Probe:
    """The result. If no sandbox could be started, `tier` is None, and `fault` says why."""

    tier: str | None
    layers: tuple[Layer, ...]
    start_seconds: float  # until the first snippet had run, without warm imports
    fault: str | None = None
    stronger: tuple[str, ...] = ()  # why a stronger tier was passed over

    @property
    def is_safe(self) -> bool:
        """Whether there is a sandbox, and every layer that its tier promises works."""
        return self.tier is not None and all(layer.holds for layer in self.layers)

    def lines(self) -> list[str]:
        """The result as lines for a terminal."""
        if self.tier is None:
            return [f"sandbox: none; {self.fault}"]
        width = max(len(layer.name) for layer in self.layers)
        return [
            f"sandbox: tier {self.tier}, first snippet after {self.start_seconds:.2f} s",
            *(f"  passed over {reason}" for reason in self.stronger),
            *(
                f"  {'holds' if layer.holds else 'FAILS'}  {layer.name:<{width}}  {layer.evidence}"
                for layer in self.layers
            ),
        ]


async def probe(tier: str = AUTO) -> Probe:
    """Start a sandbox of this tier and test its layers. Never raises because of a result."""
    started = time.monotonic()
    try:
        async with ForkServer(tier, preload=()) as box, box.session() as session:
            await session.run("pass")
            seconds = time.monotonic() - started
            assert box.tier is not None  # it is entered
            layers = list(_kernel_view(session, box.tier))
            layers += [await _try(session, *trial) for trial in _TRIALS]
            return Probe(box.tier.name, tuple(layers), seconds, stronger=box.passed_over)
    except SandboxError as error:
        return Probe(None, (), time.monotonic() - started, str(error))


async def _try(session: ForkSession, name: str, code: str) -> Layer:
    result = await session.run(code)
    refused = result.status in (RunStatus.ERROR, RunStatus.MEMORY)
    return Layer(name, refused, f"{code!r}: {result.error or 'it worked'}")


def _kernel_view(session: ForkSession, tier: Tier) -> Iterator[Layer]:
    """What /proc says about the session's process."""
    pid = session.pid
    with open(f"/proc/{pid}/status") as lines:
        status = {name: value.strip() for name, _, value in (x.partition(":") for x in lines)}
    uid = int(status["Uid"].split()[0])
    yield Layer("unprivileged uid", uid != 0, f"uid {uid}")
    capabilities = {name: int(status[name], 16) for name in ("CapPrm", "CapEff", "CapAmb")}
    yield Layer("no capabilities", not any(capabilities.values()), f"CapEff {status['CapEff']}")
    yield Layer("no new privileges", status["NoNewPrivs"] == "1", f"{status['NoNewPrivs']}")
    yield Layer("system call filter", status["Seccomp"] == "2", f"mode {status['Seccomp']}")
    with open(f"/proc/{pid}/oom_score_adj") as score:
        adjustment = int(score.read())
    yield Layer("first to go when memory is short", adjustment == 1000, f"{adjustment}")
    if tier.bubblewrap:
        own = [name for name in _NAMESPACES if _namespace("self", name) != _namespace(pid, name)]
        yield Layer("namespaces", own == list(_NAMESPACES), ", ".join(own) or "none of its own")


def _namespace(pid: int | str | None, name: str) -> str | None:
    try:
        return os.readlink(f"/proc/{pid}/ns/{name}")
    except OSError:
        return None  # not ours to look at, hence not the same process's
