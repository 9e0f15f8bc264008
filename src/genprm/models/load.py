"""A model by the name that a person writes; each adapter's SDK is imported only when asked for."""

from importlib import resources
from pathlib import Path

from genprm.errors import InputError
from genprm.model import Model
from genprm.models.chat_template import ChatTemplate

ACCEPTED = """\
  arithmetic               the shipped model, in process
  arithmetic/policy        the shipped policy
  FOLDER                   a model exported for OpenVINO, in process
  http://HOST:PORT/v1      a vLLM, SGLang, llama.cpp or other server with /v1/completions;
                           also openai:URL; append #NAME to pick one of its models
  replay:FILE              a recorded transcript"""

_SHIPPED = {"arithmetic": "verifier", "arithmetic/policy": "policy"}


def load_model(
    spec: str, *, chat_template: Path | None = None, api_key: str | None = None
) -> Model:
    """Build the model that `spec` names; it is ready to use when this returns.

    Blocks while weights load or a server answers. `chat_template` is a file or model folder to
    use instead of the model's own; `api_key` goes to a server.

    Raises:
        InputError: `spec` names nothing, or a file of the model is missing or broken.
        ModelError: the engine cannot load the model, or the server cannot be reached.
    """
    template = ChatTemplate.from_path(chat_template) if chat_template else None
    if spec in _SHIPPED:
        return _shipped(spec, template)
    kind, _, rest = spec.partition(":")
    if kind in {"http", "https"}:
        return _server(spec, template, api_key)
    if kind == "openai":
        return _server(rest, template, api_key)
    if kind == "replay":
        return _replay(Path(rest))
    if Path(spec).is_dir():
        return _folder(Path(spec), spec, template)
    raise InputError(f"unknown model {spec!r}; accepted are:\n{ACCEPTED}")


def _shipped(spec: str, template: ChatTemplate | None) -> Model:
    folder = Path(str(resources.files("genprm"))) / "arithmetic" / "weights" / _SHIPPED[spec]
    if not folder.is_dir():
        raise InputError(f"{spec}: its weights are not installed; fix: make train-arithmetic")
    return _folder(folder, spec, template)


def _folder(folder: Path, name: str, template: ChatTemplate | None) -> Model:
    from genprm.models.openvino import OpenVINO

    return OpenVINO(folder, name=name, chat_template=template)


def _server(url: str, template: ChatTemplate | None, api_key: str | None) -> Model:
    from genprm.models.openai_api import OpenAICompatible

    base, _, model = url.partition("#")
    return OpenAICompatible(base, model=model or None, chat_template=template, api_key=api_key)


def _replay(file: Path) -> Model:
    from genprm.models.replay import Replay

    return Replay(file)
