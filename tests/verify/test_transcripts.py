"""The authors' logged transcripts, replayed through our session (spec §2)."""

import asyncio
import json
from math import log
from typing import Any

import pytest
from shared_data import shared

from genprm.model import Choice, Completion, Finish
from genprm.models.chat_template import ChatTemplate
from genprm.sandbox import RunResult
from genprm.sandboxes.inprocess import InProcess
from genprm.verify import format as wire
from genprm.verify.format import Mode, PromptFormat
from genprm.verify.session import vote_on_step
from genprm.verify.turn import Action, Execute, Generate, Judge, Limits, Result

RUNS: list[dict[str, Any]] = json.loads((shared("genprm_demo") / "transcripts.json").read_text())[
    "runs"
]
PATHS = [
    pytest.param(run, path, id=f"{run['ref'].split()[0]}-cell{run['cell']}-path{number}")
    for run in RUNS
    for number, path in enumerate(run.get("paths", []))
]


@pytest.mark.parametrize(("run", "path"), PATHS)
def test_prompts_equal_the_logged_ones(run: dict[str, Any], path: dict[str, Any]) -> None:
    user = run["messages"][1]["content"]
    question, step = user.removeprefix("Question: ").rsplit("\n\n", 1)
    messages = PromptFormat().messages(question, [step], [], mode=Mode.GENPRM)
    assert messages == [
        {"role": message["role"], "content": message["content"]} for message in run["messages"]
    ]
    assert ChatTemplate.r1_distill_qwen().render(messages) == path["prompt"]


@pytest.mark.parametrize(("run", "path"), PATHS)
def test_the_session_asks_what_was_asked(run: dict[str, Any], path: dict[str, Any]) -> None:
    """Same requests, same code, same outputs, same judgement; the model's words are the log's."""
    session = vote_on_step(
        path["prompt"],
        step=run["cur_step"],
        mode=Mode.GENPRM,
        limits=Limits(),
        context_length=32768,
        prompt_format=PromptFormat(),
        literal=str,
    )
    requests, code, outputs = (list(path[key]) for key in ("requests", "code", "code_outputs"))
    asked: list[str] = []

    def answer(action: Action) -> Result:
        match action:
            case Generate(prompt, stop):
                asked.append(prompt)
                return _logged(prompt, stop, requests, run["final_output"])
            case Execute(block):
                assert block == code.pop(0)
                result = asyncio.run(_run(block))
                assert result.text == outputs.pop(0)
                return result
            case Judge():
                return Choice({"Yes": log(run["reward"])})

    action = next(session)
    try:
        while True:
            action = session.send(answer(action))
    except StopIteration as end:
        vote = end.value
    assert asked == requests
    assert (code, outputs) == ([], [])
    assert vote.label is True
    assert vote.flags == ()
    if run["final_output"] and "[Code Output]" in run["final_output"][0]:
        assert vote.text == run["final_output"][0]


def _logged(
    prompt: str, stop: tuple[str, ...], requests: list[str], final: list[str] | None
) -> Completion:
    """What the model answered: the start of what the next request (or the end) has more."""
    later = requests[requests.index(prompt) + 1 :]
    if later:
        more = later[0].removeprefix(prompt)
    elif final:
        more = final[0].rpartition("\n```\n")[2].rpartition("```python\n")[2]
    else:  # the log of this path ends before the model's last words
        more = wire.VERIFY_CLOSE
    text, ended = min(((more.partition(end)[0], end) for end in stop if end in more), key=_length)
    return Completion(text, Finish.STOP, ended, tokens_out=1)


def _length(answer: tuple[str, str]) -> int:
    return len(answer[0])


async def _run(code: str) -> RunResult:
    async with InProcess() as sandbox, sandbox.session() as session:
        return await session.run(code)
