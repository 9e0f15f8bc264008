"""Everything that a process gives up before it may run a snippet, in the necessary order.

    1. the interpreter stays reachable for an unprivileged uid      (root only, where needed)
    2. root's uid, groups and capabilities; `no_new_privs`
    3. resource limits
    4. files (Landlock)
    5. system calls (seccomp)

The supervisor takes steps 1 and 2 before anything else is started, and the template process takes
steps 3 to 5 after its imports. The process that took a step cannot undo it.
"""

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence
from contextlib import suppress

from genprm.sandboxes.kernel import landlock, seccomp

UNPRIVILEGED = 65534  # "nobody", for hosts that run as root
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")

_MIB = 1024 * 1024
FILE_SIZE = 16 * _MIB
OPEN_FILES = 64
STACK = 8 * _MIB

_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT = 38, 24, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_CLONE_NEWNS, _CLONE_NEWPID = 0x0002_0000, 0x2000_0000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18


def give_up_root(paths: Sequence[str]) -> None:
    """Become an unprivileged uid that can still reach `paths`; all capabilities are dropped.

    Raises:
        OSError: the kernel refused, or a path is closed to others and cannot be made accessible.
    """
    if os.geteuid() == 0:
        if closed := _closed_to_others(paths):
            _reach(closed, paths)
        _drop_capability_bounds()
        _become_unprivileged()
    libc = _libc()
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _drop_capabilities(libc)


def new_pid_namespace() -> None:
    """Make the next child the first process of a PID namespace; all of them end with it.

    This needs root (CAP_SYS_ADMIN); without it, nothing changes.
    """
    _libc().unshare(_CLONE_NEWPID)


def end_with_parent() -> None:
    """Be killed when the parent process ends. A change of the uid undoes this, so call it after."""
    _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def limit_resources(memory: int) -> None:
    """Resource limits; `memory` is in bytes of address space beyond what is mapped now."""
    limits = {
        resource.RLIMIT_AS: _mapped_bytes() + memory,
        resource.RLIMIT_FSIZE: FILE_SIZE,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_STACK: STACK,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for kind, limit in limits.items():
        _, hard = resource.getrlimit(kind)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))


def confine(readable: Sequence[str], *, with_landlock: bool, with_seccomp: bool) -> int | None:
    """Files, then system calls; returns the supervisor's descriptor for supervised calls.

    Raises:
        OSError: the kernel refused one of them.
    """
    arch = seccomp.architecture()
    if arch is None:
        raise OSError(f"no system call table for {os.uname().machine}")
    if with_landlock:
        landlock.restrict(readable, DEVICES)
    if not with_seccomp:
        return None
    return seccomp.install(arch, seccomp.filter_program(arch, reads_only=not with_landlock))


def confine_self(readable: Sequence[str], *, memory: int) -> frozenset[str]:
    """Permanently confine this process, a worker without a supervisor.

    It keeps the descriptors it has, reads the files beneath `readable`, and can do nothing else to
    the machine: no other file, no network, no process, no thread, no signal, and no more than
    `memory` bytes of address space beyond what is mapped now. Call it after the heavy imports and
    while there is only one thread; later imports work from `readable`.

    Returns:
        The layers that hold: "limits", "files" (Landlock) and "system calls" (seccomp). A layer
        that this kernel lacks is left out, for the caller to report.

    Raises:
        OSError: the kernel has a layer and refused it.
    """
    libc = _libc()
    limit_resources(memory)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _drop_capabilities(libc)
    layers = {"limits"}
    if landlock.abi() > 0:
        landlock.restrict(readable, ())
        layers.add("files")
    arch = seccomp.architecture()
    if arch is not None and seccomp.is_supported():
        program = seccomp.filter_program(arch, reads_only="files" not in layers)
        os.close(seccomp.install(arch, program))  # without a supervisor its calls are refused
        layers.add("system calls")
    return frozenset(layers)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    arch = seccomp.architecture()
    if arch is not None:
        header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
        _check(libc.syscall(arch.capset, header, bytes(24)), "capset")


def _mapped_bytes() -> int:
    # Without /proc (bubblewrap) the resident peak is the best there is; it is lower than what is
    # mapped, so a generous allowance for mapped but untouched files stands in for the rest.
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + 128 * _MIB


def _closed_to_others(paths: Sequence[str]) -> set[str]:
    """The topmost directories on the way to `paths` that only their owner may search."""
    closed = set()
    for path in paths:
        at = "/"
        for part in path.strip("/").split("/")[:-1]:
            at = os.path.join(at, part)
            with suppress(FileNotFoundError):
                if not os.stat(at).st_mode & 0o001:
                    closed.add(at)
                    break
    return closed


def _reach(closed: set[str], paths: Sequence[str]) -> None:
    """In a private mount, cover each closed directory by one that contains only `paths`."""
    libc = _libc()
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(
            f"{sorted(closed)[0]} is closed to the unprivileged uid that sessions run as; "
            "fix: run chmod o+x on it, or use an interpreter outside it"
        )
    _check(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None), "mount")
    for cover in closed:
        inside = [path for path in paths if path.startswith(cover + "/") and os.path.exists(path)]
        held = {path: os.open(path, os.O_PATH) for path in inside}
        flags = _MS_NOSUID | _MS_NODEV
        _check(libc.mount(b"none", cover.encode(), b"tmpfs", flags, b"mode=755,size=64k"), "mount")
        for path, fd in held.items():
            source = f"/proc/self/fd/{fd}"
            if os.path.isdir(source):
                os.makedirs(path, 0o755, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
            flags = _MS_BIND | _MS_REC
            _check(libc.mount(source.encode(), path.encode(), None, flags, None), "bind")
            os.close(fd)


def _become_unprivileged() -> None:
    try:
        os.setgroups([])
        os.setresgid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED)
        os.setresuid(UNPRIVILEGED, UNPRIVILEGED, UNPRIVILEGED)
    except OSError as error:
        raise OSError(f"root, but cannot become uid {UNPRIVILEGED} ({error.strerror})") from error


def _drop_capability_bounds() -> None:
    libc = _libc()
    capability = 0
    while libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
