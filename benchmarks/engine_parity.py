"""The same solutions through the engine in process and through a real server: same verdicts?

    make test-vllm
    python benchmarks/engine_parity.py --vllm PYTHON     starts vLLM with that interpreter
    python benchmarks/engine_parity.py --llama-cpp       starts llama.cpp (needs xllamacpp, gguf)

Both judge generated solutions at temperature 0 with one checkpoint, the shipped one or a folder
that holds it for both engines. Prints each step whose rewards differ and a summary; ends with 1 if
a label differs or a reward by more than 0.05.
"""

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, resources
from itertools import islice
from pathlib import Path

import httpx

from genprm.arithmetic.problems import Split, exercises
from genprm.model import Model, Sampling
from genprm.models.load import load_model
from genprm.problem import Solution
from genprm.sandboxes.fork_server import ForkServer
from genprm.verdict import SolutionVerdict
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

SHIPPED = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
TOLERANCE = 0.05
START_SECONDS = 600
SEED = 20_250_404


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    server = parser.add_mutually_exclusive_group(required=True)
    server.add_argument("--vllm", metavar="PYTHON", help="interpreter that has vLLM")
    server.add_argument("--llama-cpp", action="store_true")
    parser.add_argument("--model", type=Path, default=SHIPPED, metavar="FOLDER")
    parser.add_argument("--solutions", type=int, default=20)
    arguments = parser.parse_args()
    drawn = islice(exercises(SEED, Split.HELD_OUT), arguments.solutions)
    solutions = [Solution(exercise.problem, exercise.steps) for exercise in drawn]
    folder: Path = arguments.model
    served = serve_llama_cpp(folder) if arguments.llama_cpp else serve_vllm(folder, arguments.vllm)
    with served as (url, engine):
        print(f"OpenVINO GenAI {metadata.version('openvino-genai')} against {engine}")
        theirs = asyncio.run(judge(load_model(url, chat_template=folder), solutions))
    ours = asyncio.run(judge(load_model(str(folder)), solutions))
    sys.exit(compare(solutions, ours, theirs))


async def judge(model: Model, solutions: list[Solution]) -> list[SolutionVerdict]:
    """The verdicts in the order of the solutions."""
    settings = Settings(sampling=Sampling(temperature=0))
    start = time.perf_counter()
    async with ForkServer() as sandbox:
        verifier = Verifier(model, sandbox, settings)
        verdicts = {row: v async for row, v in verifier.verify_many(enumerate(solutions))}
    await model.close()
    print(f"{model.name}: {len(solutions)} solutions in {time.perf_counter() - start:.1f} s")
    return [verdicts[row] for row in range(len(solutions))]


def compare(
    solutions: list[Solution], ours: list[SolutionVerdict], theirs: list[SolutionVerdict]
) -> int:
    """Print what differs; 1 if it is too much."""
    steps = same_text = same_label = 0
    worst = 0.0
    for row, (left, right) in enumerate(zip(ours, theirs, strict=True)):
        for number, (a, b) in enumerate(zip(left.steps, right.steps, strict=True)):
            steps += 1
            same_label += a.label == b.label
            same_text += a.votes[0].analysis == b.votes[0].analysis
            both = [vote for vote in (a.reward, b.reward) if vote is not None]
            difference = max(both) - min(both) if len(both) == 2 else 0.0
            worst = max(worst, difference)
            if difference > TOLERANCE or a.label != b.label:
                print(f"solution {row}, step {number}: {a.label} {a.reward} / {b.label} {b.reward}")
                print(f"  {solutions[row].steps[number]!r}")
    print(
        f"{steps} steps: {same_label} same labels, {same_text} same analyses, "
        f"rewards differ by at most {worst:.4f}"
    )
    return int(same_label < steps or worst > TOLERANCE)


@contextmanager
def serve_vllm(folder: Path, python: str) -> Iterator[tuple[str, str]]:
    """The URL of a vLLM server on CPU and its version."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(python, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"),
        "--dtype=float32",
        *("--model", str(folder), "--served-model-name", "arithmetic"),
        *("--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"),
    ]
    settings = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    version = "import vllm, torch; print(f'vLLM {vllm.__version__}, torch {torch.__version__}')"
    engine = subprocess.run([python, "-c", version], capture_output=True, text=True, check=True)
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | settings)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1", engine.stdout.splitlines()[-1]
        except RuntimeError:
            log.seek(0)
            sys.stderr.write(log.read()[-4000:])
            raise
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Return when `url` answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            time.sleep(1)
        else:
            return
    raise RuntimeError(f"the server did not start within {START_SECONDS} s")


@contextmanager
def serve_llama_cpp(folder: Path) -> Iterator[tuple[str, str]]:
    """The URL of a llama.cpp server in this process and its version."""
    import xllamacpp

    from genprm.arithmetic.gguf_export import to_gguf

    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "verifier.gguf"
        to_gguf(folder, file)
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.n_parallel, params.n_ctx = 8, 8 * 4096
        params.cpuparams.n_threads = 1  # its threads wait for each other by spinning
        params.port = 0
        server = xllamacpp.Server(params)
        yield f"{server.listening_address}/v1", f"xllamacpp {metadata.version('xllamacpp')}"


if __name__ == "__main__":
    main()
