"""The driver of a cluster as a queue: when does it, and not the actors, bound the rate?

    python benchmarks/simulate_driver.py [--driver-ms 1.5] [--measured FILE.json of bench_ray.py]

A discrete-event simulation of `genprm.tasks`: a driver that spends some time of its one core on
every row (it sends the row, and journals the answer), and actors with seats, each of which makes as
many rows at once as it has seats. Times of rows are exponential, so that an actor's rows do not
march in step. The two-worker point of `bench_ray.py` is simulated first: where it is off, the rest
is not to be trusted either. Its rows take longer by what two processes without Ray lose to each
other on that machine.
"""

import argparse
import heapq
import json
import random
from collections import deque
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
    """Rows a second, and the shares of time that the driver and the seats were at work."""

    rate: float
    driver: float
    seats: float


def simulate(
    actors: int, seats: int, row_seconds: float, driver_seconds: float, rows: int, seed: int = 0
) -> Result:
    """Make `rows` rows, and look at the middle half of them: the ends are ramps.

    Args:
        actors: how many there are.
        seats: rows that an actor has at once.
        row_seconds: mean time of a row in its seat.
        driver_seconds: of the driver's core, for each row; half to send it, half for its answer.
        rows: how many rows to make.
        seed: of the times.
    """
    rng = random.Random(seed)
    capacity = actors * seats
    sent = finished = 0
    quarter, first, last = rows // 4, 0.0, 0.0  # when the middle half begins and ends
    waiting: deque[bool] = deque([True] * min(capacity, rows))  # True: to be sent; False: answered
    sent = len(waiting)
    answers: list[float] = []  # when each row in a seat will be made
    now = 0.0
    half = driver_seconds / 2
    while finished < rows:
        if not waiting:
            now = max(now, heapq.heappop(answers))
            waiting.append(False)
        while answers and answers[0] <= now:
            heapq.heappop(answers)
            waiting.append(False)
        is_new = waiting.popleft()
        now += half
        if is_new:
            lasts = rng.expovariate(1 / row_seconds) if row_seconds else 0.0
            heapq.heappush(answers, now + lasts)
            continue
        finished += 1
        first = now if finished == quarter else first
        last = now if finished == 3 * quarter else last
        if sent < rows:
            sent += 1
            waiting.append(True)
    rate = 2 * quarter / (last - first)
    return Result(rate, rate * driver_seconds, rate * row_seconds / capacity)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--driver-ms", type=float, help="of the driver for a row")
    parser.add_argument("--measured", type=Path, help="what bench_ray.py --output wrote")
    arguments = parser.parse_args()
    driver = (arguments.driver_ms or 1.5) / 1000
    if arguments.measured:
        found = json.loads(arguments.measured.read_text())
        for name in ("sandbox", "engine"):
            one, two, cost = found[name]["one"], found[name]["two"], found[name]["driver"]
            seats = 4
            shared = 2 / found[name].get("alone", 2.0)  # two processes are no two machines
            expected = simulate(2, seats, shared * seats / one, cost, 4000)
            print(
                f"{name}: two workers measured at {two:.1f} rows/s, simulated {expected.rate:.1f} "
                f"({expected.rate / two - 1:+.0%})"
            )
        driver = (arguments.driver_ms or 1000 * found["empty"]["driver"]) / 1000
    print(f"\nthe driver spends {1000 * driver:.2f} ms on a row: {1 / driver:,.0f} rows/s at most")
    print("actors  seconds a row   rows/s   driver busy   seats busy")
    for actors in (10, 100, 1000):
        for seconds in (1.0, 10.0, 30.0, 60.0):
            result = simulate(actors, 16, seconds, driver, min(60 * 16 * actors, 200_000))
            print(
                f"{actors:6} {seconds:14.0f} {result.rate:8.1f} {result.driver:13.0%} "
                f"{result.seats:12.0%}"
            )


if __name__ == "__main__":
    main()
