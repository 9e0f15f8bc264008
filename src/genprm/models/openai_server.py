"""Asking a server, once, what it is and what it serves."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import BaseModel, ValidationError

from genprm.errors import InputError, ModelError
from genprm.models.chat_template import ChatTemplate
from genprm.models.http_retry import Refused, Unavailable, cause, check
from genprm.models.openai_dialects import VLLM, Generic, LlamaCpp, SGLang

_DIALECTS = {"vllm": VLLM(), "sglang": SGLang(), "llamacpp": LlamaCpp()}


class _Meta(BaseModel):
    n_ctx: int | None = None


class _Entry(BaseModel):
    id: str
    owned_by: str = ""
    root: str | None = None  # vLLM, SGLang: the folder or Hub id of the weights
    max_model_len: int | None = None  # vLLM, SGLang
    meta: _Meta | None = None  # llama.cpp


class _Models(BaseModel):
    data: list[_Entry]


class _Props(BaseModel):
    chat_template: str | None = None
    bos_token: str = ""
    eos_token: str = ""


class _Tokens(BaseModel):
    tokens: list[int]


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the model of it that we use. `root` is its address without `/v1`."""

    root: str
    model: str
    dialect: Generic
    context_length: int | None = None
    chat_template: ChatTemplate | None = field(default=None, repr=False)
    added_bos: str = ""  # what the server itself puts before every prompt
    engine: str = ""  # what the server says it is
    weights: str | None = None  # where it says that the weights come from

    @property
    def url(self) -> str:
        """The address that people write."""
        return f"{self.root}/v1"

    def template(self) -> ChatTemplate:
        """The chat template that the server tells, or that the model's name implies.

        Raises:
            InputError: neither.
        """
        if self.chat_template is not None:
            return self.chat_template
        if "genprm" in self.model.lower():
            return ChatTemplate.r1_distill_qwen()
        raise InputError(
            f"{self.url}: no chat template is known for {self.model!r}; "
            "fix: --chat-template FILE or FOLDER (chat_template.jinja of the model)"
        )


def ask_server(url: str, model: str | None, headers: dict[str, str]) -> Server:
    """What answers at `url`, serving `model` (by default the first of its models).

    Raises:
        ModelError: nobody answers there, or no such server, or no such model.
    """
    root = url.strip().rstrip("/").removesuffix("/v1")
    with httpx.Client(
        base_url=root, headers=headers, timeout=10, verify=root.startswith("https")
    ) as client:
        try:
            entry = _pick(_get(client, "v1/models"), model, root)
            dialect = _DIALECTS.get(entry.owned_by.lower(), Generic())
            if isinstance(dialect, LlamaCpp):
                return _llama_cpp(client, root, entry)
        except (httpx.TransportError, Unavailable) as error:
            raise ModelError(
                f"{url}: {cause(error)}; fix: start the server, or correct the URL"
            ) from None
        except Refused as error:
            mend = "give its key" if error.status in {401, 403} else "is this the URL of its /v1?"
            raise ModelError(f"{url}: {error}; {mend}") from None
        except (httpx.InvalidURL, ValidationError, ValueError) as error:
            raise ModelError(f"{url}: not a server with /v1/models: {error}") from None
    return Server(
        root,
        entry.id,
        dialect,
        entry.max_model_len,
        engine=entry.owned_by,
        weights=entry.root,
    )


def _get(client: httpx.Client, path: str) -> Any:
    response = client.get(path)
    check(response)
    return response.json()


def _pick(listing: Any, model: str | None, root: str) -> _Entry:
    entries = _Models.model_validate(listing).data
    for entry in entries:
        if model in {None, entry.id}:
            return entry
    names = ", ".join(entry.id for entry in entries) or "none"
    raise ModelError(f"{root}/v1: it does not serve {model!r}; its models: {names}")


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
        ChatTemplate(props.chat_template, bos_token=props.bos_token, eos_token=props.eos_token)
        if props.chat_template
        else None,
        added_bos=props.bos_token if adds_bos else "",
        engine="llama.cpp",
    )
