"""How much the service accepts: from one request, from one client, and from all together."""

from dataclasses import dataclass

from genprm.dataset import MAX_STEPS

CODE_SECONDS = 120.0  # that one program of /run_code, or a block of a vote, may ask for


@dataclass(frozen=True, slots=True)
class ServiceLimits:
    """The limits of the service. A request over one is refused, and the reply names the field."""

    concurrency: int = 16  # solutions judged at the same time
    waiting: int = 1024  # solutions accepted and not yet started
    body_bytes: int = 8 << 20  # of one request's body
    buffered_bytes: int = 256 << 20  # of all bodies that are being read or worked on
    body_seconds: float = 30.0  # until a body must have arrived
    head_seconds: float = 10.0  # until a connection must have sent a whole request line and headers
    send_seconds: float = 60.0  # that a client may take to accept a part of a reply
    connections: int = 1024
    solutions: int = 4096  # in one request
    steps: int = MAX_STEPS  # of one solution
    votes: int = 256  # on one step
    request_votes: int = 65_536  # steps times votes, over one request
    tokens: int = 8192  # that a vote may write on one step
    seconds: float = 3600.0  # for one request
    code_running: int = 32  # snippets of /run_code at the same time
    code_waiting: int = 1024
    code_seconds: float = CODE_SECONDS  # that one block of a vote may ask for
    drain_seconds: float = 30.0  # for accepted requests to finish once the service is told to end
