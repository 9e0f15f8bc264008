"""Nodes killed at random moments: nothing may be lost, doubled or changed.

    python benchmarks/kill_nodes.py [--times 10] [--seed 0]

A run of slow rows on a cluster of two nodes on this machine. When both are at work, one of them is
killed at a random moment, as a power cut would. The finished file must be the local run's, byte for
byte.
"""

import argparse
import asyncio
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from cluster import Doubling, Nodes, SumRow, cluster

from genprm.records.failures import FailedRow
from genprm.tasks.cluster import ClusterSettings, ray_cluster
from genprm.tasks.run import run_to_file
from genprm.worker import Needs

ROWS = list(range(200))
SECONDS = 0.25  # of a row
LONGEST = 4.0  # seconds from when both nodes are at work until one is killed


def run_once(nodes: Nodes, folder: Path, after: float) -> tuple[bytes, int, list[str]]:
    """The finished file, how many rows failed, and what was said."""
    lines: list[str] = []
    (folder / "notes").mkdir()
    settings = ClusterSettings(nodes.address, Needs(actors=2, cpus=1.0, gpus=0.0))
    task = Doubling(str(folder / "notes"), seconds=SECONDS)
    with ray_cluster(settings, lines.append) as executor:
        killer = Timer(after, nodes.kill)

        def on_row(_: SumRow | FailedRow) -> None:
            if executor.status == "2/2 actors" and killer.ident is None:
                killer.start()

        made = run_to_file(
            task, ROWS, folder / "rows", list, concurrency=4, executor=executor, on_row=on_row
        )
        _, failed = asyncio.run(made)
        if killer.ident is not None:
            killer.join()
    return (folder / "rows").read_bytes(), failed, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    bad = 0
    with TemporaryDirectory() as name, cluster(nodes=2) as nodes:
        here = Path(name) / "here"
        quick = Doubling(name, seconds=0.0)
        asyncio.run(run_to_file(quick, ROWS, here, list, concurrency=4))
        expected = here.read_bytes()
        for number in range(arguments.times):
            nodes.ensure(2)
            folder = Path(name) / str(number)
            folder.mkdir()
            after, started = rng.uniform(0.0, LONGEST), time.monotonic()
            got, failed, lines = run_once(nodes, folder, after)
            tries = len(list((folder / "notes").iterdir()))
            same = got == expected and not failed
            bad += not same
            print(
                f"{number + 1}: killed {after:.1f} s after both worked, "
                f"{time.monotonic() - started:.1f} s in all, "
                f"{'same bytes' if same else 'DIFFERENT'}, {failed} failed, "
                f"{tries - len(ROWS)} rows made twice and kept once; {len(lines)} lines said",
                flush=True,
            )
    print(f"{arguments.times - bad} of {arguments.times} runs as if nothing had happened")
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
