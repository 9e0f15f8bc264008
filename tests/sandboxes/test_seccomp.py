"""The filter, run by a small BPF machine: both architectures are tested on either."""

import errno
import struct

import pytest

from genprm.sandboxes.kernel.seccomp import (
    ALLOW,
    ARCHITECTURES,
    CLONE_SIBLING,
    ERRNO,
    KILL_PROCESS,
    USER_NOTIF,
    Architecture,
    filter_program,
)

REFUSED = ERRNO | errno.EPERM

# Numbers that must not be in the allow-list, from the kernels' tables.
FORBIDDEN = {
    "x86_64": {
        "sendto": 44, "socket": 41, "connect": 42, "bind": 49, "fork": 57, "vfork": 58,
        "execve": 59, "kill": 62, "rename": 82, "mkdir": 83, "unlink": 87, "chmod": 90,
        "chown": 92, "ptrace": 101, "setuid": 105, "setrlimit": 160, "mount": 165, "tkill": 200,
        "tgkill": 234, "utimensat": 280, "perf_event_open": 298, "memfd_create": 319, "bpf": 321,
        "execveat": 322, "userfaultfd": 323, "pidfd_send_signal": 424, "io_uring_setup": 425,
        "keyctl": 250, "process_vm_readv": 310, "fchmodat2": 452,
    },
    "aarch64": {
        "sendto": 206, "socket": 198, "connect": 203, "bind": 200, "execve": 221, "kill": 129,
        "renameat": 38, "mkdirat": 34, "unlinkat": 35, "fchmodat": 53, "fchownat": 54,
        "ptrace": 117, "setuid": 146, "setrlimit": 164, "mount": 40, "tkill": 130, "tgkill": 131,
        "utimensat": 88, "perf_event_open": 241, "memfd_create": 279, "bpf": 280, "execveat": 281,
        "userfaultfd": 282, "pidfd_send_signal": 424, "io_uring_setup": 425, "keyctl": 219,
        "process_vm_readv": 270, "fchmodat2": 452,
    },
}  # fmt: skip


def verdict(arch: Architecture, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the filter says to a system call."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, arch.audit if audit is None else audit, 0, *words)
    program = filter_program(arch)
    accumulator, at = 0, 0
    while True:
        code, yes, no, operand = program[at]
        if code == 0x06:  # return
            return operand
        if code == 0x20:  # load
            (accumulator,) = struct.unpack_from("<I", data, operand)
            at += 1
            continue
        taken = {
            0x15: accumulator == operand,
            0x35: accumulator >= operand,
            0x45: bool(accumulator & operand),
        }[code]
        at += 1 + (yes if taken else no)


@pytest.fixture(params=ARCHITECTURES)
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def arch(machine: str) -> Architecture:
    return ARCHITECTURES[machine]


def call(arch: Architecture, name: str, *arguments: int) -> int:
    number = arch.number(name)
    assert number is not None
    return verdict(arch, number, *arguments)


def test_reading_and_computing_are_allowed(arch: Architecture) -> None:
    for name in ("read", "openat", "mmap", "brk", "clock_gettime", "getrandom", "exit_group"):
        assert call(arch, name) == ALLOW


def test_everything_else_is_refused(machine: str, arch: Architecture) -> None:
    for name, number in FORBIDDEN[machine].items():
        assert verdict(arch, number) == REFUSED, name
    listed = sum(verdict(arch, number) != REFUSED for number in range(1024))
    assert listed < 120


def test_other_tables_kill(arch: Architecture) -> None:
    assert verdict(arch, 0, audit=0x4000_0003) == KILL_PROCESS  # i386
    others = [other.audit for other in ARCHITECTURES.values() if other is not arch]
    assert verdict(arch, 0, audit=others[0]) == KILL_PROCESS
    if arch.has_x32:
        assert verdict(arch, 0x4000_0000) == KILL_PROCESS


def test_only_a_plain_copy_is_supervised(arch: Architecture) -> None:
    assert call(arch, "clone", CLONE_SIBLING, 0) == USER_NOTIF
    assert call(arch, "clone", 17, 0) == REFUSED
    assert call(arch, "clone", CLONE_SIBLING | 0x1000_0000, 0) == REFUSED  # new user namespace
    assert call(arch, "clone", CLONE_SIBLING | 0x100, 0) == REFUSED  # shared memory
    assert call(arch, "clone", CLONE_SIBLING, 1) == REFUSED
    assert call(arch, "clone", CLONE_SIBLING, 1 << 32) == REFUSED
    assert call(arch, "clone3") == ERRNO | errno.ENOSYS


def test_conditions_on_arguments(arch: Architecture) -> None:
    assert call(arch, "fcntl", 3, 1) == ALLOW
    for owner in (8, 10, 15, 1024, 1026, 1031):  # F_SETOWN, F_SETSIG, F_SETOWN_EX, leases, pipes
        assert call(arch, "fcntl", 3, owner) == REFUSED
    assert call(arch, "ioctl", 1, 0x5401) == ALLOW
    for request in (0x5412, 0x8901, 0x8902, 0x5452):  # TIOCSTI, FIOSETOWN, SIOCSPGRP, FIOASYNC
        assert call(arch, "ioctl", 1, request) == REFUSED
    assert call(arch, "prctl", 1, 9) == ALLOW
    assert call(arch, "prctl", 1, 0) == REFUSED
    assert call(arch, "prctl", 38, 1) == REFUSED
    assert call(arch, "prlimit64", 0, 7, 0) == ALLOW
    assert call(arch, "prlimit64", 0, 7, 0x7FFF_0000_0000) == REFUSED
    assert call(arch, "prlimit64", 1234, 7, 0) == REFUSED


def test_memory_is_never_shared(arch: Architecture) -> None:
    private, shared, validated, anonymous = 0x02, 0x01, 0x03, 0x20
    assert call(arch, "mmap", 0, 4096, 3, private | anonymous) == ALLOW
    for flags in (shared, validated, shared | anonymous):
        assert call(arch, "mmap", 0, 4096, 3, flags) == REFUSED


def test_opening_for_writing_is_refused_where_landlock_is_missing(arch: Architecture) -> None:
    number = arch.number("openat")
    program = filter_program(arch, reads_only=True)
    assert program != filter_program(arch)
    assert (0x15, 0, 4, number) in program
    assert max(len(program), 0) < 4096  # the kernel's limit
