"""Decodes a stream of server-sent events as JSON and turns every fault into an error."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import cast

import httpx
from httpx_sse import EventSource

from genprm.http import BadReply, Refused, check_reply
from genprm.records.record import JsonObject, without_surrogates

DONE = "[DONE]"
LONGEST = 2**26
"""Characters of a stream after which it is taken for one without an end."""

_ERROR_FIELD = re.compile(
    r"^error:\s*(.+)$", re.MULTILINE
)  # llama.cpp's, which no parser passes on


async def events(response: httpx.Response) -> AsyncGenerator[JsonObject | None, None]:
    """The events of a stream; None for the `[DONE]` that ends it.

    A server that answers with plain JSON in spite of `stream` yields its one reply.

    Raises:
        BadReply, Refused: the server reports an error, or an event is no JSON object.
    """
    kind = response.headers.get("content-type", "")
    if "ndjson" in kind:  # Ollama's
        async for line in response.aiter_lines():
            if line.strip():
                yield decoded(line)
        return
    if "text/event-stream" not in kind:
        await response.aread()
        yield decoded(response.text)
        return
    heard = _Heard(response)
    async for event in EventSource(cast(httpx.Response, heard)).aiter_sse():
        if event.data.strip() == DONE:
            yield None
            return
        if not event.data or event.data.startswith(":"):  # a comment that a proxy made an event
            continue
        reply = decoded(event.data)
        if event.event == "error":
            check_reply({"error": reply.get("error") or reply})
        yield reply
    if said := _ERROR_FIELD.findall(heard.tail):
        check_reply({"error": decoded(said[-1])})


def decoded(text: str) -> JsonObject:
    """Parse a JSON object that is not an error; halves of surrogate pairs become U+FFFD.

    Raises:
        BadReply, Refused: it is something else.
    """
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        raise BadReply(f"the server sent no JSON: {' '.join(text[:150].split())!r}") from None
    check_reply(reply)
    if not isinstance(reply, dict):
        raise BadReply(f"the server sent no JSON object: {text[:150]!r}")
    return cast("JsonObject", without_surrogates(reply))


class _Heard:
    """A response that keeps its last characters for error messages."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self.tail = ""
        self._length = 0
        self._response = response

    async def aiter_text(self) -> AsyncIterator[str]:
        try:
            async for text in self._response.aiter_text():
                self.tail = (self.tail + text)[-2000:]
                self._length += len(text)
                if self._length > LONGEST:
                    raise Refused(400, f"a stream of more than {LONGEST:,} characters")
                yield text
        except (httpx.ReadError, httpx.RemoteProtocolError) as error:  # it answered, and broke off
            raise BadReply(f"the stream broke off ({error or type(error).__name__})") from None
