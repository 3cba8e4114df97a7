"""Work on threads: bounded, and not done for callers who have gone."""

import asyncio
import threading

import pytest

from callscreen.core.errors import TooMuch
from callscreen.core.threads import Threads


@pytest.fixture
def threads():
    made = Threads("test", at_once=1, waiting=3)
    yield made
    made.close()


async def test_work_whose_caller_has_gone_is_not_begun_and_counts_until_then(threads):
    go, done = threading.Event(), []
    first = asyncio.create_task(threads.run(lambda _: go.wait(10)))
    left = [asyncio.create_task(threads.run(lambda _: done.append("left"))) for _ in range(2)]
    await asyncio.sleep(0.01)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    assert threads.full
    with pytest.raises(TooMuch):
        await threads.run(lambda _: None)
    go.set()
    assert await first
    assert await threads.run(lambda _: "served") == "served"
    assert done == []


async def test_work_can_see_that_its_caller_has_gone(threads):
    begun, seen = threading.Event(), threading.Event()

    def work(gone):
        begun.set()
        while not gone():
            pass
        seen.set()

    task = asyncio.create_task(threads.run(work))
    assert await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(seen.wait, 10)


async def test_what_work_raises_is_raised_and_leaves_its_place(threads):
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda _: 1 // 0)
    assert not threads.full
