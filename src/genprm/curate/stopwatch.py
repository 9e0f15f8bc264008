"""How long a stage has run, summed over all sessions, stored beside the rows.

Times are not part of the rows, which are the same however often a run was interrupted. A line is
written every few seconds, so that a killed session loses only the time since then.
"""

import json
import threading
from collections import Counter
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

_EVERY = 5.0  # seconds


class Stopwatch:
    """Appends `{"stage": …, "seconds": …}` lines while it runs."""

    def __init__(self, file: Path, stage: str) -> None:
        self._file = file
        self._stage = stage
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _tick(self) -> None:
        last = monotonic()
        stopped = False
        while not stopped:
            stopped = self._stop.wait(_EVERY)
            now = monotonic()
            with self._file.open("a", encoding="utf-8") as lines:
                line = {"stage": self._stage, "seconds": round(now - last, 3)}
                lines.write(json.dumps(line) + "\n")
            last = now


def seconds(file: Path) -> dict[str, float]:
    """Seconds that each stage has run; an incomplete line is skipped."""
    sums: Counter[str] = Counter()
    if file.exists():
        for line in file.read_text("utf-8").splitlines():
            try:
                entry = json.loads(line)
                sums[entry["stage"]] += entry["seconds"]
            except ValueError:
                continue
    return dict(sums)
