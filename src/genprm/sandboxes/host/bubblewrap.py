"""The outer layer: a sandbox in its own namespaces, in which only named paths exist.

The supervisor is the first process of its PID namespace: when it ends, so does everything there.
`--die-with-parent` fires when the *thread* that started bwrap ends; here that is the guardian,
which has only one.

A host that runs as root must not get a user namespace here: sessions would then be the host's
root outside of it. Without one the supervisor can still become a truly unprivileged uid, for which
it keeps, until then, the capabilities that changing uid needs.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import PurePath

PROGRAM = "bwrap"

_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def command(visible: Sequence[str]) -> list[str]:
    """The bwrap command line to put before a program: only `visible` exists, read-only."""
    program = shutil.which(PROGRAM) or PROGRAM
    arguments = [
        program,
        *_NAMESPACES,
        "--unshare-cgroup-try",
        "--new-session",
        "--as-pid-1",
        "--die-with-parent",
    ]
    arguments += ["--cap-drop", "ALL"]
    if os.geteuid() == 0:
        for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
            arguments += ["--cap-add", capability]
    else:
        arguments += ["--unshare-user"]
    for path in sorted(set(visible)):
        if os.path.exists(path):
            arguments += [*_open_parents(path), "--ro-bind", path, path]
    for device in _DEVICES:
        arguments += ["--dev-bind", device, device]
    return [*arguments, "--chdir", "/"]


def _open_parents(path: str) -> list[str]:
    # bwrap would make the missing ones for itself alone (0700).
    parents = [str(parent) for parent in reversed(PurePath(path).parents)][1:]
    return [argument for parent in parents for argument in ("--dir", parent)]
