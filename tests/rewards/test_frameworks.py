"""Rewards and the service under the frameworks' own code (`make test-trainers`).

What is not installed is skipped; the formats themselves are tested in `tests/server`.
"""

import asyncio
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from rewarding import Letters, serving, verifier
from serving import running

from genprm.problem import Solution
from genprm.records.verdicts import VerdictRow
from genprm.rewards import openrlhf as reward_file
from genprm.sandboxes.fork_server import ForkServer
from genprm.server.app import create_service
from genprm.server.limits import ServiceLimits
from genprm.tasks.rescoring import score_record

FLAWED = "Step 1: So wrong.\n\nStep 2: The answer is \\boxed{2}."
RIGHT = "Step 1: fine, \\boxed{2}."


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def from_environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENPRM_URL", url)
    monkeypatch.setenv("GENPRM_REWARD", "flaw-aware")


@pytest.mark.usefixtures("from_environment")
def test_a_taskset_of_verifiers_plugs_the_reward() -> None:
    vf = pytest.importorskip("verifiers.v1")
    from genprm.rewards import verifiers

    verifiers._options.cache_clear()

    class Data(vf.TaskData):  # type: ignore[misc, name-defined]
        answer: str

    config = vf.TaskConfig(rewards={"genprm": {"fn": "genprm.rewards.verifiers:genprm"}})

    def scored(text: str) -> Any:
        task = vf.Task[Data, vf.State, vf.TaskConfig](Data(prompt="1 + 1?", answer="2"), config)
        agent = vf.AgentInfo(config=vf.AgentConfig())
        trace = vf.Trace(task=vf.TraceTask(type="T", data=task.data), agent=agent)
        trace.root_reply = text
        asyncio.run(task.score(trace))
        return trace

    assert scored(RIGHT).rewards["genprm"].score == 1.0
    flawed = scored(FLAWED)
    assert flawed.rewards["genprm"].score == 0.5
    assert flawed.metrics["genprm_first_error"] == 0.0
    assert scored("").rewards["genprm"].score == 0.0


def test_inspect_finds_the_scorer_by_its_entry_point(url: str, tmp_path: Path) -> None:
    inspect = pytest.importorskip("inspect_ai")
    from inspect_ai.dataset import Sample
    from inspect_ai.model import ModelOutput, ModelUsage, get_model
    from inspect_ai.scorer import precomputed_scores

    texts = [RIGHT, FLAWED, ""]
    samples = [Sample(id=str(at), input="1 + 1?", target="2") for at in range(3)]

    def evaluated(scorer: Any) -> Any:
        outputs = [ModelOutput.from_content("mockllm/model", text) for text in texts]
        for output in outputs:
            output.usage = ModelUsage()  # else it counts tokens with a file of the net
        model = get_model("mockllm/model", custom_outputs=outputs)
        task = inspect.Task(dataset=samples, scorer=scorer)
        options = {"max_samples": 1, "display": "none", "log_dir": str(tmp_path)}
        (log,) = inspect.eval(task, model=model, **options)
        assert log.status == "success", log.error
        return log

    from inspect_ai._util.entrypoints import ensure_entry_points
    from inspect_ai._util.registry import registry_create

    ensure_entry_points("genprm")
    scorer = registry_create("scorer", "genprm/genprm", url=url, kind="flaw-aware")
    log = evaluated(scorer)
    scores = [sample.scores["genprm"] for sample in log.samples]
    assert [score.value for score in scores[:2]] == [1.0, 0.5]
    assert scores[1].metadata["first_error"] == 0
    assert scores[2].value != scores[2].value, "an empty completion is unscored"
    assert log.results.scores[0].metrics["mean"].value == 0.75

    file = tmp_path / "scores.jsonl"
    file.write_bytes(b"".join(records(["fine", "wrong", "unreadable"])))
    stored = evaluated(precomputed_scores(str(file)))
    values = [(sample.scores or {}).get("precomputed_scores") for sample in stored.samples]
    assert [score.value if score else None for score in values] == [1.0, 0.0, None]


def records(steps: list[str]) -> list[bytes]:
    """What `genprm rescore --inspect` writes of solutions of one step."""

    async def rows() -> list[VerdictRow]:
        solutions = [Solution("?", (step,), str(at)) for at, step in enumerate(steps)]
        return [VerdictRow.of(0, one, await verifier().verify(one)) for one in solutions]

    found = map(score_record, asyncio.run(rows()))
    return [record.line() for record in found if record is not None]


def test_openrlhf_asks_the_service_and_the_file(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    executors = openrlhf_agent(monkeypatch)
    import torch

    monkeypatch.setenv("GENPRM_URL", url)
    monkeypatch.setenv("GENPRM_REWARD", "flaw-aware")
    prompt = "<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n"

    class Tokenizer(Letters):
        def __call__(self, text: str, **_: Any) -> Any:
            return {"input_ids": torch.tensor([[*map(ord, text)]])}

    class Engine:
        async def generate(self, ids: list[int], *_: Any, **__: Any) -> Any:
            output = SimpleNamespace(
                token_ids=[*map(ord, FLAWED)], finish_reason="stop", logprobs=None
            )
            return SimpleNamespace(outputs=[output])

    def first(values: Any) -> float:  # a list by HTTP, a tensor of the file
        return float(torch.as_tensor(values).flatten()[0])

    async def reward(endpoint: str) -> tuple[float, float]:
        executor = executors.SingleTurnAgentExecutor(endpoint)
        sampling = SimpleNamespace(max_tokens=200, logprobs=None)
        found = await executor.execute(prompt, "2", sampling, 1000, Tokenizer(), Engine())
        return first(found["reward"]), first(found["scores"])

    assert asyncio.run(reward(f"{url}/get_reward?kind=flaw-aware")) == (0.5, 0.5)
    assert asyncio.run(reward(reward_file.__file__)) == (0.5, 0.5)


def openrlhf_agent(monkeypatch: pytest.MonkeyPatch) -> Any:
    """OpenRLHF's module of agents, without what its package imports besides (DeepSpeed, …)."""
    for needed in ("aiohttp", "torch"):
        pytest.importorskip(needed)
    found = importlib.util.find_spec("openrlhf")
    if found is None or not found.submodule_search_locations:
        pytest.skip("openrlhf is not installed")
    for name, below in (("openrlhf", ""), ("openrlhf.utils", "utils")):
        package = ModuleType(name)
        package.__path__ = [str(Path(found.submodule_search_locations[0]) / below)]
        monkeypatch.setitem(sys.modules, name, package)
    return importlib.import_module("openrlhf.utils.agent")


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    sandbox = ForkServer()
    service = create_service(verifier(), sandbox=sandbox)
    with running(service, ServiceLimits(), sandbox) as address:
        yield address


def test_the_client_of_sandbox_fusion_runs_programs(sandbox_url: str) -> None:
    fusion = pytest.importorskip("sandbox_fusion")
    fusion.set_endpoint(sandbox_url)

    def run(code: str) -> Any:
        return fusion.run_code(fusion.RunCodeRequest(code=code, language="python", run_timeout=5))

    assert run("print(6 * 7)").run_result.stdout == "42\n"
    assert run("print(6 * 7)").status == fusion.RunStatus.Success
    assert run("1 / 0").status == fusion.RunStatus.Failed


def test_the_client_of_tinker_cookbook_runs_programs(sandbox_url: str) -> None:
    pytest.importorskip("aiohttp")
    module = part_of("tinker_cookbook", "sandbox/sandboxfusion.py")

    async def run(**files: str) -> tuple[bool, dict[str, Any]]:
        client = module.SandboxFusionClient(f"{sandbox_url}/run_code")
        try:
            found: tuple[bool, dict[str, Any]] = await client.run("print(6 * 7)", files, 5)
            return found
        finally:
            await client.close()

    ok, reply = asyncio.run(run())
    assert (ok, reply["run_result"]["stdout"]) == (True, "42\n")
    refused, reply = asyncio.run(run(data="1"))
    assert (refused, reply["error"]) == (False, "files: the sandbox has none")


def test_the_client_of_verl_runs_programs(sandbox_url: str) -> None:
    pytest.importorskip("verl")
    from verl.utils.reward_score.sandbox_fusion.utils import call_sandbox_api

    reply, error = call_sandbox_api(
        f"{sandbox_url}/run_code", "print(int(input()) * 7)", "6\n", 10, 5, 1024, "python"
    )
    assert error is None
    assert (reply["status"], reply["run_result"]["stdout"]) == ("Success", "42\n")


def test_nemo_gym_starts_the_resources_server(url: str) -> None:
    pytest.importorskip("nemo_gym.base_resources_server")
    from fastapi.testclient import TestClient
    from nemo_gym.server_utils import ServerClient

    from genprm.rewards.nemo_gym import GenPRMResourcesServer, GenPRMServerConfig

    config = GenPRMServerConfig(
        host="127.0.0.1", port=0, name="genprm", entrypoint="app.py", url=url, kind="flaw-aware"
    )
    nobody = ServerClient.model_construct()  # the other servers of a Gym
    server: Any = GenPRMResourcesServer(config=config, server_client=nobody)
    client = TestClient(server.setup_webserver())
    message = {"type": "message", "role": "assistant", "id": "m", "status": "completed"}
    text = {"type": "output_text", "text": FLAWED, "annotations": []}
    response = {
        "id": "r", "created_at": 0.0, "model": "m", "object": "response", "tools": [],
        "parallel_tool_calls": True, "tool_choice": "auto",
        "output": [{**message, "content": [text]}],
    }  # fmt: skip
    asked = {
        "responses_create_params": {"input": [{"role": "user", "content": "1 + 1?"}]},
        "response": response,
        "expected_answer": "2",
    }
    reply = client.post("/verify", json=asked)
    assert reply.status_code == 200, reply.text
    found = reply.json()
    assert (found["reward"], found["first_error"], found["expected_answer"]) == (0.5, 0, "2")
    assert client.get("/reverify_mode").json() == "stateless"


def part_of(package: str, file: str) -> Any:
    """A module of an installed package, without the rest of the package."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    path = Path(found.submodule_search_locations[0]) / file
    spec = importlib.util.spec_from_file_location("part", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
