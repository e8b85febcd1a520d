import asyncio
from collections.abc import Iterable

import pytest

from shared.eventlog.turns import Turns


class Counter:
    """People at a counter: each says when they come and go, and leaves when told."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.inside: list[str] = []
        self.left: list[str] = []
        self._may_leave: dict[str, asyncio.Event] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def comes(self, name: str, keys: Iterable[str]) -> None:
        self._may_leave[name] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._visit(name, set(keys))))
        await settled()

    async def _visit(self, name: str, keys: set[str]) -> None:
        async with self.turns.of(keys):
            self.inside.append(name)
            await self._may_leave[name].wait()
            self.inside.remove(name)
            self.left.append(name)

    async def leaves(self, name: str) -> None:
        self._may_leave[name].set()
        await settled()

    async def all_leave(self) -> None:
        for event in self._may_leave.values():
            event.set()
        await asyncio.gather(*self._tasks)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_for_the_same_goes_in_the_order_of_asking_and_others_at_once():
    counter = Counter()
    await counter.comes("first", "a")
    await counter.comes("second", "a")
    await counter.comes("third", "a")
    await counter.comes("other", "b")
    assert counter.inside == ["first", "other"]
    await counter.leaves("first")
    assert counter.inside == ["other", "second"]
    await counter.all_leave()
    assert [name for name in counter.left if name != "other"] == ["first", "second", "third"]


async def test_who_has_two_keys_waits_for_both_and_is_waited_for_by_both():
    counter = Counter()
    await counter.comes("a", "a")
    await counter.comes("b", "b")
    await counter.comes("both", "ab")
    await counter.comes("after a", "a")
    await counter.comes("after b", "b")
    await counter.leaves("a")
    assert counter.inside == ["b"]
    await counter.leaves("b")
    assert counter.inside == ["both"]
    await counter.leaves("both")
    assert sorted(counter.inside) == ["after a", "after b"]
    await counter.all_leave()


async def test_who_fails_lets_the_next_in():
    turns = Turns()
    with pytest.raises(ValueError, match="mine"):
        async with turns.of(("a",)):
            raise ValueError("mine")
    async with asyncio.timeout(1), turns.of(("a",)):
        pass


async def test_many_with_many_keys_all_come_through_and_nothing_is_kept():
    turns, seen = Turns(), dict[int, list[int]]()

    async def visit(number: int) -> None:
        keys = {number % 7, number % 11, number % 13}
        async with turns.of(keys):
            for key in keys:
                seen.setdefault(key, []).append(number)
            await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await asyncio.gather(*map(visit, range(500)))
    assert all(numbers == sorted(numbers) for numbers in seen.values())
    assert not turns.is_busy
