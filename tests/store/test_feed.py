"""Followers get every change, in order, once, whatever their pace."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from callscreen.core.committer import Committer
from callscreen.core.feed import Feed
from callscreen.core.store.contract import Batch, Compacted, Store

Putter = Callable[..., Batch]


class Source:
    """A store with its feed; `write` commits and publishes."""

    def __init__(self, store: Store, put: Putter, **options: int) -> None:
        self.store, self.put = store, put
        self.feed = Feed(store, **options)
        self.count = itertools.count()

    def write(self, number: int = 1) -> None:
        for _ in range(number):
            path = str(next(self.count))
            revision = self.store.commit(self.put(path))
            self.feed.publish(self.store.tail(revision - 1))


def revision_of(record: bytes) -> int:
    return int(record.split(b":")[0])


async def take(stream: AsyncGenerator[bytes, None], number: int) -> list[int]:
    async with asyncio.timeout(20):
        return [revision_of(await anext(stream)) for _ in range(number)]


async def test_a_follower_gets_what_was_before_and_what_comes(store: Store, put: Putter) -> None:
    source = Source(store, put)
    source.write(3)
    async with aclosing(source.feed.follow(1)) as stream:
        assert await take(stream, 2) == [2, 3]
        waiting = asyncio.create_task(take(stream, 2))
        await asyncio.sleep(0)
        assert not waiting.done()
        source.write(2)
        assert await waiting == [4, 5]


async def test_every_follower_gets_the_same_object(store: Store, put: Putter) -> None:
    source = Source(store, put)
    async with aclosing(source.feed.follow(0)) as one, aclosing(source.feed.follow(0)) as other:
        source.write()
        assert await anext(one) is await anext(other)


async def test_a_slow_follower_reads_on_from_the_log(store: Store, put: Putter) -> None:
    source = Source(store, put, ring_records=5)
    source.write(3)
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 1) == [1]
        source.write(2000)  # nobody waits for it
        assert await take(stream, 2002) == list(range(2, 2004))
        source.write(1)
        assert await take(stream, 1) == [2004]


async def test_the_ring_has_a_limit_in_octets_too(store: Store, put: Putter) -> None:
    source = Source(store, put, ring_bytes=30)
    source.write(50)
    assert source.feed.revision == 50
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 50) == list(range(1, 51))


async def test_a_follower_that_is_too_late_is_told_so(store: Store, put: Putter) -> None:
    source = Source(store, put, ring_records=5)
    source.write(20)
    async with aclosing(source.feed.follow(0)) as late, aclosing(source.feed.follow(12)) as slow:
        assert await take(slow, 8) == list(range(13, 21))
        source.write(20)
        store.compact(keep=2)
        with pytest.raises(Compacted):
            await anext(late)
        with pytest.raises(Compacted):
            await anext(slow)
    async with aclosing(source.feed.follow(35)) as stream:  # the ring still has it
        assert await take(stream, 5) == [36, 37, 38, 39, 40]


async def test_a_follower_of_the_future_is_told_so(store: Store, put: Putter) -> None:
    source = Source(store, put)
    source.write(3)
    with pytest.raises(Compacted):
        await anext(source.feed.follow(4))


async def test_what_was_written_past_the_feed_is_not_missed(store: Store, put: Putter) -> None:
    source = Source(store, put)
    source.write(2)
    store.commit(put("a"))
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 3) == [1, 2, 3]
        store.commit(put("b"))
        source.write(2)
        assert await take(stream, 3) == [4, 5, 6]


async def test_a_gap_in_what_was_published_is_read_from_the_log(store: Store, put: Putter) -> None:
    source = Source(store, put)
    source.write(2)
    store.commit(put("a"))
    source.write(2)
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 5) == [1, 2, 3, 4, 5]


async def test_a_change_between_looking_and_waiting_is_not_missed(
    store: Store, put: Putter, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source(store, put)
    look = source.feed._from_ring

    def look_then_another_thread_publishes(after: int) -> list[tuple[int, bytes]] | None:
        changes = look(after)
        if changes == [] and store.revision < 3:
            source.write(1)
        return changes

    monkeypatch.setattr(source.feed, "_from_ring", look_then_another_thread_publishes)
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 3) == [1, 2, 3]


async def test_closing_ends_every_follower(store: Store, put: Putter) -> None:
    source = Source(store, put)
    source.write(1)

    async def follow(after: int) -> list[int]:
        return [revision_of(record) async for record in source.feed.follow(after)]

    followers = [asyncio.create_task(follow(after)) for after in (0, 1)]
    await asyncio.sleep(0.05)
    source.feed.close()
    async with asyncio.timeout(20):
        assert await asyncio.gather(*followers) == [[1], []]


async def test_a_cancelled_follower_leaves_nothing_behind(store: Store, put: Putter) -> None:
    source = Source(store, put)
    stream = source.feed.follow(0)
    waiting = asyncio.create_task(take(stream, 1))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    source.write(1)
    async with aclosing(source.feed.follow(0)) as again:
        assert await take(again, 1) == [1]


async def test_a_loop_that_ended_does_not_stop_publishing(
    store: Store, put: Putter, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source(store, put)

    def other_loop() -> None:
        loop = asyncio.new_event_loop()
        stream = source.feed.follow(0)
        waiting = loop.create_task(take(stream, 1))
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()
        waiting._log_destroy_pending = False
        kept.append((waiting, stream))

    kept: list[object] = []
    await asyncio.to_thread(other_loop)
    source.write(1)
    assert "1 followers were gone" in caplog.text
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 1) == [1]


async def test_many_followers_of_a_busy_committer_miss_nothing(store: Store, put: Putter) -> None:
    """Fast and slow ones, through the committer's thread, with a ring that is too short."""
    feed = Feed(store, ring_records=50)
    committer = Committer(store, feed.publish)

    async def follow(pause: int) -> list[int]:
        seen: list[int] = []
        async with aclosing(feed.follow(0)) as stream:
            async for record in stream:
                seen.append(revision_of(record))
                if pause and len(seen) % pause == 0:
                    await asyncio.sleep(0.001)
                if len(seen) == 1000:
                    break
        return seen

    followers = [asyncio.create_task(follow(pause)) for pause in (0, 0, 3, 10, 50)]

    async def write(start: int) -> None:
        for number in range(start, start + 50):
            await committer.submit(lambda reader, n=number: put(str(n)))

    async with asyncio.timeout(20):
        await asyncio.gather(*(write(n * 50) for n in range(20)))
        for seen in await asyncio.gather(*followers):
            assert seen == list(range(1, 1001))
    await committer.close()


async def test_a_follower_holds_no_more_than_a_step_of_large_changes(
    store: Store, put: Putter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callscreen.core.feed.STEP_BYTES", 10)
    source = Source(store, put)
    source.write(20)
    taken = source.feed._from_ring(0)
    assert taken is not None
    assert sum(len(record) for _, record in taken[:-1]) < 10 <= sum(len(r) for _, r in taken)
    async with aclosing(source.feed.follow(0)) as stream:
        assert await take(stream, 20) == list(range(1, 21))
