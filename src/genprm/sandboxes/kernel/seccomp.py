"""The system calls that a session may make: a seccomp-BPF allow-list for x86-64 and aarch64.

A session computes and reads the interpreter's own files; it needs nothing else from the kernel.
Calls that are not listed are refused with EPERM, which Python turns into an ordinary exception, so
the session continues. Calls through another architecture's table (int80, x32) are never an accident
and kill the process.

Two calls are neither allowed nor refused but *supervised* (seccomp user notification): the
supervisor decides while the caller is stopped.

- `clone`, in the one form that makes a plain copy of the process: permitted once per request of
  the host. Its arguments are registers, so nothing can change between the check and the call.
- `pidfd_open`, borrowed as the message "here I am": the kernel tells the supervisor the true pid
  of the new process, which cannot lie about it nor die unnoticed meanwhile.

Memory is never mapped shared (`MAP_SHARED`, Python's default for an anonymous `mmap.mmap`): a copy
of a session would go on sharing it with the original.

`clone3` passes its flags in memory, where a check could be raced: it does not exist here (ENOSYS),
and libc falls back to `clone`.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Callable
from dataclasses import dataclass

# Names may be missing on one architecture (None): the newer tables dropped what *at calls replace.
_TABLE: dict[str, tuple[int, int | None]] = {
    # files: read, never changed; Landlock decides which
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66),
    "pread64": (17, 67), "preadv": (295, 69), "close": (3, 57), "close_range": (436, 436),
    "lseek": (8, 62), "open": (2, None), "openat": (257, 56), "stat": (4, None),
    "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getdents64": (217, 61),
    "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50), "umask": (95, 166),
    "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "fcntl": (72, 25), "ioctl": (16, 29),
    "pipe": (22, None), "pipe2": (293, 59), "eventfd2": (290, 19),
    # memory
    "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226),
    "madvise": (28, 233), "brk": (12, 214), "mincore": (27, 232), "msync": (26, 227),
    # its own signals and timers
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigsuspend": (130, 133), "rt_sigtimedwait": (128, 137),
    "sigaltstack": (131, 132), "pause": (34, None), "restart_syscall": (219, 128),
    "setitimer": (38, 103), "getitimer": (36, 102), "alarm": (37, None),
    # time
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153),
    # what it is
    "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getpgrp": (111, None),
    "getpgid": (121, 155), "getsid": (124, 156), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "getrusage": (98, 165), "sysinfo": (99, 179), "uname": (63, 160),
    "getrlimit": (97, 163), "prlimit64": (302, 261), "prctl": (157, 167), "getcpu": (309, 168),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "getrandom": (318, 278),
    # what libc does by itself
    "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293), "membarrier": (324, 283),
    # waiting; the control channel
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22), "recvmsg": (47, 212), "sendmsg": (46, 211),
    # the end
    "exit": (60, 93), "exit_group": (231, 94),
    # supervised, and the one that is not there
    "clone": (56, 220), "pidfd_open": (434, 434), "clone3": (435, 435),
}  # fmt: skip

# What a copy of a session is: a sibling (CLONE_PARENT, so that the supervisor reaps it) on a copy
# of the same stack.
CLONE_SIBLING = 0x00008000 | 17  # CLONE_PARENT | SIGCHLD

KILL_PROCESS = 0x8000_0000
USER_NOTIF = 0x7FC0_0000
ERRNO = 0x0005_0000
ALLOW = 0x7FFF_0000

_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH = 0, 4  # offsets in struct seccomp_data
_X32_BIT = 0x4000_0000

_IOCTLS = (0x5401, 0x5413, 0x5421, 0x5450, 0x5451)  # TCGETS, TIOCGWINSZ, FIONBIO, FIO(N)CLEX
_FCNTLS = (0, 1, 2, 3, 4, 1030)  # F_DUPFD, F_[GS]ETFD, F_[GS]ETFL, F_DUPFD_CLOEXEC
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_MAP_SHARED = 1  # also in MAP_SHARED_VALIDATE
_O_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


@dataclass(frozen=True, slots=True)
class Architecture:
    """One system-call table."""

    audit: int  # AUDIT_ARCH_*
    column: int  # in _TABLE
    seccomp: int
    capset: int
    has_x32: bool

    def number(self, name: str) -> int | None:
        """The call's number, or None if this architecture lacks it."""
        return _TABLE[name][self.column]


ARCHITECTURES = {
    "x86_64": Architecture(0xC000_003E, 0, seccomp=317, capset=126, has_x32=True),
    "aarch64": Architecture(0xC000_00B7, 1, seccomp=277, capset=91, has_x32=False),
}


def architecture() -> Architecture | None:
    """This machine's table, or None if there is none."""
    return ARCHITECTURES.get(platform.machine())


def filter_program(arch: Architecture, *, reads_only: bool = False) -> list[Instruction]:
    """The whole filter, which the kernel runs before every system call.

    With `reads_only` it also refuses to open files for writing, for the tiers without Landlock.
    """
    rules: dict[str, list[Instruction]] = {
        "mmap": _unless_flag(3, _MAP_SHARED),
        "clone": [
            *_unless_low(0, CLONE_SIBLING),
            *_unless_zero(1),
            _give(USER_NOTIF),
        ],
        "pidfd_open": [_give(USER_NOTIF)],
        "clone3": [_give(ERRNO | errno.ENOSYS)],
        "ioctl": _if_low_in(1, _IOCTLS),
        "fcntl": _if_low_in(1, _FCNTLS),
        "prctl": [
            *_unless_low(0, _PR_SET_PDEATHSIG),
            *_unless_low(1, _SIGKILL),
            _give(ALLOW),
        ],
        # of itself and without a new limit: reading
        "prlimit64": [*_unless_low(0, 0), *_unless_zero(2), _give(ALLOW)],
    }
    if reads_only:
        rules["open"] = _unless_flag(1, _O_CHANGES)
        rules["openat"] = _unless_flag(2, _O_CHANGES)

    program = [_load(_ARCH), (_JEQ, 1, 0, arch.audit), _give(KILL_PROCESS), _load(_NR)]
    if arch.has_x32:
        program += [(_JGE, 0, 1, _X32_BIT), _give(KILL_PROCESS)]
    for name in _TABLE:
        number = arch.number(name)
        if number is not None:
            block = rules.get(name, [_give(ALLOW)])
            program += [(_JEQ, 0, len(block), number), *block]
    return [*program, _give(ERRNO | errno.EPERM)]


def _load(offset: int) -> Instruction:
    return (_LOAD, 0, 0, offset)


def _load_low(argument: int) -> Instruction:
    return _load(16 + 8 * argument)


def _load_high(argument: int) -> Instruction:
    return _load(20 + 8 * argument)


def _give(verdict: int) -> Instruction:
    return (_RETURN, 0, 0, verdict)


_REFUSE = _give(ERRNO | errno.EPERM)


def _unless_low(argument: int, value: int) -> list[Instruction]:
    """Refuse unless the low half equals `value`: for what the kernel itself reads as 32 bits."""
    return [_load_low(argument), (_JEQ, 1, 0, value), _REFUSE]


def _unless_zero(argument: int) -> list[Instruction]:
    return [*_unless_low(argument, 0), _load_high(argument), (_JEQ, 1, 0, 0), _REFUSE]


def _if_low_in(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    last = len(values)
    tests: list[Instruction] = [
        (_JEQ, last - i, 0, value) for i, value in enumerate(values)
    ]  # each jumps over the rest and the refusal
    return [_load_low(argument), *tests, _REFUSE, _give(ALLOW)]


def _unless_flag(argument: int, flags: int) -> list[Instruction]:
    return [_load_low(argument), (_JSET, 0, 1, flags), _REFUSE, _give(ALLOW)]


# --- asking the kernel ---------------------------------------------------------------------------

_SET_MODE_FILTER, _GET_ACTION_AVAIL, _NEW_LISTENER = 1, 2, 8


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_supported() -> bool:
    """Whether the kernel has filters with supervised calls (Linux 5.5 and up)."""
    arch = architecture()
    if arch is None:
        return False
    call = _system_call()
    action = ctypes.c_uint32(USER_NOTIF)
    return call(arch.seccomp, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0


def install(arch: Architecture, program: list[Instruction]) -> int:
    """Put this process permanently under `program`; returns the supervisor's descriptor.

    Raises:
        OSError: the kernel refused. `no_new_privs` must be set before.
    """
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
    filter_ = _Program(len(program), code)
    listener = _system_call()(arch.seccomp, _SET_MODE_FILTER, _NEW_LISTENER, ctypes.byref(filter_))
    if listener < 0:
        raise OSError(ctypes.get_errno(), "seccomp")
    return listener


def _system_call() -> Callable[..., int]:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return call
