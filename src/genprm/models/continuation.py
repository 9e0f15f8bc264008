"""Reading a continuation token by token, and cutting it at a stop string exactly.

Engines treat stop strings differently: some trim them, some trim white space with them, and some
look only at as many tokens as the canonical encoding of the string has. Adapters that see tokens
therefore read them with this class, so that all engines report the same text and stop string.
"""

from collections.abc import Sequence


class Continuation:
    """The text of a growing sequence of byte pieces, up to the first stop string.

    The first stop string is the one that is complete first, byte by byte, however the text is split
    into pieces; of several that are complete at the same byte, the longest.
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
        """The text before the stop string; bytes that are not UTF-8 become U+FFFD."""
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
