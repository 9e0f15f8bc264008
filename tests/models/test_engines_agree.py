"""One checkpoint behind three adapters: in process, in a real llama.cpp server, replayed."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from math import exp
from pathlib import Path

import pytest

from genprm.errors import ContextExceeded
from genprm.model import Finish, Message, Model, Sampling
from genprm.models.chat_template import ChatTemplate
from genprm.models.load import load_model
from genprm.models.replay import Recorder, Replay

xllamacpp = pytest.importorskip("xllamacpp")
pytest.importorskip("gguf")

FOLDER = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
GREEDY = Sampling(temperature=0)
SLOTS, CONTEXT = 4, 1024
TURNS: list[list[Message]] = [
    [
        {"role": "system", "content": system},
        {"role": "user", "content": f"Question: What is {a} + {b} * 2?\n\nStep 1: {b} * 2 = {c}."},
    ]
    for system in (
        "You are a math teacher. Your task is to review and critique the paragraphs in solution "
        "step by step.",
    )
    for a, b, c in [(3, 4, 8), (12, 7, 15), (-5, 9, 18), (40, 11, 21), (8, 26, 52), (1, 3, 5)]
]
JUDGEMENT = "The step is right.\n</analyze>\n<output>\n**Judgement**: $\\boxed{"


@pytest.fixture(scope="module")
def openvino() -> Iterator[Model]:
    model = load_model("arithmetic")
    yield model
    asyncio.run(model.close())


@pytest.fixture(scope="module")
def llama_cpp() -> Iterator[Model]:
    params = xllamacpp.CommonParams()
    params.model.path = str(FOLDER / "model.gguf")
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT
    params.port = 0
    params.warmup = False
    params.cpuparams.n_threads = 1  # more would wait for each other by spinning
    server = xllamacpp.Server(params)
    yield load_model(f"openai:{server.listening_address}/v1")
    del server


def prompts(model: Model) -> list[str]:
    return [
        model.render(turns) + "<analyze>\nLet's analyze the Paragraph 1 step by step: "
        for turns in TURNS
    ]


def test_the_server_tells_template_and_context(openvino: Model, llama_cpp: Model) -> None:
    assert prompts(llama_cpp) == prompts(openvino)
    assert llama_cpp.context_length == CONTEXT


def test_the_same_probabilities(openvino: Model, llama_cpp: Model) -> None:
    async def rewards(model: Model) -> list[float]:
        choices = await asyncio.gather(
            *(model.choose(prompt + JUDGEMENT, ["Yes", "No"]) for prompt in prompts(model))
        )
        return [exp(choice.logprobs[option]) for choice in choices for option in ("Yes", "No")]

    embedded, served = asyncio.run(rewards(openvino)), asyncio.run(rewards(llama_cpp))
    assert served == pytest.approx(embedded, abs=0.02)


def test_the_same_probabilities_far_into_the_context(openvino: Model, llama_cpp: Model) -> None:
    """Positions are where conversions go wrong: an error of a phase grows with the distance."""

    async def rewards(model: Model) -> list[float]:
        judged = prompts(model)[0] + JUDGEMENT + "Yes}$\n</output>\n<|im_end|>\n"
        far = judged * 6 + prompts(model)[1] + JUDGEMENT
        choice = await model.choose(far, ["Yes", "No"])
        assert 600 < choice.tokens_in < CONTEXT
        return [choice.logprobs[option] for option in ("Yes", "No")]

    embedded, served = asyncio.run(rewards(openvino)), asyncio.run(rewards(llama_cpp))
    assert served == pytest.approx(embedded, abs=0.05)


def test_the_same_greedy_text_and_stop(openvino: Model, llama_cpp: Model) -> None:
    async def texts(model: Model) -> list[tuple[str, Finish, str | None]]:
        completions = await asyncio.gather(
            *(
                model.complete(
                    prompt, stop=["</analyze>\n", "```\n"], max_tokens=30, sampling=GREEDY
                )
                for prompt in prompts(model)
            )
        )
        return [(c.text, c.finish, c.stop) for c in completions]

    embedded, served = asyncio.run(texts(openvino)), asyncio.run(texts(llama_cpp))
    # two roundings of the same weights may part where two tokens are equally likely
    agreeing = sum(a == b for a, b in zip(embedded, served, strict=True))
    assert agreeing >= len(TURNS) - 1


def test_a_stop_string_is_cut_and_named(llama_cpp: Model) -> None:
    async def cut() -> None:
        (prompt, *_) = prompts(llama_cpp)
        whole = await llama_cpp.complete(prompt, stop=[], max_tokens=30, sampling=GREEDY)
        assert whole.finish is Finish.LENGTH
        for start in (6, 20):
            stop = whole.text[start : start + 5]
            part = await llama_cpp.complete(
                prompt, stop=[stop, "never said"], max_tokens=30, sampling=GREEDY
            )
            assert (part.finish, part.stop) == (Finish.STOP, stop)
            assert part.text == whole.text[: whole.text.index(stop)]

    asyncio.run(cut())


def test_a_prompt_beyond_the_servers_context(llama_cpp: Model) -> None:
    (prompt, *_) = prompts(llama_cpp)
    with pytest.raises(ContextExceeded, match="exceeds the available context size"):
        asyncio.run(
            llama_cpp.complete(prompt + "1 " * 2000, stop=[], max_tokens=5, sampling=GREEDY)
        )


def test_more_requests_than_slots(llama_cpp: Model) -> None:
    async def crowd() -> list[int]:
        (prompt, *_) = prompts(llama_cpp)
        completions = await asyncio.gather(
            *(
                llama_cpp.complete(
                    f"{prompt}{n}", stop=[], max_tokens=8, sampling=Sampling(), seed=n
                )
                for n in range(40)
            )
        )
        return [completion.tokens_out for completion in completions]

    assert max(asyncio.run(crowd())) <= 8


def test_a_recording_of_the_engine_replays(openvino: Model, tmp_path: Path) -> None:
    async def ask(model: Model) -> list[object]:
        (prompt, *_) = prompts(model)
        texts = [
            await model.complete(prompt, stop=["\n"], max_tokens=30, sampling=Sampling(), seed=seed)
            for seed in range(3)
        ]
        choice = await model.choose(prompt + JUDGEMENT, ["Yes", "No"])
        return [*texts, replace(choice, likeliest=())]  # which a transcript does not hold

    file = tmp_path / "recorded.jsonl"
    template = ChatTemplate.from_folder(FOLDER)
    heard = asyncio.run(ask(Recorder(openvino, file, chat_template=template)))
    assert asyncio.run(ask(Replay(file))) == heard
