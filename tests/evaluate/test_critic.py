"""A language model as judge, behind a real HTTP server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from chat_server import Server
from typer.testing import CliRunner

from genprm.cli.main import app
from genprm.errors import ContextExceeded, ModelError
from genprm.evaluate.baselines.critic import Critic, CriticSettings
from genprm.evaluate.baselines.endpoint import Endpoint
from genprm.evaluate.labelled import LabelledSolution
from genprm.evaluate.run import read_run, run
from genprm.problem import Solution
from genprm.records.summaries import Summary
from genprm.verify.critique_format import critique_prompt, named_index

ROWS = [
    LabelledSolution(Solution("p {x}", ("ok", "broken"), "a"), 1, "s"),
    LabelledSolution(Solution("q", ("ok", "ok"), "b"), -1, "s"),
]


def chat(*texts: str) -> dict[str, Any]:
    choices = [{"message": {"role": "assistant", "content": text}} for text in texts]
    return {"choices": choices, "usage": {"prompt_tokens": 10, "completion_tokens": 3}}


def test_the_prompt_is_the_benchmarks() -> None:
    prompt = critique_prompt(ROWS[0].solution.problem, ROWS[0].solution.steps)
    assert prompt.startswith("The following is a math problem and a solution (split into")
    assert (
        "[Math Problem]\n\np {x}\n\n[Solution]\n\n<paragraph_0>\nok\n</paragraph_0>\n\n" in prompt
    )
    assert "</paragraph_1>\n\nYour task" in prompt
    assert prompt.endswith("in \\boxed{}.")


@pytest.mark.parametrize(
    ("critique", "index"),
    [
        (r"first \boxed{0}, no: \boxed{ 2 }", 2),
        (r"\boxed{-1}", -1),
        (r"\boxed{paragraph 2}", None),
        (r"\boxed{30}", None),
        (r"\boxed{-2}", None),
        ("no box", None),
    ],
)
def test_the_last_box_counts(critique: str, index: int | None) -> None:
    assert named_index(critique, 4) == index


@pytest.mark.parametrize("reason", ["length", "content_filter", "cancelled"])
def test_a_critique_that_was_cut_off_names_nothing(reason: str) -> None:
    reply = chat(r"Perhaps \boxed{1}, but let us")
    reply["choices"][0]["finish_reason"] = reason
    assert ask(lambda path, body: (200, reply)).first_error is None


def test_votes_of_a_critic(tmp_path: Path) -> None:
    seeds: list[int] = []

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        assert path == "/v1/chat/completions"
        assert body["model"] == "gpt"
        seeds.append(body["seed"])
        wrong = "broken" in body["messages"][0]["content"]
        return 200, chat(r"\boxed{1}" if wrong else r"\boxed{-1}")

    async def judged(url: str) -> Summary:
        async with Endpoint(f"{url}/v1") as endpoint:
            critic = Critic(endpoint, "gpt", CriticSettings(votes=4))
            return await run(ROWS, critic, tmp_path)

    with Server(answer) as url:
        summary = asyncio.run(judged(url))
    assert summary.average_f1 == 100.0
    assert summary.majority["4"] is not None
    assert summary.cost is not None
    assert summary.majority["4"].average_f1 == 100.0
    assert summary.cost.tokens_out == 12
    assert len(set(seeds)) == 8
    stored = next(read_run(tmp_path).stored_rows())
    assert stored.critiques == (r"\boxed{1}",) * 4


@pytest.mark.parametrize(
    ("model", "words", "sent"),
    [
        ("", [], ("first", 8192, 0.0, 1.0)),
        ("#second", [], ("second", 8192, 0.0, 1.0)),
        ("", ["--max-tokens", "77"], ("first", 77, 0.0, 1.0)),
        ("", ["--votes", "3"], ("first", 8192, 1.0, 0.9)),
        ("", ["--temperature", "0.3", "--top-p", "0.8"], ("first", 8192, 0.3, 0.8)),
    ],
)
def test_the_options_of_the_command_reach_the_critic(
    model: str, words: list[str], sent: tuple[object, ...], tmp_path: Path
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps({"id": "a", "problem": "p", "steps": ["ok"] * 4, "label": -1}))
    asked: list[dict[str, Any]] = []

    def answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/models":
            return 200, {"data": [{"id": "first"}, {"id": "second"}]}
        asked.append(body)
        return 200, chat(r"\boxed{30}")

    with Server(answer) as url:
        command = ["evaluate", "processbench", str(data), "--judge", "critic"]
        command += ["-m", f"{url}/v1{model}", "-o", str(tmp_path / "run"), *words]
        done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    (body, *_) = asked
    assert tuple(body[key] for key in ("model", "max_tokens", "temperature", "top_p")) == sent
    (row,) = read_run(tmp_path / "run").stored_rows()
    assert row.guesses == (None,) * len(asked)  # the solution has four paragraphs


def ask(answer: Any) -> Any:
    async def asked(url: str) -> Any:
        async with Endpoint(url, attempts=3, pause=0.01) as endpoint:
            return await Critic(endpoint, "m").judge(0, ROWS[0].solution)

    with Server(answer) as url:
        return asyncio.run(asked(url))


def test_a_busy_server_is_asked_again() -> None:
    statuses = iter([503, 429, 200])
    row = ask(lambda path, body: (next(statuses), chat(r"\boxed{0}")))
    assert row.first_error == 0


def test_failures_are_told_apart() -> None:
    too_long = {"error": {"message": "This model's maximum context length is 4096 tokens."}}
    with pytest.raises(ContextExceeded):
        ask(lambda path, body: (400, too_long))
    with pytest.raises(ModelError, match="503"):
        ask(lambda path, body: (503, {}))
    with pytest.raises(ModelError, match="choices"):
        ask(lambda path, body: (200, {"hello": 1}))
