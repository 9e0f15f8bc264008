"""Loads a model by its name; each adapter's SDK is imported only when it is needed."""

import logging
from collections.abc import Mapping
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from genprm.errors import InputError
from genprm.gguf_header import is_ours
from genprm.model import Model
from genprm.models.chat_template import ChatTemplate
from genprm.models.engine_args import EngineArgs

_log = logging.getLogger("genprm.models")

ACCEPTED = """\
  arithmetic               the shipped model, in process
  arithmetic/policy        the shipped policy
  FOLDER                   a model folder, in process: exported for OpenVINO, or of Hugging Face
                           (by vLLM where that and a GPU are there, else by transformers)
  FILE.gguf, gguf:FILE     a GGUF file, in process by llama.cpp
  hf:ORG/NAME              a model of the Hugging Face Hub, in process
  vllm:FOLDER or ORG/NAME  the same, always by vLLM, with --engine-arg for its settings
  http://HOST:PORT/v1      a server: vLLM, SGLang, llama.cpp, Ollama, TGI, LM Studio, LiteLLM,
                           llama-swap, or another with /v1/completions; also openai:URL;
                           append #NAME to pick one of its models
  chat:URL#NAME            a server with only /v1/chat/completions: it writes solutions and
                           critiques, and cannot judge steps
  replay:FILE              a recorded transcript"""

_SHIPPED = {"arithmetic": "verifier", "arithmetic/policy": "policy"}


def load_model(
    spec: str,
    *,
    chat_template: Path | None = None,
    api_key: str | None = None,
    engine_args: Mapping[str, str] | None = None,
) -> Model:
    """Load the model that `spec` names; it is ready to use when this returns.

    Blocks until weights are loaded or a server has answered. `chat_template` is a file or model
    folder to use instead of the model's own template. `api_key` is sent to a server. `engine_args`
    are settings of the engine, by the names of its adapter's parameters (for vLLM, by those of its
    engine arguments).

    Raises:
        InputError: `spec` names no model, a file of the model is missing or broken, or the engine
            has no such setting.
        MissingExtra: the engine is not installed.
        ModelError: the engine cannot load the model, or the server cannot be reached.
    """
    template = ChatTemplate.from_path(chat_template) if chat_template else None
    arguments = EngineArgs(spec, engine_args or {})
    kind, _, rest = spec.partition(":")
    if spec in _SHIPPED:
        model = _openvino(_shipped_folder(spec), spec, template, arguments)
    elif kind == "gguf" or spec.endswith(".gguf"):
        model = _gguf(Path(rest if kind == "gguf" else spec), template, arguments)
    elif kind == "hf":
        model = _hugging_face(_find(rest), spec, template, arguments)
    elif kind == "vllm":
        model = _vllm(_local(rest), spec, template, arguments)
    elif kind in {"http", "https", "openai"}:
        model = _server(rest if kind == "openai" else spec, template, api_key, arguments)
    elif kind == "chat":
        model = _chat(rest, api_key, arguments)
    elif kind == "replay":
        model = _replay(Path(rest))
    elif Path(spec).is_dir():
        model = _folder(Path(spec), spec, template, arguments)
    else:
        raise InputError(
            f"unknown model {spec!r}; more: genprm explain model-names; accepted are:\n{ACCEPTED}"
        )
    return model


def _shipped_folder(spec: str) -> Path:
    folder = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / _SHIPPED[spec]
    if not folder.is_dir():
        raise InputError(f"{spec}: the weights are not installed; fix: run make train-arithmetic")
    return folder


def _folder(folder: Path, name: str, template: ChatTemplate | None, arguments: EngineArgs) -> Model:
    """The folder as an OpenVINO model, if it is one, and otherwise as a Hugging Face model."""
    if (folder / "openvino_model.xml").is_file() or is_ours(folder):
        return _openvino(folder, name, template, arguments)
    return _hugging_face(folder, name, template, arguments)


def _openvino(
    folder: Path, name: str, template: ChatTemplate | None, arguments: EngineArgs
) -> Model:
    from genprm.models.openvino import OpenVINO

    settings = (
        arguments.integers("cache_gb", "max_sequences")
        | arguments.texts("device", "dtype")
        | arguments.flags("prefix_caching")
    )
    arguments.finish()
    return OpenVINO(folder, name=name, chat_template=template, **settings)


def _gguf(file: Path, template: ChatTemplate | None, arguments: EngineArgs) -> Model:
    from genprm.models.llama_cpp import LlamaCppFile

    if not file.is_file():
        raise InputError(f"{file}: there is no such file; fix: name the path of a GGUF file")
    settings = arguments.integers("slots", "context", "threads") | arguments.numbers("cache_gb")
    arguments.finish()
    return LlamaCppFile(file, name=str(file), chat_template=template, **settings)


def _hugging_face(
    folder: Path, name: str, template: ChatTemplate | None, arguments: EngineArgs
) -> Model:
    """Load with vLLM if it is installed and there is a GPU, and otherwise with transformers."""
    if not (folder / "config.json").is_file():
        raise InputError(
            f"{folder}: neither openvino_model.xml nor config.json is there; fix: name a folder "
            "with an OpenVINO or Hugging Face model"
        )
    if find_spec("vllm") is not None and _has_gpu():
        return _vllm(folder, name, template, arguments)
    from genprm.models.transformers_model import Transformers

    settings = (
        arguments.integers("max_rows") | arguments.numbers("cache_gb") | arguments.texts("dtype")
    )
    arguments.finish()
    return Transformers(folder, name=name, chat_template=template, **settings)


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _vllm(folder: Path, name: str, template: ChatTemplate | None, arguments: EngineArgs) -> Model:
    from genprm.models.vllm_engine import VLLMInProcess

    return VLLMInProcess(folder, name=name, chat_template=template, settings=arguments.parsed())


def _local(name: str) -> Path:
    return Path(name) if Path(name).is_dir() else _find(name)


def _find(repository: str) -> Path:
    from genprm.models.hub import find_folder

    return find_folder(repository)


def _server(
    url: str, template: ChatTemplate | None, api_key: str | None, arguments: EngineArgs
) -> Model:
    from genprm.models.openai_api import OpenAICompatible

    settings = arguments.integers("context_length", "connections") | arguments.numbers("timeout")
    arguments.finish()
    base, _, name = url.partition("#")
    model = OpenAICompatible(
        base, model=name or None, chat_template=template, api_key=api_key, **settings
    )
    if template is None:  # nobody has named it, so it is said which one was found, and where
        _log.warning("%s: %s with the chat template %s", base, model.name, model.template.origin)
    return model


def _chat(url: str, api_key: str | None, arguments: EngineArgs) -> Model:
    from genprm.models.chat_api import ChatAPI

    settings = arguments.integers("connections", "context_length") | arguments.numbers("timeout")
    arguments.finish()
    base, _, model = url.partition("#")
    if not model:
        raise InputError(f"chat:{url}: the URL names no model; fix: write chat:URL#NAME")
    return ChatAPI(base, model, api_key=api_key, **settings)


def _replay(file: Path) -> Model:
    from genprm.models.replay import Replay

    return Replay(file)
