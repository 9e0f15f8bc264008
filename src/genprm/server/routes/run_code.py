"""POST /run_code: SandboxFusion's API on our sandbox, for verl's and tinker-cookbook's clients.

It runs only Python, in a new namespace without files or network. `memory_limit_MB` is ignored: the
limit is the sandbox's own (1 GiB). Files can be neither passed nor fetched.
"""

import asyncio
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from genprm.sandbox import RunResult, RunStatus, SandboxBackend
from genprm.server.errors import shutting_down
from genprm.server.judging import Judging
from genprm.server.limits import CODE_SECONDS
from genprm.server.numbers import NUMBER
from genprm.server.queue import Queue
from genprm.server.routes.documented import refusals

_PYTHON = frozenset({"python", "python3"})


class CodeRequest(BaseModel):
    """One program, and its standard input."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"code": "print(1 + 1)", "language": "python"}]}
    )

    code: Annotated[str, Field(max_length=1_000_000)]
    language: str = "python"
    stdin: Annotated[str | None, Field(max_length=1_000_000)] = None
    compile_timeout: Annotated[float, NUMBER] = 10.0
    run_timeout: Annotated[float, Field(gt=0, le=CODE_SECONDS), NUMBER] = 10.0
    memory_limit_MB: Annotated[int, NUMBER] = -1  # noqa: N815 (SandboxFusion's name)
    files: dict[str, object] = Field(default_factory=dict)
    fetch_files: list[str] = Field(default_factory=list)


class Outcome(StrEnum):
    """Whether the program ran and returned 0."""

    SUCCESS = "Success"
    FAILED = "Failed"
    SANDBOX_ERROR = "SandboxError"


class CommandResult(BaseModel):
    """How the program ended; `return_code` is None if it was killed."""

    status: str  # Finished, Error or TimeLimitExceeded
    execution_time: float
    return_code: int | None
    stdout: str
    stderr: str


class CodeReply(BaseModel):
    """The reply in SandboxFusion's format."""

    status: Outcome
    message: str = ""
    compile_result: CommandResult | None = None
    run_result: CommandResult | None = None
    executor_pod_name: str | None = None
    files: dict[str, str] = Field(default_factory=dict)


def router(judging: Judging, sandbox: SandboxBackend) -> APIRouter:
    """The route, with a queue of its own."""
    routes = APIRouter()
    limits = judging.limits
    queue = Queue(limits.code_running, limits.code_waiting, of="programs")
    judging.metrics.watch("code", queue)

    async def run(body: CodeRequest) -> RunResult:
        with queue.claim(1) as places:
            async with places.turn(), sandbox.session() as session:
                result = await session.run(_program(body), body.run_timeout)
        judging.metrics.count_run(result)
        return result

    @routes.post("/run_code", responses=refusals, summary="SandboxFusion: run one program.")
    async def run_code(body: CodeRequest, request: Request) -> CodeReply:
        if judging.is_draining:
            raise shutting_down()
        if (unsupported := _unsupported(body)) is not None:
            return CodeReply(status=Outcome.SANDBOX_ERROR, message=unsupported)
        return _reply(await judging.until_gone(request, asyncio.ensure_future(run(body))))

    return routes


def _program(body: CodeRequest) -> str:
    """The code with its standard input added, because the sandbox's own is always empty."""
    if not body.stdin:
        return body.code
    return (
        f"import io, sys; sys.stdin = io.StringIO({body.stdin!r})\n"
        f"exec(compile({body.code!r}, '<string>', 'exec'))"
    )


def _unsupported(body: CodeRequest) -> str | None:
    if body.language not in _PYTHON:
        return f"language {body.language}: only python is run here"
    if body.files or body.fetch_files:
        return "files: the sandbox has none"
    return None


def _reply(result: RunResult) -> CodeReply:
    ended = _result(result)
    finished = ended.status == "Finished" and ended.return_code == 0
    return CodeReply(status=Outcome.SUCCESS if finished else Outcome.FAILED, run_result=ended)


def _result(result: RunResult) -> CommandResult:
    """The result; a program that raised finished with code 1, as with Python itself."""
    code: int | None
    match result.status:
        case RunStatus.OK:
            status, code, fault = "Finished", 0, ""
        case RunStatus.ERROR:
            status, code, fault = "Finished", 1, result.error or "error"
        case RunStatus.EXIT:
            status, code, fault = "Finished", _exit_code(result.error), ""
        case RunStatus.TIMEOUT:
            status, code, fault = "TimeLimitExceeded", None, ""
        case _:
            status, code, fault = "Error", None, result.error or result.status.value
    return CommandResult(
        status=status,
        execution_time=result.duration,
        return_code=code,
        stdout=result.stdout,
        stderr=fault,
    )


def _exit_code(error: str | None) -> int:
    """The exit code of `SystemExit: 3`; without a number, the same as Python's."""
    said = (error or "").partition(":")[2].strip()
    if not said or said == "None":
        return 0
    return int(said) & 0xFF if said.lstrip("-").isdigit() else 1
