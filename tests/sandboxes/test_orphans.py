"""Nothing of a sandbox outlives it: every process is counted, also those that hide."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Set
from pathlib import Path

import pytest

from genprm.sandboxes.fork_server import MEMORY, ForkServer, ForkSession
from genprm.sandboxes.guest import reaping
from genprm.sandboxes.host import copying
from genprm.sandboxes.host.tiers import TIERS

SOURCES = Path(__file__).parents[2] / "src"
NOBODY = 65534
PATIENCE = 15.0  # seconds for what takes one or two

# A session that digs out its runner. Asked for a copy, it uses the one clone it is permitted for a
# child that never registers, and that the end of its parent does not end.
HIDE = """
import os, sys
frame = sys._getframe()
while 'self' not in frame.f_locals: frame = frame.f_back
runner = frame.f_locals['self']
def hide(token, channel):
    if runner._system_call(runner._clone, 0x8011, 0, 0, 0, 0) == 0:
        while True: pass
    os._exit(0)
runner._fork = hide
"""
# The same, but it says that it has made the copy.
LIE = HIDE.replace(
    "os._exit(0)", "import struct; os.write(3, struct.pack('<IBQI', 4, 5, runner._serial, 0))"
)
# The same, but it says nothing at all.
STALL = HIDE.replace("os._exit(0)", "import time; time.sleep(99)")
# Where there is no seccomp, a snippet simply makes processes, in a session of their own.
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(0.01)
    os._exit(0)
"""


def mark() -> int:
    """A memory limit that no other sandbox has: it stands on the command line of every process."""
    return MEMORY + 4096 * secrets.randbelow(1 << 20)


def processes(memory: int) -> set[int]:
    """Everything that the sandbox with this mark has made and that still runs."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            if f'"memory": {memory},'.encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except (OSError, ValueError):
            continue
    return found


async def until_gone(memory: int, *, but: Set[int] = frozenset()) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := processes(memory) - but:
        assert time.monotonic() < deadline, f"{left} are left"
        await asyncio.sleep(0.05)


def skip_without(tier: str) -> None:
    if lacks := TIERS[tier].missing():
        pytest.skip(f"missing here: {', '.join(lacks)}")


@pytest.mark.parametrize("tier", ["bare", "bubblewrap"])
@pytest.mark.parametrize("hostile", [HIDE, LIE, STALL], ids=["hide", "lie", "stall"])
def test_a_copy_that_hides_is_found_and_killed(tier: str, hostile: str) -> None:
    skip_without(tier)

    async def main() -> None:
        memory = mark()
        async with ForkServer(tier, preload=(), memory=memory) as box:
            honest, liar = box.session(), box.session()
            await honest.run("x = 1")
            before = processes(memory)
            await liar.run(hostile)
            started = time.monotonic()
            copy = await liar.fork()
            assert time.monotonic() - started < copying.SESSION_LIMIT + 2.0
            await copy.close()
            await liar.close()
            await until_gone(memory, but=before)
            assert (await honest.run("print(x)")).stdout == "1\n"
        await until_gone(memory)

    asyncio.run(main())


def test_hostile_copies_hold_up_nobody_else() -> None:
    skip_without("bare")

    async def main() -> None:
        async with ForkServer("bare", preload=()) as box:
            honest = box.session()
            await honest.run("x = 1")
            hostile = [box.session() for _ in range(8)]
            await asyncio.gather(*(session.run(STALL) for session in hostile))
            forks = [asyncio.create_task(session.fork()) for session in hostile]
            await asyncio.sleep(0)
            started = time.monotonic()
            fresh = [box.session() for _ in range(8)]
            await asyncio.gather(*(session.run("1") for session in fresh))
            copy = await honest.fork()
            assert (await copy.run("print(x)")).stdout == "1\n"
            assert time.monotonic() - started < copying.SESSION_LIMIT
            assert not all(fork.done() for fork in forks)
            await asyncio.gather(*forks)
            assert time.monotonic() - started < copying.SESSION_LIMIT + 2.0

    asyncio.run(main())


HOST = """
import asyncio, sys
from genprm.sandboxes.fork_server import ForkServer
from genprm.sandboxes.host import orphans
orphans.kill_orphans = lambda *_, **__: True  # what is under test has to do without
async def main(tier, memory, hostile):
    async with ForkServer(tier, preload=(), memory=int(memory)) as box:
        for _ in range(3):
            session = box.session()
            await session.run(hostile)
            await session.fork()
        idle = box.session()
        await idle.run("1")
        print("ready", flush=True)
        await idle.run("while True: pass", 99)
asyncio.run(main(*sys.argv[1:]))
"""

VICTIMS = ("host", "guardian", "supervisor")
TIERS_TO_TRY = ("bare", "bare, not as root", "bubblewrap", "bubblewrap-only", "limits-only")
WAYS = [
    (tier, victim)
    for tier in TIERS_TO_TRY
    for victim in VICTIMS
    if victim != "guardian" or TIERS[tier.partition(",")[0]].seccomp
]


@pytest.mark.parametrize(("tier", "victim"), WAYS)
def test_nothing_outlives_the_host_or_the_supervisor(tier: str, victim: str) -> None:
    name, _, as_nobody = tier.partition(", ")
    skip_without(name)
    memory = mark()
    host = start_host(name, memory, as_nobody=bool(as_nobody))
    assert host.stdout is not None
    if host.stdout.readline() != "ready\n":
        host.wait()
        pytest.skip("this tier cannot start here")
    try:
        assert len(processes(memory)) >= 7
        os.kill(find(victim, host.pid), signal.SIGKILL)
        if victim != "host":  # the host lives and starts a supervisor anew; that one ends with it
            left = processes(memory)
            asyncio.run(until_ended(left))
    finally:
        host.kill()
        host.wait()
    asyncio.run(until_gone(memory))


def start_host(tier: str, memory: int, *, as_nobody: bool) -> "subprocess.Popen[str]":
    python, user = sys.executable, None
    if as_nobody:
        if os.getuid() != 0:
            pytest.skip("the host is not root: the other tiers were run without it already")
        python, user = f"/usr/bin/python3.{sys.version_info.minor}", NOBODY
        if not os.access(python, os.X_OK):
            pytest.skip("no interpreter that others than root may start")
    hostile = HIDE if TIERS[tier].seccomp else DAEMON
    return subprocess.Popen(
        [python, "-B", "-c", HOST, tier, str(memory), hostile],
        stdout=subprocess.PIPE,
        text=True,
        user=user,
        cwd="/",
        env={"PYTHONPATH": str(SOURCES), "PATH": os.environ["PATH"]},
    )


def find(victim: str, host: int) -> int:
    if victim == "host":
        return host
    guardian = reaping.children(host)[0]
    if victim == "guardian":
        return guardian
    child = reaping.children(guardian)[0]
    is_bwrap = Path(f"/proc/{child}/comm").read_text() == "bwrap\n"
    return reaping.children(child)[0] if is_bwrap else child


async def until_ended(pids: Set[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while left := [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()]:
        assert time.monotonic() < deadline, f"{left} are left"
        await asyncio.sleep(0.05)


def test_a_host_that_forgets_its_sandbox_leaves_nothing() -> None:
    skip_without("bare")
    memory = mark()
    program = (
        "import asyncio, os\nfrom genprm.sandboxes.fork_server import ForkServer\n"
        "async def main():\n"
        f"    box = ForkServer('bare', preload=(), memory={memory})\n"
        "    await box.__aenter__()\n    await box.session().run('1')\n    os._exit(0)\n"
        "asyncio.run(main())"
    )
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    subprocess.run([sys.executable, "-c", program], env=environment, timeout=60, check=True)
    asyncio.run(until_gone(memory))


SHARE = """
import ctypes, mmap
try:
    board = mmap.mmap(-1, 4096)
except OSError:
    board = bytearray(4096)
"""


def test_forks_share_no_memory() -> None:
    skip_without("bare")

    async def main() -> None:
        async with ForkServer("bare", preload=()) as box, box.session() as history:
            await history.run(SHARE + "import os; r, w = os.pipe()")
            one, other = await history.fork(), await history.fork()
            await one.run("board[0] = 7; os.write(w, b'x')")
            assert (await other.run("print(board[0])")).stdout == "0\n"
            assert (
                await other.run("os.fstat(r)")
            ).error == "OSError: [Errno 9] Bad file descriptor"

    asyncio.run(main())


def hog(megabytes: int) -> str:
    return f"hoard = bytearray({megabytes} << 20)\nprint(len(hoard) >> 20)"


def test_all_sessions_together_have_a_memory_limit() -> None:
    skip_without("bare")

    async def main() -> None:
        async with ForkServer("bare", preload=(), total_memory=256 << 20) as box:
            small = box.session()
            await small.run("x = 1")
            large = [box.session() for _ in range(4)]
            results = await asyncio.gather(
                *(s.run(hog(100) + "\nimport time; time.sleep(1)") for s in large)
            )
            killed = [result for result in results if result.status.value == "memory"]
            assert 1 <= len(killed) <= 3, results
            assert killed[0].error is not None
            assert "together" in killed[0].error
            assert (await small.run("print(x)")).stdout == "1\n"  # the small one is spared
            assert resident(large) < 256

    asyncio.run(main())


def test_memory_that_forks_share_counts_once() -> None:
    skip_without("bare")

    async def main() -> None:
        async with ForkServer("bare", preload=(), total_memory=300 << 20) as box:
            history = box.session()
            await history.run(hog(150))
            forks = [await history.fork() for _ in range(6)]
            results = await asyncio.gather(*(f.run("import time; time.sleep(0.5)") for f in forks))
            assert {result.status.value for result in results} == {"ok"}

    asyncio.run(main())


def resident(sessions: list[ForkSession]) -> float:
    """Mebibytes of their own."""
    total = 0
    for pid in (session.pid for session in sessions):
        if pid is not None:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return total / 1024
