"""Writes that wait together are committed together, published in order, and answered after."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from callscreen.core.committer import Committer, Grouper
from callscreen.core.errors import TooMuch, Unavailable
from callscreen.core.store.contract import Batch, Conflict, Last, Member, Reader, Store
from callscreen.core.store.memory import MemoryStore
from callscreen.core.store.records import Arrived, RecordStore
from callscreen.fastpath.rows_types import ID_BYTES, ROW

Putter = Callable[..., Batch]


class SlowStore(MemoryStore):
    """Notes the size of each group; a group waits until `go` is set, as if for a slow disk."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []
        self.begun = threading.Event()
        self.go = threading.Event()

    def transact(self, group: Sequence[Member], last: Last | None = None) -> list[int | Exception]:
        self.groups.append(len(group))
        self.begun.set()
        assert self.go.wait(10)
        return super().transact(group, last)


@pytest.fixture
async def slow() -> AsyncIterator[tuple[SlowStore, Committer, list[tuple[int, bytes]]]]:
    store, published = SlowStore(), []
    committer = Committer(store, published.extend, queue_limit=50, group_limit=20)
    yield store, committer, published
    store.go.set()
    await committer.close()


Slow = tuple[SlowStore, Committer, list[tuple[int, bytes]]]


async def begun(store: SlowStore) -> None:
    assert await asyncio.to_thread(store.begun.wait, 10)


async def test_every_submitter_gets_its_own_revision(store: Store, put: Putter) -> None:
    published: list[tuple[int, bytes]] = []
    committer = Committer(store, published.extend)
    revisions = await asyncio.gather(
        *(committer.submit(lambda reader, n=n: put(str(n))) for n in range(500))
    )
    await committer.close()
    assert revisions == list(range(1, 501))
    assert published == store.tail(0)


async def test_what_waits_while_a_group_is_written_goes_together(slow: Slow, put: Putter) -> None:
    store, committer, published = slow
    first = asyncio.create_task(committer.submit(lambda reader: put("first")))
    await begun(store)
    rest = [
        asyncio.create_task(committer.submit(lambda reader, n=n: put(str(n)))) for n in range(30)
    ]
    await asyncio.sleep(0)
    assert published == []
    assert not first.done()
    store.go.set()
    await asyncio.gather(first, *rest)
    assert store.groups == [1, 20, 10]
    assert [revision for revision, _ in published] == list(range(1, 32))


async def test_an_error_goes_to_its_submitter_alone(store: Store, put: Putter) -> None:
    def refuse(reader: Reader) -> Batch:
        raise Conflict("mine")

    def stop(reader: Reader) -> Batch:
        return next(iter(()))

    published: list[tuple[int, bytes]] = []
    committer = Committer(store, published.extend)
    members = [lambda reader: put("a"), refuse, stop, lambda reader: None, lambda reader: put("b")]
    one, two, three, four, five = await asyncio.gather(
        *(committer.submit(member) for member in members), return_exceptions=True
    )
    await committer.close()
    assert (one, four, five) == (1, 1, 2)
    assert isinstance(two, Conflict)
    assert isinstance(three, RuntimeError)
    assert published == [(1, b"1:a"), (2, b"2:b")]


async def test_publishing_is_over_before_the_submitter_is_answered(put: Putter) -> None:
    order: list[str] = []
    committer = Committer(MemoryStore(), lambda changes: order.append("published"))
    await committer.submit(lambda reader: put("a"))
    order.append("answered")
    await committer.close()
    assert order == ["published", "answered"]


async def test_a_write_cancelled_before_its_group_is_left_out(slow: Slow, put: Putter) -> None:
    store, committer, _ = slow
    first = asyncio.create_task(committer.submit(lambda reader: put("first")))
    await begun(store)
    second = asyncio.create_task(committer.submit(lambda reader: put("second")))
    third = asyncio.create_task(committer.submit(lambda reader: put("third")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.sleep(0)
    store.go.set()
    assert (await first, await third) == (1, 2)
    with pytest.raises(asyncio.CancelledError):
        await second
    assert store.tail(0) == [(1, b"1:first"), (2, b"2:third")]


async def test_a_write_cancelled_in_its_group_is_made_whole(slow: Slow, put: Putter) -> None:
    store, committer, published = slow
    first = asyncio.create_task(committer.submit(lambda reader: put("first")))
    await begun(store)
    first.cancel()
    await asyncio.sleep(0)
    store.go.set()
    assert await committer.submit(lambda reader: put("second")) == 2
    assert first.cancelled()
    assert published == [(1, b"1:first"), (2, b"2:second")]


async def test_a_full_queue_refuses_at_once(slow: Slow, put: Putter) -> None:
    store, committer, _ = slow
    first = asyncio.create_task(committer.submit(lambda reader: put("first")))
    await begun(store)
    rest = [asyncio.create_task(committer.submit(lambda reader: None)) for _ in range(50)]
    await asyncio.sleep(0)
    with pytest.raises(TooMuch):
        await committer.submit(lambda reader: None)
    store.go.set()
    assert await first == 1
    assert await asyncio.gather(*rest) == [1] * 50


async def test_closing_commits_what_waits_and_takes_nothing_more(slow: Slow, put: Putter) -> None:
    store, committer, published = slow
    tasks = [
        asyncio.create_task(committer.submit(lambda reader, n=n: put(str(n)))) for n in range(40)
    ]
    await begun(store)
    closing = asyncio.create_task(committer.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await committer.submit(lambda reader: put("late"))
    store.go.set()
    await closing
    assert await asyncio.gather(*tasks) == list(range(1, 41))
    assert len(published) == 40
    await committer.close()


async def test_a_publisher_that_fails_stops_nobody(
    put: Putter, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(changes: object) -> None:
        raise LookupError("no publisher")

    committer = Committer(MemoryStore(), fail)
    assert await committer.submit(lambda reader: put("a")) == 1
    assert await committer.submit(lambda reader: put("b")) == 2
    await committer.close()
    assert "publishing revisions up to 1 failed" in caplog.text


async def test_a_store_that_is_closed_answers_every_submitter(
    put: Putter, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    committer = Committer(store, lambda changes: None)
    store.close()
    results = await asyncio.gather(
        *(committer.submit(lambda reader: put("a")) for _ in range(3)), return_exceptions=True
    )
    await committer.close()
    assert [type(result) for result in results] == [Unavailable] * 3
    assert "a group of" in caplog.text


def test_a_loop_that_ended_does_not_stop_the_thread(put: Putter) -> None:
    """A submitter may be gone with its event loop; the next one is served."""
    store = SlowStore()
    made: list[Committer] = []

    async def leave() -> None:
        made.append(Committer(store, lambda changes: None))
        task = asyncio.create_task(made[0].submit(lambda reader: put("a")))
        await begun(store)
        task.cancel()

    async def come() -> int:
        store.go.set()
        revision = await made[0].submit(lambda reader: put("b"))
        await made[0].close()
        return revision

    asyncio.run(leave())
    assert asyncio.run(come()) == 2


async def test_call_records_that_wait_share_a_transaction(records: RecordStore) -> None:
    groups: list[int] = []

    def append(group: Sequence[Sequence[Arrived]]) -> list[int | Exception]:
        groups.append(len(group))
        return records.append_group(group)

    def row(id: int) -> bytes:
        return id.to_bytes(ID_BYTES, "big").ljust(ROW, b"\0")

    grouper = Grouper[Sequence[Arrived], int]("records", append)
    batches = [[Arrived("pcs", row(n) + row(100), b"")] for n in range(100)]
    added = await asyncio.gather(*(grouper.submit(batch) for batch in batches))
    await grouper.close()
    assert (added[0], sum(added), records.count("pcs")) == (2, 101, 101)
    assert sum(groups) == 100
    assert len(groups) < 100


async def test_dear_writes_do_not_hold_up_each_other_s_answers(put: Putter) -> None:
    """Those that no longer fit a group's time are the first of the next, in their order."""
    store, published = SlowStore(), list[tuple[int, bytes]]()
    committer = Committer(store, published.extend, group_seconds=0.03)

    def dear(number: int) -> Member:
        def member(reader: Reader) -> Batch:
            time.sleep(0.02)
            return put(str(number))

        return member

    tasks = [asyncio.create_task(committer.submit(dear(number))) for number in range(9)]
    await begun(store)
    store.go.set()
    assert await asyncio.gather(*tasks) == list(range(1, 10))
    assert published == [(n + 1, f"{n + 1}:{n}".encode()) for n in range(9)]
    assert store.tail(0) == published
    assert len(store.groups) >= 5
    await committer.close()


async def test_a_group_whose_time_is_over_still_does_one(put: Putter) -> None:
    committer = Committer(MemoryStore(), lambda changes: None, group_seconds=0.0)
    tasks = [committer.submit(lambda reader, n=n: put(str(n))) for n in range(20)]
    assert await asyncio.gather(*tasks) == list(range(1, 21))
    await committer.close()


async def test_what_waits_is_answered_before_a_dear_write_begins(put: Putter) -> None:
    store, published = SlowStore(), list[tuple[int, bytes]]()
    committer = Committer(store, published.extend)
    first = asyncio.create_task(committer.submit(lambda reader: put("first")))
    await begun(store)
    seen: list[tuple[int, int]] = []  # by each dear write: its place, and what was published

    def dear(number: int) -> Member:
        def member(reader: Reader) -> Batch:
            seen.append((number, len(published)))
            return put(str(number))

        return member

    kinds = (False, False, True, False, True, True)
    tasks = [
        asyncio.create_task(
            committer.submit(dear(n) if is_dear else lambda reader, n=n: put(str(n)), is_dear)
        )
        for n, is_dear in enumerate(kinds)
    ]
    await asyncio.sleep(0)
    store.go.set()
    assert await asyncio.gather(first, *tasks) == list(range(1, 8))
    assert seen == [(2, 3), (4, 5), (5, 6)]
    assert store.groups == [1, 2, 2, 1, 1]
    assert store.tail(0) == published
    await committer.close()
