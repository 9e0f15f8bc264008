"""The real engine with the shipped model. What it writes is not tested here, only how."""

import asyncio
import gc
import json
import shutil
import threading
from collections.abc import Iterator
from importlib import resources
from math import exp
from pathlib import Path

import pytest
from gguf import GGUFReader

from genprm.errors import ContextExceeded, InputError, ModelError, RequestFailed
from genprm.model import Completion, Finish, Model, Sampling
from genprm.models.continuation import Continuation
from genprm.models.load import load_model
from genprm.models.openvino import OpenVINO

FOLDER = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"

SYSTEM = (
    "You are a math teacher. Your task is to review and critique the paragraphs in solution "
    "step by step."
)
CHECKED = """The step is right.
</analyze>
<verify>
Let's use python code to find any potential error:
```python
print(4 * 2)
```
[Code Output]

```
8
```
</verify>
<output>
**Judgement**: $\\boxed{"""
GREEDY = Sampling(temperature=0)
HOT = Sampling(temperature=2.0, top_p=1.0, top_k=0)  # the shipped model is sure of itself


@pytest.fixture(scope="module")
def model() -> Iterator[OpenVINO]:
    model = OpenVINO(FOLDER)
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="module")
def prompt(model: OpenVINO) -> str:
    turns = model.render(
        [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": "Question: What is 3 + 4 * 2?\n\nStep 1: 4 * 2 = 8."},
        ]
    )
    return turns + "<analyze>\nLet's analyze the Paragraph 1 step by step: "


def complete(
    model: Model,
    prompt: str,
    *stop: str,
    max_tokens: int = 60,
    sampling: Sampling = GREEDY,
    seed: int | None = None,
) -> Completion:
    return asyncio.run(
        model.complete(prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed)
    )


def test_a_stop_string_is_cut_exactly_wherever_tokens_end(model: OpenVINO, prompt: str) -> None:
    whole = complete(model, prompt)
    assert whole.finish is Finish.LENGTH
    assert whole.tokens_out == 60
    for start in range(5, 60, 7):
        stop = whole.text[start : start + 6]
        cut = complete(model, prompt, stop, "never said")
        assert (cut.finish, cut.stop) == (Finish.STOP, stop)
        assert cut.text == whole.text[: whole.text.index(stop)]
        assert cut.tokens_in == whole.tokens_in


def test_the_end_of_turn_is_no_text(model: OpenVINO, prompt: str, tmp_path: Path) -> None:
    tokens = model._text.tokenizer.encode(complete(model, prompt).text, add_special_tokens=False)
    ids = tokens.input_ids.data[0].tolist()
    folder = shutil.copytree(FOLDER, tmp_path / "other_end")
    end = GGUFReader(folder / "model.gguf", "r+").fields["tokenizer.ggml.eos_token_id"]
    end.parts[end.data[0]][0] = ids[20]
    other = OpenVINO(folder)
    completion = complete(other, prompt)
    asyncio.run(other.close())
    before = ids[: ids.index(ids[20])]
    assert completion.finish is Finish.EOS
    assert completion.text == b"".join(model._text.pieces[token] for token in before).decode()
    assert completion.tokens_out == len(before) + 1


def test_a_seed_decides_the_text(model: OpenVINO, prompt: str) -> None:
    texts = {
        seed: {complete(model, prompt, sampling=HOT, seed=seed).text for _ in range(2)}
        for seed in (-1, 7, 2**63)
    }
    assert all(len(same) == 1 for same in texts.values())
    assert len(set.union(*texts.values())) == 3
    assert len({complete(model, prompt, sampling=HOT).text for _ in range(3)}) == 3


def test_a_choice_is_over_the_whole_vocabulary(model: OpenVINO, prompt: str) -> None:
    choice = asyncio.run(model.choose(prompt + CHECKED, ["Yes", "No"]))
    assert 0.9 < sum(exp(value) for value in choice.logprobs.values()) <= 1.0001
    elsewhere = asyncio.run(model.choose(prompt, ["Yes", "No"]))
    assert sum(exp(value) for value in elsewhere.logprobs.values()) < 0.1
    with pytest.raises(ModelError, match=r"'Maybe not' is . tokens"):
        asyncio.run(model.choose(prompt, ["Maybe not"]))


def test_hundreds_of_uneven_requests_at_once(model: OpenVINO, prompt: str) -> None:
    async def ask(number: int) -> Completion:
        return await model.complete(
            f"{prompt}{number}", stop=[], max_tokens=1 + number % 40, sampling=HOT, seed=number
        )

    async def all_at_once() -> list[Completion]:
        return await asyncio.gather(*(ask(number) for number in range(256)))

    for number, completion in enumerate(asyncio.run(all_at_once())):
        if completion.finish is Finish.LENGTH:
            assert completion.tokens_out == 1 + number % 40
        else:
            assert completion.finish is Finish.EOS


def test_cancelling_reaches_the_engine(model: OpenVINO, prompt: str) -> None:
    async def start_and_cancel() -> None:
        requests = [
            asyncio.create_task(
                model.complete(prompt, stop=[], max_tokens=3000, sampling=HOT, seed=seed)
            )
            for seed in range(20)
        ]
        await model.choose(prompt, ["Yes"])  # by now they run
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        await model.choose(prompt, ["Yes"])
        assert all(request.cancelled() for request in requests)

    asyncio.run(start_and_cancel())
    assert not model._engine._batch.pipeline.has_non_finished_requests()


def test_a_bad_request_harms_no_other(model: OpenVINO, prompt: str) -> None:
    async def mixed() -> list[object]:
        requests = [
            model.complete(text, stop=[], max_tokens=20, sampling=sampling)
            for text in (prompt, "", prompt)
            for sampling in (GREEDY, Sampling(top_p=7))
        ]
        return await asyncio.gather(*requests, return_exceptions=True)

    kinds = [type(result) for result in asyncio.run(mixed())]
    refused = RequestFailed
    assert kinds == [Completion, refused, refused, refused, Completion, refused]


def test_half_a_surrogate_pair_fails_its_own_request(model: OpenVINO, prompt: str) -> None:
    async def mixed() -> list[object]:
        requests = [
            model.complete(text, stop=[], max_tokens=20, sampling=GREEDY)
            for text in (prompt, prompt + "\ud83d", prompt)
        ]
        return await asyncio.gather(
            *requests, model.choose("\udc00", ["Yes"]), return_exceptions=True
        )

    first, broken, third, choice = asyncio.run(mixed())
    assert isinstance(broken, ModelError)
    assert isinstance(choice, ModelError)
    assert f"character {len(prompt)} of the prompt is half a surrogate pair" in str(broken)
    assert first == third
    assert isinstance(first, Completion)


def test_a_fault_while_reading_fails_its_own_request(
    model: OpenVINO, prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Continuation.feed

    def feed(self: Continuation, piece: bytes) -> bool:
        if self._longest == len("unlucky"):
            raise ValueError("a fault\nof the reader")
        return read(self, piece)

    async def mixed() -> list[object]:
        requests = [
            model.complete(prompt, stop=[stop], max_tokens=20, sampling=GREEDY)
            for stop in ("lucky", "unlucky", "lucky")
        ]
        return await asyncio.gather(*requests, return_exceptions=True)

    monkeypatch.setattr(Continuation, "feed", feed)
    kinds = [type(result) for result in asyncio.run(mixed())]
    assert kinds == [Completion, RequestFailed, Completion]
    assert complete(model, prompt).tokens_out == 60


def test_the_context_is_kept(model: OpenVINO, prompt: str) -> None:
    length = complete(model, prompt, max_tokens=1).tokens_in
    filled = prompt + " 1" * ((model.context_length - length - 8) // 2)
    completion = complete(model, filled, max_tokens=100, sampling=HOT)
    assert completion.tokens_in + completion.tokens_out <= model.context_length
    with pytest.raises(ContextExceeded, match=f"a context of {model.context_length}"):
        complete(model, filled * 2)


def test_a_failed_step_fails_its_requests_only(
    prompt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def step() -> None:
        raise RuntimeError("Check failed at step.cpp:1:\nno such kernel\n")

    model = OpenVINO(FOLDER)
    monkeypatch.setattr(model._engine._batch, "step", step)
    with pytest.raises(ModelError, match=r"^openvino: no such kernel$"):
        complete(model, prompt)
    assert complete(model, prompt).tokens_out == 60
    asyncio.run(model.close())


def test_closing_fails_what_runs_and_what_comes(prompt: str) -> None:
    model = OpenVINO(FOLDER)

    async def close_during_a_request() -> None:
        request = asyncio.create_task(
            model.complete(prompt, stop=[], max_tokens=3000, sampling=HOT)
        )
        await model.choose(prompt, ["Yes"])
        await model.close()
        await model.close()
        with pytest.raises(ModelError, match="closed"):
            await request
        with pytest.raises(ModelError, match="closed"):
            await model.choose(prompt, ["Yes"])

    asyncio.run(close_during_a_request())


def test_a_forgotten_model_ends_its_thread() -> None:
    before = set(threading.enumerate())
    model = OpenVINO(FOLDER)
    (thread,) = set(threading.enumerate()) - before
    del model
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()


def test_folders_that_are_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"neither openvino_model\.xml nor config\.json"):
        load_model(str(tmp_path))
    broken = shutil.copytree(FOLDER, tmp_path / "broken")
    (broken / "model.gguf").unlink()
    (broken / "openvino_model.xml").write_text("<xml/>")
    with pytest.raises(ModelError, match="broken: openvino cannot load it"):
        load_model(str(broken))
    (broken / "config.json").unlink()
    with pytest.raises(
        InputError, match=r"config\.json: cannot be used .*; fix: export the model again"
    ):
        load_model(str(broken))


def test_a_long_context_is_bounded_by_the_cache(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "long")
    config = json.loads((folder / "config.json").read_text())
    config["max_position_embeddings"] = 10**9
    (folder / "config.json").write_text(json.dumps(config))
    model = OpenVINO(folder, cache_gb=1)
    key_values = config["num_hidden_layers"] * config["num_key_value_heads"]
    size = config["hidden_size"] // config["num_attention_heads"]
    assert model.context_length == 2**30 // (key_values * size * 4)
    asyncio.run(model.close())
