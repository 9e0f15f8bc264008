"""The framed channel, and the host's end of it against a peer that sends anything at all."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genprm.sandbox import RunResult, RunStatus
from genprm.sandboxes.guest import protocol
from genprm.sandboxes.guest.protocol import Ending, Frame, FrameReader, Kind, ProtocolError
from genprm.sandboxes.host.process import SessionProcess

replies = st.builds(
    Frame,
    st.sampled_from([Kind.OUTPUT, Kind.DONE, Kind.FORKED]),
    st.integers(0, 2**64 - 1),
    st.binary(max_size=200),
)


@given(st.lists(replies), st.data())
def test_frames_survive_any_cutting(frames: list[Frame], data: st.DataObject) -> None:
    stream = b"".join(frame.encode() for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    reader = FrameReader()
    read = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        read += reader.feed(stream[start:end])
    assert read == frames


@given(st.lists(st.binary(max_size=300)))
def test_a_reader_never_holds_more_than_a_reply(chunks: list[bytes]) -> None:
    reader = FrameReader()
    for chunk in chunks:
        try:
            frames = reader.feed(chunk)
        except ProtocolError:
            return
        assert all(len(frame.payload) <= protocol.MAX_REPLY for frame in frames)
        assert len(reader._pending) < protocol.MAX_REPLY + protocol.HEADER.size


@given(st.text(st.characters()), st.floats(0, 1e6))
def test_any_text_is_code(code: str, seconds: float) -> None:
    request = protocol.run_request(7, code, seconds)
    assert protocol.read_run_request(request[protocol.HEADER.size :]) == (seconds, code)


@given(st.sampled_from(Ending), st.binary(max_size=9000), st.binary(max_size=70_000))
def test_replies_are_cut_to_their_limits(ending: Ending, error: bytes, stdout: bytes) -> None:
    (frame,) = FrameReader().feed(protocol.done_reply(1, ending, error, stdout))
    done = protocol.read_done(frame.payload)
    assert done.ending is ending
    assert done.error == error[: protocol.ERROR_LIMIT].decode("utf-8", "replace")
    assert done.stdout == stdout[: protocol.OUTPUT_LIMIT].decode("utf-8", "replace")


@given(st.binary(max_size=100))
def test_payloads_parse_or_are_refused(payload: bytes) -> None:
    for parse in (protocol.read_done, protocol.read_errno):
        with contextlib.suppress(ProtocolError):
            parse(payload)


# --- the host's end ---

hostile_bytes = st.one_of(
    st.binary(max_size=2000),
    replies.map(Frame.encode),
    st.integers(0, 2**32 - 1).map(lambda n: n.to_bytes(4, "little") + b"\4" + bytes(8)),
)


async def _run_against(peer_sends: list[bytes], *, serial_known: bool) -> RunResult:
    """A real process that only sleeps, behind a channel whose other end is ours."""
    ours, theirs = socket.socketpair()
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as body:
        process = SessionProcess(1, ours)
        process.on_registered(os.pidfd_open(body.pid))
        run = asyncio.create_task(process.run("1", timeout=0.0))
        request = await asyncio.to_thread(theirs.recv, 1 << 16)
        serial = request[5:13] if serial_known else bytes(8)
        for data in peer_sends:
            theirs.sendall(data[:5] + serial + data[13:] if len(data) > 13 else data)
        status = await asyncio.to_thread(os.waitpid, body.pid, 0)
        body.returncode = 0
        process.on_exit(status[1])
        theirs.close()
        return await run


@settings(max_examples=30, deadline=None)
@given(st.lists(hostile_bytes, min_size=1, max_size=4), st.booleans())
def test_no_reply_confuses_the_host(sent: list[bytes], serial_known: bool) -> None:
    result = asyncio.run(_run_against(sent, serial_known=serial_known))
    if not serial_known:  # nothing that was sent can have been believed
        assert result.status in (RunStatus.DIED, RunStatus.TIMEOUT)
        assert result.stdout == ""


def test_after_a_forged_reply_not_even_the_right_one_is_believed() -> None:
    """It may come, for the death of a process that is killed takes its time."""

    async def forged_then_right() -> RunResult:
        ours, theirs = socket.socketpair()
        process = SessionProcess(1, ours)
        run = asyncio.create_task(process.run("1", timeout=9.0))
        request = await asyncio.to_thread(theirs.recv, 1 << 16)
        (serial,) = struct.unpack_from("<Q", request, 5)
        for number in (serial ^ 1, serial):
            theirs.sendall(protocol.done_reply(number, Ending.OK, b"", b""))
            process._on_readable()
        process.on_exit(signal.SIGKILL)
        theirs.close()
        return await run

    assert asyncio.run(forged_then_right()).status is RunStatus.DIED


@pytest.mark.parametrize("code", [b"\xff" * 9, b"\0" * 9])
def test_bytes_that_are_no_text_are_replaced(code: bytes) -> None:
    (frame,) = FrameReader().feed(protocol.done_reply(1, Ending.OK, b"", code))
    assert len(protocol.read_done(frame.payload).stdout) == 9
