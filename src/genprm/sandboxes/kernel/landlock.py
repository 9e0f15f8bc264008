"""Landlock: the files that a process may still open, whatever its uid allows.

A rule names a directory and what may be done beneath it; everything else in the file system is
permanently refused, for this process and all its children. Landlock does not cover metadata:
`stat`, `chmod`, `utime`, `chdir` and similar calls are not restricted. Those that change something
are refused by seccomp. Those that only read (whether a path exists, its size) work wherever the uid
may search the directories, which is why the bubblewrap tier also hides the host's tree.

From ABI 4 TCP is refused here too, from ABI 6 signals and abstract sockets that leave the sandbox;
all three are already refused by seccomp.
"""

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_GET_ABI = 1
_PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # ABI -> how many rights it knows
_LATEST_FILE_RIGHTS = 16
_NET_RIGHTS = 0b11  # bind, connect
_SCOPES = 0b11  # abstract sockets, signals


def abi() -> int:
    """The kernel's Landlock version; 0 if it has none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _GET_ABI))


def restrict(readable: Iterable[str], devices: Iterable[str]) -> int:
    """Allow only `readable` to be read and only `devices` to be written to; returns the ABI.

    Paths that do not exist are ignored. `no_new_privs` must be set before.

    Raises:
        OSError: the kernel refused.
    """
    version = abi()
    handled = (1 << _FILE_RIGHTS.get(version, _LATEST_FILE_RIGHTS)) - 1
    fields = [handled, _NET_RIGHTS, _SCOPES][: 1 + (version >= 4) + (version >= 6)]
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    ruleset = _checked(_CREATE_RULESET, attributes, len(attributes), 0)
    for path in readable:
        _allow(ruleset, path, (READ_FILE | READ_DIR) & handled)
    for path in devices:
        _allow(ruleset, path, (READ_FILE | WRITE_FILE | TRUNCATE) & handled)
    _checked(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError, PermissionError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(path):
                rights &= ~READ_DIR
            _checked(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", rights, fd), 0)
        finally:
            os.close(fd)


def _checked(*arguments: int | bytes | None) -> int:
    result = _call(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "landlock")
    return result


def _call(*arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(*(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)))
