"""A sandbox elsewhere: over a WebSocket from a real server, and over the pipes of a container."""

import asyncio
import contextlib
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("websockets")

from remote_server import SOURCES, served

from genprm.errors import InputError, SandboxError
from genprm.sandbox import RunResult, RunStatus
from genprm.sandboxes.host.tiers import TIERS
from genprm.sandboxes.load import TOKEN_VARIABLE, load_sandbox
from genprm.sandboxes.remote import messages
from genprm.sandboxes.remote.backend import RemoteSandbox
from genprm.sandboxes.remote.container import Container
from genprm.sandboxes.remote.messages import MessageError
from genprm.sandboxes.remote.server import is_authorized, listen, read_token

pytestmark = pytest.mark.skipif(
    bool(TIERS["bare"].missing()), reason=", ".join(TIERS["bare"].missing())
)
TOKEN = "a-token-of-this-test"
QUICK = ("--sandbox", "bare", "--preload", "math")  # starts fast


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(*QUICK) as (url, _):
        yield url


def remote(url: str, scenario: Callable[[RemoteSandbox], Awaitable[None]]) -> None:
    async def main() -> None:
        box = load_sandbox(f"remote:{url}")
        assert isinstance(box, RemoteSandbox)
        async with box:
            await scenario(box)

    asyncio.run(main())


# --- sessions ---


def test_namespaces_live_fork_and_end_as_they_do_locally(address: str) -> None:
    async def scenario(box: RemoteSandbox) -> None:
        async with box.session() as session:
            first = await session.run("x = 1\nprint('é')\n1 / 0")
            assert first.stdout == "é\n"
            assert first.error == "ZeroDivisionError: division by zero"
            one, other = await session.fork(), await session.fork()
            await one.run("x = 2")
            assert (await other.run("print(x)")).stdout == "1\n"
            assert (await one.run("print(x)")).stdout == "2\n"
            late = await session.run("print('so far')\nwhile True: pass", timeout=0.2)
            assert (late.status, late.stdout) == (RunStatus.TIMEOUT, "so far\n")
            await one.close()
            with pytest.raises(SandboxError, match="closed"):
                await one.run("x")

    remote(address, scenario)


def test_many_sessions_at_once(address: str) -> None:
    async def scenario(box: RemoteSandbox) -> None:
        sessions = [box.session() for _ in range(100)]
        await asyncio.gather(*(s.run(f"x = {i}") for i, s in enumerate(sessions)))
        results = await asyncio.gather(*(s.run("print(x)") for s in sessions))
        assert [int(result.stdout) for result in results] == list(range(100))

    remote(address, scenario)


def test_a_cancelled_run_ends_there_and_the_namespace_is_rebuilt(address: str) -> None:
    async def scenario(box: RemoteSandbox) -> None:
        async with box.session() as session:
            await session.run("x = 1")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.run("while True: pass", 60), 0.2)
            assert (await session.run("print(x)")).stdout == "1\n"

    remote(address, scenario)


def test_a_lost_namespace_is_said_to_be_lost_once(address: str) -> None:
    async def scenario(box: RemoteSandbox) -> None:
        async with box.session() as session:
            await session.run("import time; time.sleep(2.5); x = 1")
            assert (await session.run("import os; os._exit(7)")).namespace_lost
            after = await session.run("print(x)")
            assert (after.status, after.namespace_lost) == (RunStatus.ERROR, False)

    remote(address, scenario)


# --- losing the server ---


def test_a_lost_server_is_reported_and_its_sessions_are_rebuilt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        with contextlib.ExitStack() as stack:
            url, server = stack.enter_context(served(*QUICK))
            port = int(url.rpartition(":")[2])
            async with load_sandbox(f"remote:{url}") as box:
                session = box.session()
                await session.run("x = 1")
                fork = await session.fork()
                cut = asyncio.create_task(session.run("import time; time.sleep(0.5); print(x)"))
                await asyncio.sleep(0.1)
                server.kill()
                server.wait()
                await asyncio.to_thread(lambda: stack.enter_context(served(*QUICK, port=port)))
                result = await cut
                assert (result.stdout, result.namespace_lost) == ("1\n", False)
                assert (await fork.run("print(x + 1)")).stdout == "2\n"
                assert isinstance(box, RemoteSandbox)
                assert box.lost_connections == 1

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert "sessions are rebuilt by replay" in caplog.text


def test_a_fleet_goes_on_without_one_of_its_servers() -> None:
    async def main() -> None:
        with served(*QUICK) as (one, server), served(*QUICK) as (two, _):
            async with load_sandbox(f"remote:{one},{two}") as box:
                assert isinstance(box, RemoteSandbox)
                assert set(box.tiers) == {one, two}
                sessions = [box.session() for _ in range(4)]
                for number, session in enumerate(sessions):
                    await session.run(f"x = {number}")
                server.kill()
                server.wait()
                results = [(await session.run("print(x)")).stdout for session in sessions]
                assert results == ["0\n", "1\n", "2\n", "3\n"]
                assert set(box.tiers) == {two}

    asyncio.run(main())


def test_nobody_there_is_one_clear_line() -> None:
    async def main() -> None:
        async with load_sandbox("remote:http://127.0.0.1:9"):
            pass

    with pytest.raises(SandboxError, match=r"no sandbox server answers .*127.0.0.1:9.*fix:"):
        asyncio.run(main())


# --- who may connect, and how much they may have ---


def test_only_the_token_opens_the_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")

    async def count(url: str) -> str:
        async with load_sandbox(f"remote:{url}") as box, box.session() as session:
            return (await session.run("print(1)")).stdout

    with served("--token-file", str(path), *QUICK, "--sessions", "2") as (url, _):
        for wrong in ("", "another-token-of-this-test"):
            monkeypatch.setenv(TOKEN_VARIABLE, wrong)
            with pytest.raises(SandboxError, match="refuses the sandbox token") as fault:
                asyncio.run(count(url))
            assert TOKEN not in str(fault.value)
        monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
        assert asyncio.run(count(url)) == "1\n"

        async def scenario(box: RemoteSandbox) -> None:
            one, two, three = (box.session() for _ in range(3))
            await one.run("1")
            await two.run("1")
            with pytest.raises(SandboxError, match="2 sessions open already"):
                await three.run("1")
            await two.close()
            while True:
                with contextlib.suppress(SandboxError):
                    assert (await three.run("print(3)")).stdout == "3\n"
                    break

        remote(url, scenario)


@settings(max_examples=30)
@given(st.text(max_size=60), st.text(min_size=16, max_size=40))
def test_no_other_header_is_authorized(header: str, token: str) -> None:
    assert is_authorized(header, token) == (header == f"Bearer {token}")
    assert is_authorized(f"Bearer {token}", token)
    assert is_authorized(header, None)


def test_others_reach_no_server_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="without a token"):
        listen("0.0.0.0", 0, None)
    with pytest.raises(InputError, match="without a token"):
        listen("::", 0, None)
    listen("127.0.0.1", 0, None).close()
    listen("0.0.0.0", 0, TOKEN).close()
    for text in ("", "short", "two words that are long enough"):
        (tmp_path / "token").write_text(text)
        with pytest.raises(InputError, match="no usable token"):
            read_token(tmp_path / "token")
    with pytest.raises(InputError, match="cannot be read"):
        read_token(tmp_path / "nowhere")


def test_a_web_page_cannot_connect(address: str) -> None:
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.typing import Origin

    async def main() -> None:
        url = address.replace("http", "ws") + messages.PATH
        with pytest.raises(InvalidStatus):
            await connect(url, origin=Origin("http://example.com"))
        connection = await connect(url)
        assert b"hello" in await connection.recv(decode=False)
        await connection.send(b"nonsense")  # ends this connection, and nothing else
        with pytest.raises(ConnectionClosed):
            await connection.recv()

    asyncio.run(main())


# --- messages ---

numbers = st.integers(0, 2**53)
requests = st.one_of(
    st.builds(messages.RunRequest, id=numbers, session=numbers, timeout=st.floats(0, 1e6)),
    st.builds(messages.Fork, id=numbers, session=numbers, target=numbers),
    st.builds(messages.Close, session=numbers),
)
printed = st.text(st.characters(exclude_categories=["Cs"]))
results = st.builds(
    RunResult,
    printed,
    st.sampled_from(RunStatus),
    st.none() | printed,
    st.floats(0, 1e6),
    st.booleans(),
)


@given(requests, st.binary())
def test_requests_survive(request: messages.Request, body: bytes) -> None:
    assert messages.read_request(messages.encode(request, body)) == (request, body)


@given(numbers, results)
def test_results_survive(number: int, result: RunResult) -> None:
    message = messages.encode(messages.Result.of(number, result), result.stdout.encode())
    reply = messages.read_reply(message)
    assert isinstance(reply.header, messages.Result)
    assert reply.header.id == number
    assert reply.header.with_stdout(reply.body) == result


@given(st.binary())
def test_anything_else_is_refused(data: bytes) -> None:
    for read in (messages.read_request, messages.read_reply):
        with contextlib.suppress(MessageError):
            read(data)


@given(st.text(st.characters()))
def test_any_text_is_code(code: str) -> None:
    assert messages.decode_code(messages.encode_code(code)) == code


# --- containers ---


def test_the_command_of_a_container() -> None:
    command = Container("image:1", runtime="runsc", tier="limits-only").command("name")
    assert command[:2] == ["docker", "run"]
    assert command[-6:] == ["image:1", "sandbox", "serve", "--stdio", "--sandbox", "limits-only"]
    line = " ".join(command)
    for option in (
        "--network none", "--read-only", "--cap-drop ALL", "--security-opt no-new-privileges",
        "--pids-limit 4096", "--memory 8g", "--runtime runsc", "--entrypoint genprm", "--rm",
        "--interactive", "--name name",
    ):  # fmt: skip
        assert option in line
    assert "--runtime" not in Container("image:1", engine="podman").command("name")


ENGINE = """#!{python}
import os, sys
arguments = sys.argv[1:]
if arguments[0] == "run":
    inside = arguments[arguments.index("image") + 1:]
    os.environ["PYTHONPATH"] = {path!r}
    os.execv({python!r}, [{python!r}, "-m", "genprm", *inside])
"""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A program that takes an engine's command line and runs what the container would run."""
    program = tmp_path / "engine"
    path = f"{SOURCES}:{os.environ.get('PYTHONPATH', '')}"
    program.write_text(ENGINE.format(python=sys.executable, path=path))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return program.name


def test_a_sandbox_over_pipes(engine: str) -> None:
    async def main() -> None:
        async with load_sandbox(f"container:image?engine={engine}&tier=bare") as box:
            assert isinstance(box, RemoteSandbox)
            assert box.tiers == {"container image": "bare"}
            async with box.session() as session:
                await session.run("x = 20")
                copies = [await session.fork() for _ in range(3)]
                runs = (copy.run(f"print(x + {n})") for n, copy in enumerate(copies))
                answers = await asyncio.gather(*runs)
                assert [answer.stdout for answer in answers] == ["20\n", "21\n", "22\n"]
                long = await session.run(f"print({'y' * 60_000!r})")
                assert len(long.stdout) == 60_001

    asyncio.run(main())


def test_a_container_that_does_not_start_says_why(engine: str) -> None:
    async def enter(name: str) -> None:
        async with load_sandbox(name):
            pass

    with pytest.raises(SandboxError, match="no sandbox tier 'none'"):
        asyncio.run(enter(f"container:image?engine={engine}&tier=none"))
    with pytest.raises(SandboxError, match="no-such-engine is not installed"):
        asyncio.run(enter("container:image?engine=no-such-engine"))


@pytest.mark.parametrize(
    "name",
    ["remote:", "remote:host:1", "remote:http://h:1/path", "container:", "container:i?colour=red",
     "container:--privileged", "container:i?pids=many"],
)  # fmt: skip
def test_names_that_cannot_be_read(name: str) -> None:
    with pytest.raises(InputError, match="fix:"):
        load_sandbox(name)


def test_the_command_refuses_in_one_line() -> None:
    arguments = [sys.executable, "-m", "genprm", "sandbox", "serve", "--host", "0.0.0.0"]
    environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
    run = subprocess.run(
        arguments, capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert run.returncode == 2
    assert run.stderr.count("\n") == 1
    assert "without a token" in run.stderr
