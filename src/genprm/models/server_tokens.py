"""How a server's tokenizer splits a text, if the server reports it."""

from collections.abc import Mapping, Sequence

import httpx

from genprm.models.http_pool import ClientPool
from genprm.models.openai_dialects import Generic
from genprm.models.option_tokens import TAIL, option_token


class ServerTokens:
    """The tokenizer behind `/tokenize`, for servers that have this route."""

    def __init__(self, pool: ClientPool, dialect: Generic, model: str) -> None:
        self._pool = pool
        self._dialect = dialect
        self._model = model
        self._ids: dict[tuple[str, str], int] = {}

    async def options(self, prompt: str, options: Sequence[str]) -> Mapping[str, int]:
        """Ids of options after `prompt`; none if the server cannot report them.

        Raises:
            ModelError: an option is not a single token there.
        """
        tail = prompt[-TAIL:]
        for option in options:
            if (tail, option) in self._ids:
                continue
            told = [await self.encode(text) for text in (option, tail, tail + option)]
            alone, before, joined = (ids or [] for ids in told)
            if None in told:
                return {}
            self._ids[tail, option] = option_token(self._model, option, alone, before, joined)
        return {option: self._ids[tail, option] for option in options}

    async def encode(self, text: str) -> list[int] | None:
        """The tokens of `text` without a BOS; None if the server does not report them."""
        body = self._dialect.tokenize_body(text)
        if body is None:
            return None
        try:
            async with self._pool.client() as client:
                response = await client.post("tokenize", json={"model": self._model, **body})
            return [int(token) for token in response.json()["tokens"]]
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None
