"""Memory of a driver whose queue is long: resident MiB while rows are made on a cluster.

    python benchmarks/driver_memory.py [--rows 100000] [--seconds 240]

The actors double numbers at once, so the driver is always the bound. What grows by a row is the
journal's index (key, offset and length); rows themselves are not kept.
"""

import argparse
import asyncio
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from cluster import Doubling, Nodes, SumRow, cluster

from genprm.records.failures import FailedRow
from genprm.tasks.cluster import ClusterSettings, ray_cluster
from genprm.tasks.run import run_to_file
from genprm.worker import Needs

MIB = 1 << 20


def resident() -> float:
    """MiB of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / MIB


def count(rows: Iterator[SumRow]) -> int:
    """How many there are, read one after the other as a summary reads them."""
    return sum(1 for _ in rows)


class Enough(Exception):
    """The time is over."""


def watch(nodes: Nodes, rows: int, seconds: float, output: Path) -> None:
    """Print the memory at every tenth of the rows."""
    settings = ClusterSettings(nodes.address, Needs(actors=2, cpus=1.0, gpus=0.0))
    items, made, deadline = list(range(rows)), 0, time.monotonic() + seconds

    def on_row(_: SumRow | FailedRow) -> None:
        nonlocal made
        made += 1
        if made % max(1, rows // 20) == 0 or made == 1000:
            print(f"{made:7} rows: {resident():6.1f} MiB", flush=True)
        if time.monotonic() > deadline:
            raise Enough

    with ray_cluster(settings, print) as executor:
        task = Doubling(seconds=0.0)
        work = run_to_file(
            task, items, output, count, concurrency=32, executor=executor, on_row=on_row
        )
        try:
            asyncio.run(work)
        except Enough:
            print(f"stopped after {seconds:g} s at {made} rows: {resident():.1f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=240.0)
    arguments = parser.parse_args()
    with TemporaryDirectory() as name, cluster(nodes=2) as nodes:
        watch(nodes, arguments.rows, arguments.seconds, Path(name) / "rows")


if __name__ == "__main__":
    main()
