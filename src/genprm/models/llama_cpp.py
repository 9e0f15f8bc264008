"""A GGUF file in process, by llama.cpp (xllamacpp).

llama.cpp's own server schedules the requests. It runs in this process, on a free port of the
loopback interface with a random key, and is used like any llama.cpp server. Template, special
tokens and context length come from the file.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from genprm.errors import ContextExceeded, InputError, MissingExtra, ModelError
from genprm.gguf_header import GgufHeader, read_header
from genprm.model import Choice, Completion, Sampling
from genprm.models.base import TemplatedModel
from genprm.models.chat_template import ChatTemplate
from genprm.models.openai_api import OpenAICompatible
from genprm.models.text import check_text
from genprm.models.weights import hash_weights, version_of

_USEFUL_CONTEXT = 8192
"""Tokens below which a slot is too small for most solutions: then there are fewer slots."""


class LlamaCppFile(TemplatedModel):
    """A GGUF file behind llama.cpp.

    `slots` requests run at once, each with its own context; more wait. `cache_gb` limits the memory
    of all contexts together. `context` replaces the length that follows from these settings and the
    file. `threads` is the number of computing threads, by default one for each available core.

    Raises:
        InputError: `file` is no GGUF file, or holds no chat template and none was given.
        MissingExtra: xllamacpp is not installed.
        ModelError: llama.cpp cannot load it.
    """

    def __init__(
        self,
        file: Path,
        *,
        name: str | None = None,
        chat_template: ChatTemplate | None = None,
        slots: int = 4,
        cache_gb: float = 2.0,
        context: int | None = None,
        threads: int | None = None,
    ) -> None:
        header = read_header(file)
        if chat_template is None and header.chat_template is None:
            raise InputError(
                f"{file}: the file holds no chat template; "
                "fix: name one with --chat-template FILE; "
                "more: genprm explain chat-template"
            )
        slots, context = _split_cache(header, slots, int(cache_gb * 2**30), context)
        key = secrets.token_urlsafe()
        self._server: Any = _start(
            {
                "path": str(file),
                "slots": slots,
                "context": context,
                "threads": threads or len(os.sched_getaffinity(0)),
                "key": key,
            }
        )
        self._served = OpenAICompatible(
            f"{self._server.listening_address}/v1",
            api_key=key,
            chat_template=chat_template,
            special_tokens=header.special_tokens,
            connections=4 * slots,
        )
        super().__init__(
            self._served.template,
            self._served.context_length,
            name=name or file.name,
            engine="llama.cpp",
            version=version_of("xllamacpp"),
            weights=hash_weights([file]),
        )

    async def complete(
        self,
        prompt: str,
        *,
        stop: Sequence[str],
        max_tokens: int,
        sampling: Sampling,
        seed: int | None = None,
    ) -> Completion:
        """See `Model.complete`."""
        check_text(self.name, prompt)
        with self._named():
            return await self._served.complete(
                prompt, stop=stop, max_tokens=max_tokens, sampling=sampling, seed=seed
            )

    async def choose(self, prompt: str, options: Sequence[str]) -> Choice:
        """See `Model.choose`."""
        check_text(self.name, prompt)
        with self._named():
            return await self._served.choose(prompt, options)

    async def close(self) -> None:
        """See `Model.close`."""
        await self._served.close()
        self._server = None  # its destructor stops it

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        """Make errors name the file instead of the internal address."""
        if self._server is None:
            raise ModelError(f"{self.name}: the model is closed")
        address = f"{self._server.listening_address}/v1"
        try:
            yield
        except ContextExceeded as error:
            raise ContextExceeded(str(error).replace(address, self.name)) from None
        except ModelError as error:
            raise type(error)(str(error).replace(address, self.name)) from None


def _split_cache(
    header: GgufHeader, slots: int, cache_bytes: int, context: int | None
) -> tuple[int, int]:
    """The number of slots, and the tokens of context of each."""
    tokens = cache_bytes // max(1, header.cache_bytes_per_token)
    longest = header.context_length or _USEFUL_CONTEXT
    if context is not None:
        return slots, min(context, longest)
    wanted = min(longest, _USEFUL_CONTEXT)
    slots = max(1, min(slots, tokens // wanted))
    return slots, max(1, min(longest, tokens // slots))


def _start(settings: dict[str, Any]) -> Any:
    """The server, running.

    Raises:
        MissingExtra: xllamacpp is not installed.
        ModelError: llama.cpp cannot load the model.
    """
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtra("xllamacpp", extra="gguf") from None
    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["slots"] * settings["context"]
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams.poll = 0  # threads that wait for each other must not spin
    params.api_keys = [settings["key"]]
    params.port = 0
    params.ui = params.warmup = params.fit_params = False
    params.verbosity = settings.get("verbosity", 0)
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        if params.verbosity:
            raise
        reason = _reason(settings) or str(error)
        raise ModelError(
            f"{settings['path']}: llama.cpp cannot load it: {reason}; fix: download all of it "
            "again, or name a file of an architecture and a quantisation that llama.cpp knows"
        ) from None


def _reason(settings: dict[str, Any]) -> str:
    """Why loading failed; llama.cpp only writes it to stderr, so load again in a child process."""
    code = (
        "import json, sys\nfrom genprm.models.llama_cpp import _start\n"
        "_start(json.loads(sys.argv[1]) | {'verbosity': 1})"
    )
    again = subprocess.run(
        [sys.executable, "-c", code, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    errors = [line.partition(" E ")[2] for line in again.stderr.splitlines() if " E " in line]
    # those after the first say only that it failed, and its threads may write them in any order
    reasons = [line for line in errors if "failed to" not in line and "exiting" not in line]
    said = next(iter([*reasons, *errors]), "")
    return said.partition(": ")[2] or said
