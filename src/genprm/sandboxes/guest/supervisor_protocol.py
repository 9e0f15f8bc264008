"""What host and supervisor send each other: a command line, then one message in each packet.

host -> supervisor    PERMIT   parent u64 | child u64    `parent` may clone itself once
supervisor -> host    HELLO    (+ its own pidfd)         its own privileges are gone
                      READY    layers as JSON            the template is locked down
                      FAILED   text                      it could not be
                      STARTED  token u64 (+ pidfd)       a process has registered
                      EXITED   token u64 | status i32    wait status of a process
"""

import json
import struct
from dataclasses import asdict, dataclass

HOST = 3  # descriptor of the channel to the host
TEMPLATE = 4  # descriptor of the template's own control channel
LIFELINE = 5  # descriptor of a pipe that ends when the guardian does
TEMPLATE_TOKEN = 0

HELLO, READY, FAILED, STARTED, EXITED, PERMIT = b"H", b"R", b"F", b"S", b"E", b"P"
PERMISSION = struct.Struct("<QQ")
REGISTRATION = struct.Struct("<Q")
EXIT = struct.Struct("<Qi")
PACKET = 4096


@dataclass(frozen=True, slots=True)
class Config:
    """What the supervisor is started with, as JSON on its command line."""

    readable: tuple[str, ...]  # files and directories that sessions may read
    import_paths: tuple[str, ...]  # beyond the standard library
    preload: tuple[str, ...]  # modules imported before the first session
    memory: int  # bytes of address space beyond what the template has mapped
    with_landlock: bool
    with_seccomp: bool

    def to_json(self) -> str:
        """The command-line argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Config":
        """Back from the command line."""
        fields = json.loads(text)
        return cls(
            readable=tuple(fields["readable"]),
            import_paths=tuple(fields["import_paths"]),
            preload=tuple(fields["preload"]),
            memory=fields["memory"],
            with_landlock=fields["with_landlock"],
            with_seccomp=fields["with_seccomp"],
        )
