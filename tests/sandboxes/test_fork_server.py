"""Sessions: what a namespace remembers, what a copy shares, what survives a loss."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from genprm.errors import SandboxError
from genprm.sandbox import RunStatus
from genprm.sandboxes.fork_server import ForkServer
from genprm.sandboxes.host.process import GRACE
from genprm.sandboxes.host.tiers import TIERS, Tier

SOURCES = Path(__file__).parents[2] / "src"


def missing(name: str) -> str:
    return ", ".join(TIERS[name].missing())


pytestmark = pytest.mark.skipif(bool(missing("bare")), reason=f"missing here: {missing('bare')}")


def in_box(scenario: Callable[[ForkServer], Awaitable[None]], **options: object) -> None:
    """Runs a scenario in a sandbox without warm imports, which starts fast."""

    async def main() -> None:
        async with ForkServer(preload=(), **options) as box:  # type: ignore[arg-type]
            await scenario(box)

    asyncio.run(main())


def test_a_namespace_lives_from_snippet_to_snippet() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("import math\ndef area(r): return math.pi * r ** 2")
            result = await session.run("print(__name__, round(area(2), 3))")
        assert result.stdout == "__main__ 12.566\n"
        assert result.status is RunStatus.OK
        assert not result.namespace_lost

    in_box(scenario)


def test_snippets_are_executed_not_echoed() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            assert (await session.run("1 + 1\n'x'")).stdout == ""

    in_box(scenario)


def test_stdout_before_an_error_is_kept_and_the_name_too() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            result = await session.run("x = 3\nprint('before')\n1 / 0")
            assert result.text == "before\nCode execute Error: ZeroDivisionError: division by zero"
            assert (
                result.reference_text == "Code execute Error: ZeroDivisionError: division by zero"
            )
            assert (await session.run("print(x)")).stdout == "3\n"

    in_box(scenario)


def test_main_is_a_module_so_that_dataclasses_and_pickle_work() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run(
                "import pickle\nfrom dataclasses import dataclass\n"
                "@dataclass\nclass Point:\n    x: int\n"
            )
            result = await session.run("print(pickle.loads(pickle.dumps(Point(7))))")
        assert result.stdout == "Point(x=7)\n"

    in_box(scenario)


def test_sessions_do_not_see_each_other() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as one, box.session() as other:
            await one.run("import math; math.pi = 3; secret = 1")
            assert (await other.run("import math; print(math.pi > 3)")).stdout == "True\n"
            assert (await other.run("print(secret)")).status is RunStatus.ERROR

    in_box(scenario)


def test_copies_are_independent_of_each_other_and_of_the_original() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as original:
            await original.run("votes = ['history']; import random; random.seed(1)")
            copies = [await original.fork() for _ in range(3)]
            for name, copy in zip("abc", copies, strict=True):
                await copy.run(f"votes.append({name!r})")
            seen = [(await copy.run("print(votes)")).stdout for copy in copies]
            assert seen == [f"['history', '{name}']\n" for name in "abc"]
            assert (await original.run("print(votes)")).stdout == "['history']\n"
            draws = {(await copy.run("print(random.random())")).stdout for copy in copies}
            assert len(draws) == 1  # a copy of all state, not only of the variables

    in_box(scenario)


def test_a_copy_outlives_its_original_and_can_be_copied() -> None:
    async def scenario(box: ForkServer) -> None:
        original = box.session()
        await original.run("x = 1")
        copy = await original.fork()
        await original.close()
        grandchild = await copy.fork()
        await copy.run("import os; os._exit(0)")
        assert (await grandchild.run("print(x)")).stdout == "1\n"

    in_box(scenario)


def test_a_copy_of_a_session_that_has_not_run_is_fresh() -> None:
    async def scenario(box: ForkServer) -> None:
        copy = await box.session().fork()
        assert (await copy.run("print('here')")).stdout == "here\n"

    in_box(scenario)


def test_time_outs_keep_the_namespace_where_the_snippet_lets_them() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("x = 1")
            result = await session.run("print('so far')\nx = 2\nwhile True: pass", timeout=0.2)
            assert result.status is RunStatus.TIMEOUT
            assert result.text == "so far\nCode execute time out: Code execution timed out"
            assert (await session.run("print(x)")).stdout == "2\n"

    in_box(scenario)


STUBBORN = """
print('so far')
while True:
    try:
        while True: abs(1)
    except BaseException:
        pass
"""


def test_a_lost_namespace_is_rebuilt_from_the_snippets_that_ended() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("x = 1; print('once')")
            await session.run("y = x + 1\n1 / 0")
            started = time.monotonic()
            result = await session.run(STUBBORN, timeout=0.5)
            assert time.monotonic() - started < 0.5 + GRACE + 1.0
            assert result.status is RunStatus.TIMEOUT
            assert result.duration > 0.5 + GRACE  # it had to be killed
            assert result.stdout == "so far\n"
            assert not result.namespace_lost
            assert (await session.run("print(x, y)")).stdout == "1 2\n"

    in_box(scenario)


def test_a_namespace_that_cannot_be_rebuilt_is_said_to_be_lost() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("import time; time.sleep(0.2); x = 1")
            result = await session.run("import os; os._exit(7)")
            assert result.status is RunStatus.EXIT
            assert result.error == "SystemExit: 7"
            assert result.namespace_lost
            after = await session.run("print(x)")
            assert after.status is RunStatus.ERROR
            assert not after.namespace_lost  # it was said once

    in_box(scenario, replay_budget=0.1)


def test_a_loss_between_runs_is_told_by_the_next() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("import time; time.sleep(0.2); x = 1")
            assert session.pid is not None
            os.kill(session.pid, signal.SIGKILL)
            while session.pid is not None:
                await asyncio.sleep(0.01)
            assert (await session.run("print('here')")).namespace_lost

    in_box(scenario, replay_budget=0.1)


def test_a_replay_that_turns_out_otherwise_is_a_loss() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run(
                "import time; assert time.monotonic() < %f" % (time.monotonic() + 0.3)
            )
            await asyncio.sleep(0.4)
            assert (await session.run("import os; os._exit(0)")).namespace_lost

    in_box(scenario)


def test_what_was_printed_before_os_exit_is_kept() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            result = await session.run("print('last words'); import os; os._exit(0)")
            assert result.stdout == "last words\n"

    in_box(scenario)


def test_output_is_cut_at_the_limit() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            result = await session.run("x = 5\nprint('é' * 100_000)")
            assert result.status is RunStatus.OUTPUT_LIMIT
            assert len(result.stdout.encode()) == 64 * 1024
            assert (await session.run("print(x)")).stdout == "5\n"

    in_box(scenario)


def test_code_larger_than_a_socket_buffer() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            result = await session.run(f"text = '{'x' * 3_000_000}'\nprint(len(text))")
            assert result.stdout == "3000000\n"

    in_box(scenario)


def test_a_cancelled_run_loses_its_process_only() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("x = 1")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.run("while True: pass"), 0.2)
            assert (await session.run("print(x)")).stdout == "1\n"

    in_box(scenario)


def test_a_cancelled_start_does_not_disturb_the_others() -> None:
    async def scenario(box: ForkServer) -> None:
        await box.session().run("1")
        for patience in (0, 0.0005, 0.001, 0.002, 0.004):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(box.session().run("while True: pass"), patience)
        async with box.session() as session:
            assert (await session.run("print('here')")).stdout == "here\n"

    in_box(scenario)


def test_a_closed_session_refuses() -> None:
    async def scenario(box: ForkServer) -> None:
        session = box.session()
        await session.run("x = 1")
        await session.close()
        await session.close()
        with pytest.raises(SandboxError, match="closed"):
            await session.run("x")
        with pytest.raises(SandboxError, match="closed"):
            await session.fork()

    in_box(scenario)


def test_a_sandbox_that_is_not_entered_refuses() -> None:
    with pytest.raises(SandboxError, match="async with"):
        asyncio.run(ForkServer().session().run("1"))


def test_unknown_and_unavailable_tiers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SandboxError, match="no sandbox tier 'safest'"):
        ForkServer("safest")
    monkeypatch.setattr(Tier, "missing", lambda self: ["Landlock"] if self.landlock else [])

    async def enter(tier: str) -> str:
        async with ForkServer(tier, preload=()) as box, box.session() as session:
            return (await session.run("print('weak')")).stdout

    with pytest.raises(SandboxError, match=r"missing Landlock.*bare-without-landlock"):
        asyncio.run(enter("auto"))
    assert asyncio.run(enter("bare-without-landlock")) == "weak\n"


@pytest.mark.parametrize("tier", ["bare-without-landlock", "limits-only"])
def test_weak_tiers_hold_sessions_and_copies_too(tier: str) -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("x = 1")
            copies = [await session.fork() for _ in range(3)]
            for number, copy in enumerate(copies):
                await copy.run(f"x += {number}")
                assert (await copy.run("print(x)")).stdout == f"{1 + number}\n"
            assert (await session.run(STUBBORN, timeout=0.1)).status is RunStatus.TIMEOUT
            assert (await session.run("print(x)")).stdout == "1\n"

    in_box(scenario, tier=tier)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), 1e300])
def test_any_number_is_a_time_out(timeout: float) -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            result = await session.run("print(1)", timeout)
            assert result.status in (RunStatus.OK, RunStatus.TIMEOUT)

    in_box(scenario)


def test_imports_go_on_in_the_background() -> None:
    async def main() -> None:
        started = time.monotonic()
        async with ForkServer() as box:
            entered = time.monotonic() - started
            async with box.session() as session:
                result = await session.run("print('sympy' in __import__('sys').modules)")
                ready = time.monotonic() - started
        assert result.stdout == "True\n"
        assert entered < ready / 2

    asyncio.run(main())


def test_a_template_that_cannot_import_says_so() -> None:
    async def main() -> None:
        async with ForkServer(preload=("no_such_module",)) as box, box.session() as session:
            await session.run("1")

    with pytest.raises(SandboxError, match="no_such_module"):
        asyncio.run(main())


def test_two_hundred_sessions_at_once() -> None:
    async def scenario(box: ForkServer) -> None:
        sessions = [box.session() for _ in range(200)]
        await asyncio.gather(*(s.run(f"x = {i}") for i, s in enumerate(sessions)))
        assert len({session.pid for session in sessions}) == 200
        results = await asyncio.gather(*(s.run("print(x)") for s in sessions))
        assert [int(result.stdout) for result in results] == list(range(200))

    in_box(scenario)


def test_a_lost_supervisor_costs_the_processes_not_the_sandbox() -> None:
    async def scenario(box: ForkServer) -> None:
        async with box.session() as session:
            await session.run("x = 1")
            supervisor = _parent(session.pid)
            os.kill(supervisor, signal.SIGKILL)
            while session.pid is not None:
                await asyncio.sleep(0.01)
            result = await session.run("print(x)")
            assert result.stdout == "1\n"

    in_box(scenario)


def _parent(pid: int | None) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1])
