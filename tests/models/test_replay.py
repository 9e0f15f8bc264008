import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from genprm.errors import InputError, ModelError
from genprm.model import Choice, Completion, Finish, Model, Sampling
from genprm.models.chat_template import ChatTemplate
from genprm.models.load import load_model
from genprm.models.replay import Recorder, Replay

HEADER = {"model": "GenPRM-7B"}


def write(file: Path, *rows: object) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def complete(model: Model, prompt: str, seed: int | None = None) -> Completion:
    return asyncio.run(
        model.complete(prompt, stop=["</a>"], max_tokens=9, sampling=Sampling(), seed=seed)
    )


def row(text: str, seed: int | None) -> dict[str, object]:
    completion = {"text": text, "finish": "stop", "stop": "</a>"}
    return {"prompt": "p", "stop": ["</a>"], "seed": seed, "completion": completion}


def test_answers_by_prompt_and_seed_whatever_the_order(tmp_path: Path) -> None:
    file = write(tmp_path / "t.jsonl", HEADER, row("one", 1), row("two", 2))
    model = load_model(f"replay:{file}")
    assert model.name == "GenPRM-7B"
    assert [complete(model, "p", seed).text for seed in (2, 1, 2)] == ["two", "one", "two"]
    unrecorded = [complete(model, "p", seed).text for seed in (6, 7, None)]
    assert unrecorded == ["one", "two", "one"]
    assert complete(model, "p", 1) == Completion("one", Finish.STOP, "</a>")


def test_a_miss_names_the_tail_of_the_prompt(tmp_path: Path) -> None:
    model = Replay(write(tmp_path / "t.jsonl", HEADER, row("one", 1)))
    with pytest.raises(ModelError, match=r"no completion recorded .* the end"):
        complete(model, "x" * 500 + " the end")
    with pytest.raises(ModelError, match="no choice"):
        asyncio.run(model.choose("p", ["Yes", "No"]))


class Echo(Replay):
    """An engine that answers anything, each prompt and seed its own way."""

    async def complete(self, prompt: str, **settings: Any) -> Completion:
        return Completion(f"{prompt}/{settings['seed']}", Finish.EOS, None, 3, 2, 1)

    async def choose(self, prompt: str, options: object) -> Choice:
        return Choice({"Yes": -0.25, "No": -1.5}, 3, 1)


def test_what_a_recorder_wrote_replays_the_same(tmp_path: Path) -> None:
    engine = Echo(write(tmp_path / "engine.jsonl", HEADER))
    template = ChatTemplate("{{ bos_token }}{{ messages[0].content }}", bos_token="<s>")
    recorder = Recorder(engine, tmp_path / "recorded.jsonl", chat_template=template)
    heard = [complete(recorder, prompt, seed) for prompt in ("a\nb", "c") for seed in (0, 1)]
    choice = asyncio.run(recorder.choose("c", ["Yes", "No"]))
    asyncio.run(recorder.close())

    replay = Replay(tmp_path / "recorded.jsonl")
    assert [complete(replay, p, seed) for p in ("a\nb", "c") for seed in (0, 1)] == heard
    assert asyncio.run(replay.choose("c", ["Yes", "No"])) == choice
    assert replay.render([{"role": "user", "content": "x"}]) == "<s>x"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "line 1"),
        (["{"], "line 1"),
        ([json.dumps(HEADER), '{"prompt": "p"}'], "line 2.*`completion` or `choice`"),
        ([json.dumps(HEADER), '{"choice": {"logprobs": {}}}'], "line 2.*`prompt`"),
        ([json.dumps(HEADER), '{"prompt": "p", "choise": 1}'], "line 2: field choise"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    tmp_path: Path, rows: list[str], message: str
) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text("\n".join(rows))
    with pytest.raises(InputError, match=rf"broken\.jsonl, {message}"):
        Replay(file)


def test_unknown_models_are_answered_with_what_is_accepted(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown model 'gpt'; .*accepted are:(.|\n)*replay:FILE"):
        load_model("gpt")
    with pytest.raises(InputError, match="absent"):
        load_model(f"replay:{tmp_path / 'absent'}")
    with pytest.raises(InputError, match=r"no chat template|openvino_model\.xml"):
        load_model(str(tmp_path))
