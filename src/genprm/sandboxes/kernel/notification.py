"""The supervisor's end of seccomp user notification: system calls that wait for an answer."""

import errno
import fcntl
import struct
from dataclasses import dataclass

_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102  # ioctls of <linux/seccomp.h>
_REQUEST = struct.Struct("<QII iIQ6Q")  # seccomp_notif: id, pid, flags | nr, arch, ip, args
_RESPONSE = struct.Struct("<QqiI")  # id, value, error, flags
_CONTINUE = 1


@dataclass(frozen=True, slots=True)
class Request:
    """A stopped system call."""

    id: int
    pid: int  # in the supervisor's PID namespace
    number: int
    arguments: tuple[int, ...]


class Listener:
    """The descriptor that a filter with supervised calls came with."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def receive(self) -> Request | None:
        """The next stopped call, or None when its caller died meanwhile."""
        buffer = bytearray(_REQUEST.size)
        try:
            fcntl.ioctl(self.fd, _RECEIVE, buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        identity, pid, _, number, _, _, *arguments = _REQUEST.unpack(buffer)
        return Request(identity, pid, number, tuple(arguments))

    def is_waiting(self, request: Request) -> bool:
        """Whether the caller is alive and still stopped in this call."""
        try:
            fcntl.ioctl(self.fd, _IS_VALID, struct.pack("<Q", request.id))
        except OSError:
            return False
        return True

    def proceed(self, request: Request) -> None:
        """Let the call happen. Sound only where its arguments are not pointers."""
        self._respond(request, 0, 0, _CONTINUE)

    def answer(self, request: Request, value: int) -> None:
        """The call returns `value` without happening."""
        self._respond(request, value, 0, 0)

    def refuse(self, request: Request) -> None:
        """The call fails with EPERM."""
        self._respond(request, 0, -errno.EPERM, 0)

    def _respond(self, request: Request, value: int, error: int, flags: int) -> None:
        response = bytearray(_RESPONSE.pack(request.id, value, error, flags))
        try:
            fcntl.ioctl(self.fd, _SEND, response)
        except OSError as fault:
            if fault.errno != errno.ENOENT:  # the caller died: nobody waits for the answer
                raise
