"""What runs inside a session process: one namespace, one request at a time.

A snippet runs as `exec` would run it in a new `__main__`: the namespace is kept, nothing is echoed,
and `input()` finds the end of the file. `sys.stdout` is replaced while a snippet runs; output to
file descriptor 1 that bypasses Python, and output to stderr, is dropped.

The runner shares its process with the snippets, so it protects against accidents, not against
attacks: it uses a private copy of the builtins (see `bootstrap`) and its own references to what it
calls, so that patching `builtins`, `os`, `socket` or `struct` does not affect it. A snippet that
gets control of the runner through the interpreter's frames gains only its own session: this is what
the layers of `lockdown` and the checks of `protocol` are for.

There are two time limits: first SIGALRM raises `TimeLimit` at the next bytecode, which keeps the
namespace; half a second later the host kills the process, whatever it does.
"""

import builtins
import os
import sys
from _socket import CMSG_SPACE, socket
from ctypes import CDLL, c_long, get_errno
from io import BufferedIOBase, StringIO, TextIOWrapper
from os import _exit, abort, close, closerange, dup2, write
from signal import ITIMER_REAL, SIGALRM, setitimer
from signal import signal as set_handler
from types import FrameType, ModuleType
from typing import TYPE_CHECKING, NoReturn

from genprm.sandboxes.guest.protocol import (
    ERROR_LIMIT,
    HEADER,
    OUTPUT_LIMIT,
    Ending,
    Frame,
    Kind,
    done_reply,
    forked_reply,
    read_run_request,
    read_token,
)
from genprm.sandboxes.kernel.lockdown import OPEN_FILES
from genprm.sandboxes.kernel.seccomp import CLONE_SIBLING, architecture

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

CONTROL = 3  # the channel's descriptor in every session process
HANDOVER = 4  # to the supervisor: until the lockdown, or where there is no seccomp, for good
_CHUNK = 1 << 16
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


class TimeLimit(BaseException):
    """The snippet's time is up. It is not an `Exception`, so that few snippets catch it."""


class OutputLimit(BaseException):
    """The snippet printed too much."""


class Capture(BufferedIOBase):
    """Captures what a snippet prints, up to the limit."""

    name = "<stdout>"

    def __init__(self) -> None:
        super().__init__()
        self.taken = bytearray()
        self.overflowed = False

    def writable(self) -> bool:  # noqa: D102
        return True

    def write(self, data: "ReadableBuffer", /) -> int:  # noqa: D102
        view = memoryview(data).cast("B")
        room = OUTPUT_LIMIT - len(self.taken)
        self.taken += view[:room]
        if len(view) > room:
            self.overflowed = True
            raise OutputLimit(f"more than {OUTPUT_LIMIT} bytes of output")
        return len(view)


class Runner:
    """Serves the requests of one channel; a copy of the process serves its own channel."""

    def __init__(self, *, is_supervised: bool) -> None:
        self._is_supervised = is_supervised
        arch = architecture()
        assert arch is not None  # `lockdown` was here before
        self._clone, self._pidfd_open, self._prctl = (
            arch.number(name) for name in ("clone", "pidfd_open", "prctl")
        )
        self._system_call = CDLL(None, use_errno=True).syscall
        self._system_call.restype = c_long
        self._system_call.argtypes = [c_long] * 6
        self._errno = get_errno
        self._channel = socket(fileno=CONTROL)
        self._main = ModuleType("__main__")
        self._serial = 0
        self._stdout = TextIOWrapper(Capture())
        self._capture = Capture()
        self._is_late = False
        vars(self._main)["__builtins__"] = builtins  # not our private copy
        sys.modules["__main__"] = self._main
        os._exit = self._exit

    def serve(self) -> NoReturn:
        """Serve requests until the host closes the channel."""
        try:
            while True:
                self._serve_one()
        finally:
            abort()  # not an exit: the snippet has broken us

    def _serve_one(self) -> None:
        request, descriptor = self._receive()
        self._serial = request.serial
        if request.kind is Kind.RUN:
            seconds, code = read_run_request(request.payload)
            ending, error = self._run(code, seconds)
            self._send(done_reply(request.serial, ending, error, bytes(self._capture.taken)))
        elif request.kind is Kind.FORK and descriptor is not None:
            self._fork(read_token(request.payload), descriptor)

    # --- the snippet ---

    def _run(self, code: str, seconds: float) -> tuple[Ending, bytes]:
        self._capture = Capture()
        self._stdout = TextIOWrapper(
            self._capture, encoding="utf-8", errors="backslashreplace", newline="\n"
        )
        sys.stdout, sys.stdin = self._stdout, StringIO()
        self._is_late = False
        ending, error = Ending.TIMEOUT, b""
        try:
            ending, error = self._attempt(code, seconds)
        except TimeLimit:  # fell due while the snippet's own error was being told
            pass
        finally:
            setitimer(ITIMER_REAL, 0)
            sys.settrace(None)
            sys.setprofile(None)
        if self._is_late:  # even if it swallowed what was raised
            return Ending.TIMEOUT, b"TimeLimit: Code execution timed out"
        return (Ending.OUTPUT_LIMIT if self._capture.overflowed else ending), error

    def _attempt(self, code: str, seconds: float) -> tuple[Ending, bytes]:
        try:
            set_handler(SIGALRM, self._on_alarm)
            setitimer(ITIMER_REAL, seconds)
            exec(compile(code, "<string>", "exec", dont_inherit=True), vars(self._main))
            self._stdout.flush()
        except BaseException as fault:  # noqa: BLE001 - the snippet's own exception is its result
            self._flush()
            return _tell(fault)
        return Ending.OK, b""

    def _on_alarm(self, _signum: int, _frame: FrameType | None) -> None:
        # The snippet may swallow what is raised here, or sit in C code that never lets it be
        # raised; what it printed so far is then all that the host will have.
        self._is_late = True
        self._send_output()
        raise TimeLimit

    def _exit(self, status: int) -> NoReturn:
        # `os._exit` for snippets: they lose the namespace, not what they printed.
        self._send_output()
        _exit(status)

    def _send_output(self) -> None:
        self._flush()
        self._send(Frame(Kind.OUTPUT, self._serial, bytes(self._capture.taken)).encode())

    def _flush(self) -> None:
        try:  # noqa: SIM105 - `suppress` is Python code that a snippet could patch
            self._stdout.flush()
        except BaseException:  # noqa: BLE001 - closed, detached or full: what was taken stays taken
            pass

    # --- copying ---

    def _fork(self, token: int, channel: int) -> None:
        """Make a sibling process that serves `channel`; this returns in both processes."""
        pid = self._system_call(self._clone, CLONE_SIBLING, 0, 0, 0, 0)
        if pid == 0:
            dup2(channel, CONTROL)
            closerange(HANDOVER if self._is_supervised else HANDOVER + 1, OPEN_FILES)
            self._system_call(self._prctl, _PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
            self._register(token)
            return
        errno = self._errno() if pid < 0 else 0
        close(channel)
        self._send(forked_reply(self._serial, errno))

    def _register(self, token: int) -> None:
        """Register this process under its token; the kernel tells the supervisor the true pid."""
        if not self._is_supervised:
            write(HANDOVER, token.to_bytes(8, "little"))
        elif self._system_call(self._pidfd_open, token, 0, 0, 0, 0) != 0:
            _exit(1)

    # --- the channel ---

    def _receive(self) -> tuple[Frame, int | None]:
        data, descriptor = self._read()
        while len(data) < HEADER.size:
            data += self._read()[0]
        length, kind, serial = HEADER.unpack_from(data)
        parts, missing = [data[HEADER.size :]], HEADER.size + length - len(data)
        while missing > 0:
            part, _ = self._read()
            parts.append(part)
            missing -= len(part)
        return Frame(Kind(kind), serial, b"".join(parts)), descriptor

    def _read(self) -> tuple[bytes, int | None]:
        data, ancillary, _, _ = self._channel.recvmsg(_CHUNK, CMSG_SPACE(4))
        if not data:
            _exit(0)
        for _, _, payload in ancillary:
            return data, int.from_bytes(payload[:4], sys.byteorder)
        return data, None

    def _send(self, data: bytes) -> None:
        while data:
            data = data[write(CONTROL, data) :]


def _tell(fault: BaseException) -> tuple[Ending, bytes]:
    """How a snippet ended, and the error as `Type: message`, like the reference."""
    name = _NAME.__get__(type(fault))  # metaclasses can poison `__name__`
    try:
        text = f"{name}: {fault}"
    except TimeLimit:
        raise
    except BaseException:  # noqa: BLE001 - a poisoned __str__, or no memory left for it
        text = f"{name}: <no message>"
    return _ending(type(fault)), text[:ERROR_LIMIT].encode("utf-8", "backslashreplace")


def _ending(fault: type[BaseException]) -> Ending:
    # By its true type: an instance can lie about its class.
    for kind, ending in _ENDINGS.items():
        if issubclass(fault, kind):
            return ending
    return Ending.ERROR


_NAME = vars(type)["__name__"]
_ENDINGS = {
    OutputLimit: Ending.OUTPUT_LIMIT,
    MemoryError: Ending.MEMORY,
    SystemExit: Ending.EXIT,
}
