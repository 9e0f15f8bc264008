"""Asks a server, once, what it is and what it serves."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, ValidationError

from genprm.errors import InputError, ModelError
from genprm.http import Refused, Unavailable, cause, check, check_reply
from genprm.models.chat_template import ChatTemplate
from genprm.models.folder_template import template_of
from genprm.models.learned_template import learn_template
from genprm.models.native_dialects import LlamaCpp, Ollama, SGLang
from genprm.models.openai_dialects import VLLM, Generic, LMStudio
from genprm.models.server_probes import (
    ask_ollama,
    ask_special_tokens,
    ask_tgi,
    ask_version,
    probe,
)
from genprm.models.tgi_dialect import TGI
from genprm.models.tokenizer_files import special_tokens
from genprm.models.told import Told

_OWNERS = {
    "vllm": VLLM(),
    "sglang": SGLang(),
    "llamacpp": LlamaCpp(),
    "organization_owner": LMStudio(),
}


# the released checkpoints, in any folder; other models of this name have other templates
_RELEASED = re.compile(r"(?:.*/)?GenPRM-(?:1\.5B|7B|32B)(?![A-Za-z0-9.])", re.IGNORECASE)
_LOADING_SECONDS = 900.0

_log = logging.getLogger("genprm.models")


class _Meta(BaseModel):
    n_ctx: Told[int] = None
    n_params: Told[int] = None
    size: Told[int] = None


class _Entry(BaseModel):
    id: Annotated[str, Field(min_length=1)]
    owned_by: Told[str] = None
    root: Told[str] = None  # vLLM, SGLang: the folder or Hub id of the weights
    max_model_len: Told[Annotated[int, Field(gt=0)]] = None  # vLLM, SGLang
    meta: Told[_Meta] = None  # llama.cpp


class _Models(BaseModel):
    data: list[_Entry]


class _Props(BaseModel):
    chat_template: Told[str] = None
    bos_token: str = ""
    eos_token: str = ""
    build_info: Told[str] = None


class _Tokens(BaseModel):
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the model that is used there. `root` is its address without `/v1`."""

    root: str
    model: str
    dialect: Generic
    context_length: int | None = None
    chat_template: ChatTemplate | None = field(default=None, repr=False)
    added_bos: str = ""  # what the server itself puts before every prompt
    adds_bos: bool = False  # the server puts a BOS there, but does not tell which
    engine: str = ""  # what the server says it is
    engine_version: str = ""  # empty where it does not tell
    weights: str | None = None  # where it says that the weights come from
    template_root: str = ""  # the folder or Hub repository of the weights' tokenizer
    special_tokens: frozenset[str] = frozenset()  # of its tokenizer, where it tells
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # they hold the key

    @property
    def url(self) -> str:
        """The address in the form that users write."""
        return f"{self.root}/v1"

    def template(self) -> ChatTemplate:
        """The chat template that the server reports, or that the model's name implies.

        Raises:
            InputError: neither.
        """
        if self.chat_template is not None:
            return self.chat_template
        if _RELEASED.match(self.model) or _RELEASED.match(self.weights or ""):
            return ChatTemplate.r1_distill_qwen()
        if self.template_root and (found := template_of(self.template_root)):
            return found
        if isinstance(self.dialect, VLLM):
            with _client(self.root, self.headers) as client:
                if learned := learn_template(client, self.model):
                    return learned
        raise InputError(
            f"{self.url}: no chat template is known for {self.model!r}; "
            "fix: name one with --chat-template FILE or FOLDER (chat_template.jinja of the model); "
            "more: genprm explain chat-template"
        )


def ask_server(
    url: str, model: str | None, headers: dict[str, str], context: int | None = None
) -> Server:
    """Ask the server at `url` about itself and `model` (by default the first of its models).

    Raises:
        ModelError: nothing answers there, it is not such a server, or it does not serve the model.

    If the server is still loading (503), this waits and logs it.
    """
    root = url.strip().rstrip("/").removesuffix("/v1")
    with _client(root, headers) as client:
        try:
            entry = _pick(_loaded(client, url), model, root)
            if (entry.owned_by or "").lower() == "llama-swap":  # it starts the model when asked
                return ask_server(f"{root}/upstream/{entry.id}", None, headers, context)
            dialect = _OWNERS.get((entry.owned_by or "").lower()) or probe(client)
            if isinstance(dialect, LlamaCpp):
                return _llama_cpp(client, root, entry)
            if isinstance(dialect, Ollama):
                told = ask_ollama(client, entry.id, context)
                return Server(root, entry.id, Ollama(told.context), **told.fields)
            if isinstance(dialect, TGI):
                told = ask_tgi(client)
                return Server(root, entry.id, dialect, **told.fields)
            adds_bos = isinstance(dialect, SGLang) and _adds_bos(client, entry.id)
            version = ask_version(client, dialect)
            special = ask_special_tokens(client) if isinstance(dialect, VLLM) else frozenset()
        except (httpx.TransportError, Unavailable) as error:
            raise ModelError(
                f"{url}: {cause(error)}; fix: start the server, or correct the URL"
            ) from None
        except Refused as error:
            fix = "give its key" if error.status in {401, 403} else "name the URL of its /v1"
            raise ModelError(f"{url}: {error}; fix: {fix}") from None
        except (httpx.InvalidURL, ValidationError, ValueError) as error:
            raise ModelError(
                f"{url}: this is not a server with /v1/models ({type(error).__name__}); "
                "fix: name the URL of its /v1"
            ) from None
    return Server(
        root,
        entry.id,
        dialect,
        entry.max_model_len,
        adds_bos=adds_bos,
        engine=entry.owned_by or "",
        engine_version=version,
        weights=entry.root,
        template_root=entry.root or "",
        special_tokens=special | _of_folder(entry.root),
        headers=headers,
    )


def _client(root: str, headers: Mapping[str, str]) -> httpx.Client:
    return httpx.Client(base_url=root, headers=headers, timeout=10, verify=root.startswith("https"))


def _of_folder(root: str | None) -> frozenset[str]:
    """The special tokens of weights on this machine."""
    return special_tokens(Path(root)) if root and Path(root).is_dir() else frozenset()


def _loaded(client: httpx.Client, url: str) -> object:
    """The list of models, once the server has loaded."""
    until = time.monotonic() + _LOADING_SECONDS
    said = False
    while True:
        try:
            return _get(client, "v1/models")
        except Unavailable as error:
            if "HTTP 503" not in str(error) or time.monotonic() > until:
                raise
            if not said:
                _log.warning("%s: still loading (%s); waiting for it", url, error)
                said = True
            time.sleep(min(error.after or 1.0, 10.0))


def _adds_bos(client: httpx.Client, model: str) -> bool:
    """Whether a server's tokenizer adds a token before an empty prompt; no if it does not say."""
    try:
        response = client.post("tokenize", json={"model": model, "prompt": ""})
        check(response)
        return bool(_Tokens.model_validate(response.json()).tokens)
    except (httpx.HTTPError, Unavailable, Refused, ValueError):
        return False


def _get(client: httpx.Client, path: str) -> object:
    response = client.get(path)
    check(response)
    reply = response.json()
    check_reply(reply)
    return reply


def _pick(listing: object, model: str | None, root: str) -> _Entry:
    listing = {"data": listing} if isinstance(listing, list) else listing
    entries = _Models.model_validate(listing).data
    for entry in entries:
        if model in {None, entry.id}:
            return entry
    names = ", ".join(entry.id for entry in entries) or "none"
    raise ModelError(
        f"{root}/v1: it does not serve {model!r}; its models: {names}; "
        "fix: write URL#NAME with one of them"
    )


def _llama_cpp(client: httpx.Client, root: str, entry: _Entry) -> Server:
    props = _Props.model_validate(_get(client, "props"))
    empty = client.post("tokenize", json={"content": "", "add_special": True})
    check(empty)
    adds_bos = bool(_Tokens.model_validate(empty.json()).tokens)
    return Server(
        root,
        entry.id,
        LlamaCpp(),
        entry.meta.n_ctx if entry.meta else None,
        ChatTemplate(
            props.chat_template,
            bos_token=props.bos_token,
            eos_token=props.eos_token,
            origin="the server's own",
        )
        if props.chat_template
        else None,
        added_bos=props.bos_token if adds_bos else "",
        engine="llama.cpp",
        engine_version=props.build_info or "",
        weights=_size(entry.meta),
    )


def _size(meta: _Meta | None) -> str | None:
    """What llama.cpp reports about the weights, since they may change under the same name."""
    if meta is None or meta.size is None:
        return None
    return f"{meta.n_params} parameters in {meta.size} bytes"
