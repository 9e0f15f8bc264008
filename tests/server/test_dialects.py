"""The dialects of trainers, by requests as their clients send them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from marked_steps import analyst
from serving import serving

from genprm.sandboxes.fork_server import ForkServer


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serving(analyst()) as opened:
        yield opened


PROMPT = "<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n"
QUERIES = [
    PROMPT + "1 + 1 = 2.<|im_end|>",
    PROMPT + "1 + 1 = 2.\n\nSo wrong.<|im_end|><|endoftext|>",
    PROMPT + "unreadable",
    PROMPT + "a\0",
    PROMPT,
]


def openrlhf(client: httpx.Client, path: str = "/get_reward", **body: Any) -> Any:
    asked = {"query": QUERIES, "prompts": [PROMPT] * 5, "labels": ["2"] * 5, **body}
    return client.post(path, json=asked).json()


def test_openrlhf_gets_a_number_for_every_query(client: httpx.Client) -> None:
    reply = openrlhf(client)
    assert reply["rewards"] == reply["scores"] == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert reply["extra_logs"]["genprm_abstained"] == [0, 0, 1, 1, 1]
    assert reply["extra_logs"]["genprm_steps"] == [1, 2, 1, 0, 0]


def test_the_query_of_the_url_says_how_to_reward(client: httpx.Client) -> None:
    path = "/get_reward?kind=flaw-aware&penalty=0.25&abstention=-1&votes=2"
    flawed = [PROMPT + text for text in ("It is 2.", "wrong: it is 2.", "It is 3.")]
    reply = openrlhf(client, path, query=flawed, prompts=[PROMPT] * 3, labels=["2"] * 3)
    assert reply["rewards"] == [1.0, 0.75, 0.0]
    assert openrlhf(client, path, labels=["2"])["error"]["field"] == "body"


def rollout(text: str | None) -> dict[str, Any]:
    message = {"type": "message", "role": "assistant", "id": "m", "status": "completed"}
    content: list[dict[str, Any]] = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "responses_create_params": {
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "1 + 1?"}]}],
            "tools": [],
        },
        "response": {
            "id": "r",
            "output": [{"type": "reasoning", "summary": []}, {**message, "content": content}],
        },
        "expected_answer": "2",
        "own": {"kept": True},
    }


def test_nemo_gym_gets_its_rollout_back_with_a_reward(client: httpx.Client) -> None:
    asked = rollout("1 + 1 = 2.\n\nSo wrong, it is 2.")
    reply = client.post("/verify?kind=flaw-aware", json=asked).json()
    assert reply["reward"] == 0.5
    assert reply["step_rewards"] == pytest.approx([0.9, 0.1])
    assert (reply["first_error"], reply["mask_sample"]) == (1, False)
    assert reply["own"] == {"kept": True}
    assert reply["response"]["output"][1]["id"] == "m"
    empty = client.post("/verify", json=rollout(None)).json()
    assert (empty["reward"], empty["mask_sample"]) == (0.0, True)
    assert client.post("/seed_session", json={}).json() == {}


@pytest.fixture(scope="module")
def runner() -> Iterator[httpx.Client]:
    with serving(analyst(), sandbox=ForkServer()) as opened:
        opened.timeout = httpx.Timeout(60)
        yield opened


def run(client: httpx.Client, code: str, **more: Any) -> Any:
    asked = {  # as verl's client sends it
        "compile_timeout": 10,
        "run_timeout": 5,
        "code": code,
        "stdin": None,
        "memory_limit_MB": 1024,
        "language": "python",
        "files": {},
        "fetch_files": [],
    }
    return client.post("/run_code", json={**asked, **more}).json()


@pytest.mark.parametrize(
    ("code", "more", "status", "result"),
    [
        ("print(1 + 1)", {}, "Success", ("Finished", 0, "2\n", "")),
        (
            "print(int(input()) + int(input()))",
            {"stdin": "1\n2\n"},
            "Success",
            ("Finished", 0, "3\n", ""),
        ),
        ("1 / 0", {}, "Failed", ("Finished", 1, "", "ZeroDivisionError: division by zero")),
        ("import sys; sys.exit(3)", {}, "Failed", ("Finished", 3, "", "")),
        ("while True: pass", {"run_timeout": 0.3}, "Failed", ("TimeLimitExceeded", None, "", "")),
    ],
)
def test_sandbox_fusion_runs_a_program(
    runner: httpx.Client, code: str, more: dict[str, Any], status: str, result: Any
) -> None:
    reply = run(runner, code, **more)
    assert reply["status"] == status
    ended = reply["run_result"]
    found = tuple(ended[name] for name in ("status", "return_code", "stdout", "stderr"))
    assert found == result


def test_what_the_sandbox_cannot_do_is_said(runner: httpx.Client) -> None:
    assert run(runner, "x", language="cpp")["status"] == "SandboxError"
    assert run(runner, "x", files={"a": "b"})["status"] == "SandboxError"
    assert run(runner, "x", run_timeout=1e6)["error"]["field"] == "run_timeout"


def test_many_programs_at_once_wait_for_their_turn_not_for_their_time(
    runner: httpx.Client,
) -> None:
    with ThreadPoolExecutor(64) as pool:
        replies = list(pool.map(lambda n: run(runner, f"print({n})"), range(128)))
    assert [reply["run_result"]["stdout"] for reply in replies] == [f"{n}\n" for n in range(128)]
