"""Seats: never more rows than seats, suspects alone, and everyone seated in the end."""

import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genprm.tasks.seats import Seats


@given(
    actors=st.integers(1, 4),
    each=st.integers(1, 3),
    rows=st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=30),
)
def test_rows_share_and_suspects_do_not(
    actors: int, each: int, rows: list[tuple[bool, int]]
) -> None:
    async def main() -> None:
        seats: Seats[str] = Seats(each)
        there: Counter[str] = Counter()
        lone: set[str] = set()
        done = 0

        async def work(alone: bool, turns: int) -> None:
            nonlocal done
            async with seats.take(alone=alone) as actor:
                assert actor not in lone
                assert there[actor] < each
                assert not (alone and there[actor])
                there[actor] += 1
                if alone:
                    lone.add(actor)
                for _ in range(turns):
                    await asyncio.sleep(0)
                there[actor] -= 1
                lone.discard(actor)
            done += 1

        tasks = [asyncio.create_task(work(*row)) for row in rows]
        for number in range(actors):
            await asyncio.sleep(0)
            seats.add(str(number))
        await asyncio.gather(*tasks)
        assert done == len(rows)

    asyncio.run(main())


def test_who_is_cancelled_while_waiting_leaves_the_seat_to_others() -> None:
    async def main() -> None:
        seats: Seats[str] = Seats(1)

        async def take() -> str:
            async with seats.take() as actor:
                return actor

        first, second = asyncio.create_task(take()), asyncio.create_task(take())
        await asyncio.sleep(0)
        seats.add("a")
        first.cancel()
        assert await second == "a"

    asyncio.run(main())


def test_without_hope_of_an_actor_everyone_is_told() -> None:
    async def main() -> None:
        seats: Seats[str] = Seats(1)

        async def take() -> None:
            async with seats.take():
                pass

        waiting = asyncio.create_task(take())
        await asyncio.sleep(0)
        seats.fail(RuntimeError("none"))
        for one in (waiting, take()):
            with pytest.raises(RuntimeError, match="none"):
                await one

    asyncio.run(main())
