"""The shipped checkpoint behind each engine in process: the same prompts, texts and verdicts."""

import asyncio
import struct
from collections.abc import Iterator
from importlib import resources
from math import exp
from pathlib import Path

import pytest

from genprm.errors import ContextExceeded, InputError, ModelError, RequestFailed
from genprm.gguf_header import read_header
from genprm.model import Completion, Finish, Message, Model, Sampling
from genprm.models.llama_cpp import LlamaCppFile
from genprm.models.load import load_model

pytest.importorskip("xllamacpp")
pytest.importorskip("transformers")
pytest.importorskip("gguf")

FOLDER = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / "verifier"
GREEDY = Sampling(temperature=0)
ENGINES = ["openvino", "llama.cpp", "transformers"]
JUDGEMENT = "The step is right.\n</analyze>\n<output>\n**Judgement**: $\\boxed{"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Model]]:
    from genprm.train.gguf_base import write_folder

    weights = FOLDER / "model.gguf"
    folder = write_folder(weights, tmp_path_factory.mktemp("engines") / "folder")
    loaded = {
        "openvino": load_model("arithmetic"),
        "llama.cpp": load_model(str(weights), engine_args={"threads": "1"}),
        "transformers": load_model(str(folder)),
    }
    yield loaded
    for model in loaded.values():
        asyncio.run(model.close())


def prompts(model: Model) -> list[str]:
    system = (
        "You are a math teacher. Your task is to review and critique the paragraphs in solution "
        "step by step."
    )
    turns: list[list[Message]] = [
        [
            {"role": "system", "content": system},
            {
                "role": "user",
                "content": f"Question: What is {a} + {b} * 2?\n\nStep 1: {b} * 2 = {c}.",
            },
        ]
        for a, b, c in [(3, 4, 8), (12, 7, 15), (40, 11, 21)]
    ]
    opening = "<analyze>\nLet's analyze the Paragraph 1 step by step: "
    return [model.render(turn) + opening for turn in turns]


def test_each_says_what_it_is(models: dict[str, Model]) -> None:
    identities = {engine: model.identity for engine, model in models.items()}
    assert [identity.engine for identity in identities.values()] == ENGINES
    weights = {engine: identity.weights for engine, identity in identities.items()}
    assert weights["openvino"] == weights["llama.cpp"] != weights["transformers"]
    assert all(identity.engine_version for identity in identities.values())
    assert identities["openvino"].dtype == identities["transformers"].dtype == "float32"
    assert len({model.context_length for model in models.values()}) == 1


def test_the_same_prompts(models: dict[str, Model]) -> None:
    assert prompts(models["openvino"]) == prompts(models["llama.cpp"])
    assert prompts(models["openvino"]) == prompts(models["transformers"])


def test_the_same_probabilities(models: dict[str, Model]) -> None:
    async def rewards(model: Model) -> list[float]:
        choices = await asyncio.gather(
            *(model.choose(prompt + JUDGEMENT, ["Yes", "No"]) for prompt in prompts(model))
        )
        return [exp(choice.logprobs[option]) for choice in choices for option in ("Yes", "No")]

    ours, llama, torch = (asyncio.run(rewards(models[engine])) for engine in ENGINES)
    assert llama == pytest.approx(ours, abs=0.02)
    assert torch == pytest.approx(ours, abs=0.02)


def test_the_same_greedy_texts_and_stops(models: dict[str, Model]) -> None:
    async def texts(model: Model) -> list[tuple[str, Finish, str | None]]:
        completions = await asyncio.gather(
            *(
                model.complete(prompt, stop=["</analyze>\n"], max_tokens=25, sampling=GREEDY)
                for prompt in prompts(model)
            )
        )
        return [(c.text, c.finish, c.stop) for c in completions]

    ours, llama, torch = (asyncio.run(texts(models[engine])) for engine in ENGINES)
    # two roundings of the same weights may part where two tokens are equally likely
    assert sum(a == b for a, b in zip(ours, torch, strict=True)) >= len(ours) - 1
    assert sum(a == b for a, b in zip(ours, llama, strict=True)) >= len(ours) - 1


def test_literal_text_holds_no_token_by_decree(models: dict[str, Model]) -> None:
    """Each engine's own tokenizer, with the special tokens that its weights list."""
    header = read_header(FOLDER / "model.gguf")
    assert "<|im_end|>" in header.special_tokens
    text = "".join(sorted(header.special_tokens)) + "two\n".join(sorted(header.special_tokens))
    llama = models["llama.cpp"]
    assert isinstance(llama, LlamaCppFile)
    encode = llama._served._tokens.encode  # the one tokenizer that all three have

    async def ids(text: str) -> set[int]:
        return set(await encode(text) or ())

    async def check() -> None:
        special = set[int]().union(*[await ids(token) for token in header.special_tokens])
        assert await ids(text) & special
        for model in models.values():
            assert await ids(model.literal(text)) & special == set()

    asyncio.run(check())


@pytest.mark.parametrize("engine", ["llama.cpp", "transformers"])
def test_a_fault_stays_with_its_request(models: dict[str, Model], engine: str) -> None:
    model = models[engine]

    async def mixed() -> list[object]:
        first, *_ = prompts(model)
        texts = [first, first + "\ud83d", first + " 1" * 3000, first]
        return await asyncio.gather(
            *(model.complete(t, stop=[], max_tokens=5, sampling=GREEDY) for t in texts),
            return_exceptions=True,
        )

    good, surrogate, long, again = asyncio.run(mixed())
    assert isinstance(surrogate, RequestFailed)
    assert "half a surrogate pair" in str(surrogate)
    assert isinstance(long, ContextExceeded)
    assert isinstance(good, Completion)
    assert isinstance(again, Completion)
    assert good.text == again.text


@pytest.mark.parametrize("engine", ["llama.cpp", "transformers"])
def test_a_seed_decides_and_cancelling_frees(models: dict[str, Model], engine: str) -> None:
    model = models[engine]
    hot = Sampling(temperature=1.5, top_p=1.0, top_k=0)

    async def ask() -> None:
        first, *_ = prompts(model)
        runaway = asyncio.create_task(
            model.complete(first, stop=[], max_tokens=3000, sampling=hot, seed=1)
        )
        await model.choose(first, ["Yes", "No"])
        runaway.cancel()
        await asyncio.gather(runaway, return_exceptions=True)
        texts = [
            (await model.complete(first, stop=[], max_tokens=12, sampling=hot, seed=seed)).text
            for seed in (5, 5, 6)
        ]
        assert texts[0] == texts[1] != texts[2]

    asyncio.run(ask())


def test_what_an_earlier_turn_computed_is_kept(models: dict[str, Model]) -> None:
    model = models["transformers"]

    async def go_on() -> None:
        prompt = prompts(model)[0] + "Look: "
        first = await model.complete(prompt, stop=[], max_tokens=8, sampling=GREEDY)
        longer = prompt + first.text + JUDGEMENT
        again = await model.choose(longer, ["Yes", "No"])
        assert again.tokens_cached > first.tokens_in

    asyncio.run(go_on())


def test_files_that_are_no_model(tmp_path: Path) -> None:
    whole = FOLDER / "model.gguf"
    cut, text = (tmp_path / f"{name}.gguf" for name in ("cut", "text"))
    cut.write_bytes(whole.read_bytes()[:-2_000_000])
    text.write_text("no model")
    with pytest.raises(ModelError, match=r"cut\.gguf: llama\.cpp cannot load it: .*incomplete"):
        load_model(str(cut))
    with pytest.raises(InputError, match=r"text\.gguf: not a GGUF file"):
        load_model(f"gguf:{text}")
    cut.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"cut\.gguf: the file ends within its header; fix: "):
        load_model(str(cut))
    with pytest.raises(InputError, match="no such file"):
        load_model("gguf:/nowhere.gguf")


@pytest.mark.parametrize(
    ("before", "value", "reason"),
    [
        (b"blk.0.attn_q.weight" + bytes([2, 0, 0, 0]) + 2 * struct.pack("<Q", 256), 99, "type 99"),
        (b"general.architecture" + struct.pack("<IQ", 8, 5), ord("x"), "architecture: 'xwen2'"),
    ],
    ids=["quantisation", "architecture"],
)
def test_a_gguf_file_that_llama_cpp_does_not_know(
    tmp_path: Path, before: bytes, value: int, reason: str
) -> None:
    file = tmp_path / "other.gguf"
    content = bytearray((FOLDER / "model.gguf").read_bytes())
    content[content.index(before) + len(before)] = value
    file.write_bytes(content)
    with pytest.raises(ModelError, match=rf"other\.gguf: .*{reason}.*; fix: .*quantisation"):
        load_model(str(file))


def test_a_folder_of_another_kind_of_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"]}')
    with pytest.raises(InputError, match="BertModel does not write text"):
        load_model(str(tmp_path))
    told = '{"architectures": ["NoSuchForCausalLM"], "model_type": "no-such"}'
    (tmp_path / "config.json").write_text(told)
    (tmp_path / "model.safetensors").write_bytes(b"")
    (tmp_path / "chat_template.jinja").write_text("{{ messages[0].content }}")
    with pytest.raises(ModelError, match=r"transformers cannot load it: .*no-such") as said:
        load_model(str(tmp_path))
    assert "\n" not in str(said.value)


def test_settings_of_an_engine_are_checked(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="no such setting; fix: name one of cache_gb, max_sequences, "
    ):
        load_model("arithmetic", engine_args={"slots": "3"})
    with pytest.raises(InputError, match="prefix_caching=no: fix: true or false"):
        load_model("arithmetic", engine_args={"prefix_caching": "no"})
    with pytest.raises(InputError, match=r"dtype=int3: .*; fix: name one of"):
        load_model("arithmetic", engine_args={"dtype": "int3"})
    with pytest.raises(InputError, match="cache_gb=none: fix: a positive whole number"):
        load_model("arithmetic", engine_args={"cache_gb": "none"})


def test_the_hub_out_of_reach_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"HF_HUB_OFFLINE is set; fix: .*hf download some/model"):
        load_model("hf:some/model")
