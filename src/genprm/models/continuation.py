"""Reading a continuation token by token, and cutting it at a stop string exactly.

Engines disagree about stop strings: some trim them, some trim white space with them, some look
only at as many tokens as the canonical encoding of the string has. So an adapter that sees
tokens reads them with this, and any engine then reports the same text and the same stop.
"""

from collections.abc import Sequence


class Continuation:
    """The text of a growing sequence of byte pieces, up to the first stop string.

    The first stop string is the one that is complete first, byte by byte, whatever the pieces;
    of several that complete together, the longest.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.stop: str | None = None
        self._stops = sorted(((s.encode(), s) for s in stops if s), key=lambda pair: -len(pair[0]))
        self._longest = len(self._stops[0][0]) if self._stops else 0
        self._bytes = bytearray()

    def feed(self, piece: bytes) -> bool:
        """Append a piece; true once a stop string is complete. Later pieces are ignored."""
        if self.stop is not None:
            return True
        unsearched = max(0, len(self._bytes) - self._longest + 1)
        self._bytes += piece
        self._cut(unsearched)
        return self.stop is not None

    @property
    def text(self) -> str:
        """What precedes the stop string; bytes that are no UTF-8 become U+FFFD."""
        return self._bytes.decode("utf-8", errors="replace")

    def _cut(self, unsearched: int) -> None:
        first_end = len(self._bytes) + 1
        for stop, name in self._stops:  # longest first: it keeps a tie
            start = self._bytes.find(stop, unsearched)
            if start >= 0 and start + len(stop) < first_end:
                first_end = start + len(stop)
                self.stop = name
        if self.stop is not None:
            del self._bytes[first_end - len(self.stop.encode()) :]
