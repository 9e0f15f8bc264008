"""The framed control channel between the host and one session process.

    frame  = length u32 | kind u8 | serial u64 | payload      (little-endian)

    host -> session   RUN     seconds f64 | code
                      FORK    token u64, with the copy's own channel as ancillary descriptor
    session -> host   OUTPUT  what was printed so far, sent when the time is up
                      DONE    status u8 | length of error u32 | error | stdout
                      FORKED  errno u32, 0 when the copy lives

Everything that a session process sends is hostile input: a snippet shares its memory with the
runner, so it can write anything into the channel. The host therefore accepts a frame only if it is
well formed, within the size limit, expected, and carries the serial of the open request. Otherwise
only that session loses its process.

Code is sent as UTF-8 with surrogates passed through, because models write them. Replies are decoded
with replacement, because snippets may print arbitrary bytes.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

OUTPUT_LIMIT = 64 * 1024  # bytes of stdout per snippet
ERROR_LIMIT = 4 * 1024  # bytes of "Type: message"
MAX_REPLY = OUTPUT_LIMIT + ERROR_LIMIT + 64  # longest payload a session may send

HEADER = struct.Struct("<IBQ")
_SECONDS = struct.Struct("<d")
_TOKEN = struct.Struct("<Q")
_DONE = struct.Struct("<BI")
_ERRNO = struct.Struct("<I")


class ProtocolError(Exception):
    """A session process sent what the protocol does not allow."""


class Kind(IntEnum):
    """The kind of a frame."""

    RUN = 1
    FORK = 2
    OUTPUT = 3
    DONE = 4
    FORKED = 5


class Ending(IntEnum):
    """How a snippet ended, as far as its process knows."""

    OK = 0
    ERROR = 1
    TIMEOUT = 2
    MEMORY = 3
    OUTPUT_LIMIT = 4
    EXIT = 5


@dataclass(frozen=True, slots=True)
class Frame:
    """One message. `serial` ties a reply to its request."""

    kind: Kind
    serial: int
    payload: bytes

    def encode(self) -> bytes:
        """The frame's bytes on the channel."""
        return HEADER.pack(len(self.payload), self.kind, self.serial) + self.payload


@dataclass(frozen=True, slots=True)
class Done:
    """The payload of a DONE frame."""

    ending: Ending
    error: str
    stdout: str


class FrameReader:
    """Splits a byte stream into frames; never buffers more than one reply."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes.

        Raises:
            ProtocolError: a length over `MAX_REPLY`, or a kind that no session sends.
        """
        self._pending += data
        frames = []
        while len(self._pending) >= HEADER.size:
            length, kind, serial = HEADER.unpack_from(self._pending)
            if length > MAX_REPLY or kind not in _REPLIES:
                raise ProtocolError(f"frame of kind {kind} and {length} bytes")
            end = HEADER.size + length
            if len(self._pending) < end:
                break
            frames.append(Frame(Kind(kind), serial, bytes(self._pending[HEADER.size : end])))
            del self._pending[:end]
        return frames


_REPLIES = frozenset({Kind.OUTPUT, Kind.DONE, Kind.FORKED})


def run_request(serial: int, code: str, seconds: float) -> bytes:
    """The RUN frame."""
    body = _SECONDS.pack(seconds) + code.encode("utf-8", "surrogatepass")
    return Frame(Kind.RUN, serial, body).encode()


def read_run_request(payload: bytes) -> tuple[float, str]:
    """Seconds and code of a RUN frame."""
    (seconds,) = _SECONDS.unpack_from(payload)
    return seconds, payload[_SECONDS.size :].decode("utf-8", "surrogatepass")


def fork_request(serial: int, token: int) -> bytes:
    """The FORK frame. The descriptor is sent along with it."""
    return Frame(Kind.FORK, serial, _TOKEN.pack(token)).encode()


def read_token(payload: bytes) -> int:
    """Token of a FORK frame."""
    return int(_TOKEN.unpack(payload)[0])


def done_reply(serial: int, ending: int, error: bytes, stdout: bytes) -> bytes:
    """The DONE frame, with each part shortened to its limit."""
    error, stdout = error[:ERROR_LIMIT], stdout[:OUTPUT_LIMIT]
    return Frame(Kind.DONE, serial, _DONE.pack(ending, len(error)) + error + stdout).encode()


def read_done(payload: bytes) -> Done:
    """Parses a DONE frame.

    Raises:
        ProtocolError: too short, an unknown ending, or lengths that do not add up.
    """
    if len(payload) < _DONE.size:
        raise ProtocolError("DONE frame too short")
    ending, size = _DONE.unpack_from(payload)
    if ending not in _ENDINGS or size > len(payload) - _DONE.size:
        raise ProtocolError("DONE frame with bad fields")
    error, stdout = payload[_DONE.size : _DONE.size + size], payload[_DONE.size + size :]
    return Done(Ending(ending), error.decode("utf-8", "replace"), stdout.decode("utf-8", "replace"))


_ENDINGS = frozenset(Ending)


def forked_reply(serial: int, errno: int) -> bytes:
    """The FORKED frame."""
    return Frame(Kind.FORKED, serial, _ERRNO.pack(errno)).encode()


def read_errno(payload: bytes) -> int:
    """errno of a FORKED frame.

    Raises:
        ProtocolError: not four bytes.
    """
    if len(payload) != _ERRNO.size:
        raise ProtocolError("FORKED frame with bad length")
    return int(_ERRNO.unpack(payload)[0])
