"""Every attack, in every tier that this machine offers, also from a host that is not root."""

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sympy

sys.path.insert(0, str(Path(__file__).parent))

from attacks import ATTACKS, Attack
from hostile import Outcome

from genprm.sandboxes.host.process import GRACE
from genprm.sandboxes.host.tiers import TIERS

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src"
NOBODY = 65534
LOADED = 3.0  # seconds that a busy test machine may add to a deadline

# A container needs an engine and an image: GENPRM_TEST_CONTAINER="container:IMAGE?engine=podman"
CONTAINER = os.environ.get("GENPRM_TEST_CONTAINER")
TIERS_TO_TRY = ("bubblewrap", "bare", "bare, not as root", "remote", "container")


@pytest.fixture(scope="module")
def host_facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Things of the host that an attack must not reach, all of them really there."""
    folder = tmp_path_factory.mktemp("host")
    for parent in (folder, *folder.parents):  # only the sandbox may stand in the way
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    secret = folder / "secret"
    secret.write_text("secret")
    secret.chmod(0o666)
    path = str(folder / "s")
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        unix.bind(path)
        unix.listen()
        abstract.bind(f"\0genprm-{os.getpid()}")
        abstract.listen()
        tcp.setblocking(False)
        yield {
            "PORT": str(tcp.getsockname()[1]),
            "SOCKET": path,
            "PID": str(os.getpid()),
            "FILE": str(secret),
            "SECRET": "a-secret-of-the-host",
            "HOME": str(Path.home()),
            "CWD": str(Path.cwd()),
        }
        with pytest.raises(BlockingIOError):
            tcp.accept()  # nobody knocked


@pytest.fixture(scope="module", params=TIERS_TO_TRY)
def outcomes(request: pytest.FixtureRequest, host_facts: dict[str, str]) -> dict[str, Outcome]:
    """All attacks of one tier, run by a host process of its own."""
    tier, _, as_nobody = request.param.partition(", ")
    if tier == "container":
        if CONTAINER is None:
            pytest.skip("GENPRM_TEST_CONTAINER names no container")
        tier = CONTAINER
    elif lacks := TIERS["bare" if tier == "remote" else tier].missing():
        pytest.skip(f"missing here: {', '.join(lacks)}")
    python, user = (_interpreter_for_nobody(), NOBODY) if as_nobody else (sys.executable, None)
    packages = Path(sympy.__file__).parents[1]
    run = subprocess.run(
        [python, "-B", str(HERE.parent / "support" / "hostile.py"), tier],
        input=json.dumps(host_facts),
        capture_output=True,
        text=True,
        timeout=600,
        cwd="/",
        user=user,
        env={"PYTHONPATH": f"{SOURCES}:{packages}"},
        check=False,
    )
    if tier == "bubblewrap" and "no safe sandbox" in run.stderr:
        pytest.skip("bubblewrap cannot start here")
    assert run.returncode == 0, run.stderr
    lines = map(json.loads, run.stdout.splitlines())
    return {fields["name"]: Outcome(**fields) for fields in lines}


def _interpreter_for_nobody() -> str:
    """An interpreter of this version that an unprivileged uid may start."""
    if os.getuid() != 0:
        pytest.skip("the host is not root: the other tiers were run without it already")
    names = (os.path.realpath(sys.executable), f"/usr/bin/python3.{sys.version_info.minor}")
    for name in names:
        attempt = [name, "-c", "import ctypes, asyncio"]
        try:
            if subprocess.run(attempt, user=NOBODY, cwd="/", check=False).returncode == 0:
                return name
        except OSError:
            continue
    pytest.skip("no interpreter that others than root may start")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack: Attack, outcomes: dict[str, Outcome]) -> None:
    if "system call" in attack.name and platform.machine() != "x86_64":
        pytest.skip("numbers of x86-64")
    outcome = outcomes[attack.name]
    assert "ESCAPED" not in outcome.stdout
    assert outcome.status in attack.endings, outcome
    assert outcome.duration < attack.timeout + GRACE + LOADED
    assert outcome.canary == attack.name
    assert outcome.afterwards  # the session, or a new one in its place, still answers
