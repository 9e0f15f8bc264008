"""Servers that `/v1/models` does not identify, recognised by routes that only they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict

from genprm.gguf_header import TAKEN_OUT, TOKEN_KINDS, TOKENS
from genprm.http import Refused, Unavailable, check, check_reply
from genprm.models.native_dialects import Ollama
from genprm.models.openai_dialects import Generic, LiteLLM
from genprm.models.tgi_dialect import TGI
from genprm.models.tokenizer_files import listed_tokens
from genprm.records.record import JsonObject

_OLLAMA_CONTEXT = 8192
"""Tokens of context asked of Ollama where none are given; its own default is less."""

M = TypeVar("M", bound=BaseModel)


class _Version(BaseModel):
    version: str


class _Info(BaseModel):
    model_id: str
    model_sha: str | None = None
    max_total_tokens: int
    version: str = ""


class _Show(BaseModel):
    model_info: JsonObject = {}


class _TokenizerInfo(BaseModel):
    model_config = ConfigDict(extra="allow")


class _Tag(BaseModel):
    name: str
    digest: str


class _Tags(BaseModel):
    models: list[_Tag]


class ServerFields(TypedDict):
    """The fields of a `Server`."""

    context_length: int
    adds_bos: bool
    engine: str
    engine_version: str
    weights: str | None
    template_root: str
    special_tokens: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What a server reported about itself."""

    context: int
    fields: ServerFields


def probe(client: httpx.Client) -> Generic:
    """The dialect of a server whose list of models does not identify it."""
    if _told(client, "api/version", _Version):
        return Ollama()
    if _told(client, "info", _Info):
        return TGI()
    try:
        alive = client.get("health/liveliness")
    except httpx.HTTPError:
        return Generic()
    return LiteLLM() if alive.is_success and "I'm alive" in alive.text else Generic()


def ask_ollama(client: httpx.Client, model: str, context: int | None) -> Told:
    """Version, digest and context; raises what `genprm.http.check` raises."""
    version = _told(client, "api/version", _Version)
    tags = _told(client, "api/tags", _Tags)
    shown = client.post("api/show", json={"model": model, "verbose": True})
    check(shown)
    fields = _Show.model_validate(shown.json()).model_info
    longest = next((n for key, n in fields.items() if key.endswith(".context_length")), None)
    wanted = context or _OLLAMA_CONTEXT
    length = min(longest, wanted) if isinstance(longest, int) else wanted
    digests = {tag.name: tag.digest for tag in tags.models} if tags else {}
    return Told(
        length,
        {
            "context_length": length,
            "adds_bos": bool(fields.get("tokenizer.ggml.add_bos_token")),
            "engine": "ollama",
            "engine_version": version.version if version else "",
            "weights": digests.get(model),
            "template_root": "",
            "special_tokens": frozenset(_taken_out(fields)),
        },
    )


def ask_tgi(client: httpx.Client) -> Told:
    """Model, revision and context; raises what `genprm.http.check` raises."""
    response = client.get("info")
    check(response)
    info = _Info.model_validate(response.json())
    one = client.post("tokenize", json={"inputs": "a"})
    check(one)
    return Told(
        info.max_total_tokens,
        {
            "context_length": info.max_total_tokens,
            "adds_bos": len(one.json()) > 1,
            "engine": "tgi",
            "engine_version": info.version,
            "weights": f"{info.model_id}@{info.model_sha}" if info.model_sha else info.model_id,
            "template_root": info.model_id,
            "special_tokens": frozenset(),
        },
    )


def ask_version(client: httpx.Client, dialect: Generic) -> str:
    """The engine's version, from the first route that reports it; empty if none does."""
    answers = (_told(client, route, _Version) for route in dialect.version_routes)
    return next((told.version for told in answers if told), "")


def ask_special_tokens(client: httpx.Client) -> frozenset[str]:
    """The special tokens of vLLM's tokenizer, if it has `--enable-tokenizer-info-endpoint`."""
    config = _told(client, "tokenizer_info", _TokenizerInfo)
    return frozenset(listed_tokens(config.model_dump())) if config else frozenset()


def _taken_out(fields: JsonObject) -> Iterator[str]:
    """The tokens in a GGUF file's header that its tokenizer splits off from any text."""
    tokens, kinds = (fields.get(key) for key in (TOKENS, TOKEN_KINDS))
    if isinstance(tokens, list) and isinstance(kinds, list):
        for token, kind in zip(tokens, kinds, strict=False):
            if kind in TAKEN_OUT and isinstance(token, str):
                yield token


def _told(client: httpx.Client, path: str, kind: type[M]) -> M | None:
    """The reply of a route, or None if there is no such route."""
    try:
        response = client.get(path)
        check(response)
        reply = response.json()
        check_reply(reply)
        return kind.model_validate(reply)
    except (httpx.HTTPError, Unavailable, Refused, ValueError):
        return None
