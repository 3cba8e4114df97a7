"""Blocks of call records that wait: in memory, on disk once that is needed, and under way.

Invariants
1. Blocks are given in the order in which they came, but where the disk fails: what then waits in
   memory goes in front of what is on disk.
2. While anything is on disk, what comes follows it there. A block is on disk until it is settled,
   with the others of its segment.
3. What is under way is settled or put back; nothing is lost in between.
4. A disk that fails is told once, until it works again; `failing` says so meanwhile, for as long as
   anything waits.
"""

import asyncio
import logging
from collections import deque

from .entries import Block, halves, readable
from .spool import Spool

__all__ = ["BATCH_LIMIT", "BATCH_OCTETS", "Waiting"]

log = logging.getLogger("callscreen.edge")

BATCH_LIMIT = 1_000  # records: as many as the core takes at once
BATCH_OCTETS = 2 * 1024 * 1024  # of a batch of more than one block
RETRY_SECONDS = 2.0  # until a disk that failed is read again


class Waiting:
    """A queue of blocks; false where none of them is in memory."""

    def __init__(self, memory: int, spool: Spool | None) -> None:
        """`memory` is in octets."""
        self._memory = memory
        self._spool = spool
        self._queue: deque[Block] = deque()
        self._octets = 0  # of the queue's blocks that are in memory alone
        self._apart = 0  # blocks at the front of the queue that go alone, after a refusal
        self._oldest = 0  # records of the spool's oldest segment that are not settled yet
        self.failing = False  # what waits is not kept on disk as it should be
        self.under_way: list[Block] = []
        self.away = False  # the core is gone: what comes goes to disk
        self.records = spool.records if spool is not None else 0

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def spooled(self) -> int:
        """Octets on disk."""
        return self._spool.octets if self._spool is not None else 0

    @property
    def full(self) -> bool:
        """Whether the next batch need not wait for more."""
        return self._apart > 0 or self.records >= BATCH_LIMIT

    def put(self, block: Block) -> bool:
        """Whether there was room."""
        spool = self._spool
        full = self._octets + len(block.entries) > self._memory
        done = False
        if spool is not None and (self.away or full or spool.records):
            try:
                done = (bool(spool.records) or self._spilled(spool)) and spool.append(block)
                self._disk_works()
                full = True  # there is no other place
            except OSError as error:
                self._disk_failed(error)
        if not done and not full:
            self._queue.append(block)
            self._octets += len(block.entries)
            done = True
        self.records += done * block.records
        return done

    def spill(self) -> None:
        """The core is gone: what is in memory goes to disk, where nothing is there yet.

        After a disk has failed it goes there in any case: better safe than in order.
        """
        self.away = True
        spool = self._spool
        if spool is None or not self._octets or (spool.records and not self.failing):
            return
        if self.failing:
            self._queue = deque(sorted(self._queue, key=lambda block: block.spooled))
        try:
            if self._spilled(spool):
                self._disk_works()
        except OSError as error:
            self._disk_failed(error)

    def _spilled(self, spool: Spool) -> bool:
        """Moves what is in memory alone to the disk; whether there was room. Raises OSError."""
        while self._queue and not self._queue[0].spooled:
            block = self._queue[0]
            if not spool.append(block):
                return False
            self._queue.popleft()
            self._octets -= len(block.entries)
            self._apart = 0  # what is refused is found again
        return True

    async def fill(self) -> int:
        """Takes up the oldest segment where nothing is in memory; records lost to damage."""
        spool = self._spool
        if self._queue or self.under_way or spool is None or not spool.records:
            return 0
        try:
            segment = spool.oldest()
            if segment is None:
                return 0
            blocks = await asyncio.to_thread(spool.read, segment)
        except OSError as error:
            self._disk_failed(error)
            await asyncio.sleep(RETRY_SECONDS)
            return 0
        self._queue.extendleft(reversed(blocks))
        self._oldest = sum(block.records for block in blocks)
        lost = segment.records - self._oldest
        self.records -= lost
        if not self._oldest:
            self._drop(spool)
        return lost

    def take(self) -> list[Block]:
        """The next batch, which is under way from now on."""
        count = octets = 0
        while self._queue:
            block = self._queue[0]
            count, octets = count + block.records, octets + len(block.entries)
            if self.under_way and (count > BATCH_LIMIT or octets > BATCH_OCTETS):
                break
            self.under_way.append(self._queue.popleft())
            if not block.spooled:
                self._octets -= len(block.entries)
            if self._apart:
                break
        return self.under_way

    def put_back(self) -> None:
        """What was under way is next again."""
        self._octets += sum(len(block.entries) for block in self.under_way if not block.spooled)
        self._queue.extendleft(reversed(self.under_way))
        self.under_way = []

    def settle(self) -> int:
        """Lets go of what was under way; the records of it."""
        count = sum(block.records for block in self.under_way)
        spooled = sum(block.records for block in self.under_way if block.spooled)
        self.under_way = []
        self._apart = max(0, self._apart - 1)
        self.records -= count
        self._oldest -= spooled
        if spooled and not self._oldest and self._spool is not None:
            self._drop(self._spool)
        if not self.records:
            self.failing = False
        return count

    def unreadable(self) -> bool:
        """Whether what is under way makes no message, by a fault of ours or of the disk."""
        return not all(readable(block) for block in self.under_way)

    def divide(self) -> bool:
        """What was refused is next again, in smaller parts; False where it is one already."""
        parts = self.under_way
        if len(parts) == 1:
            if parts[0].records == 1:
                return False
            try:
                parts = halves(parts[0])
            except ValueError:
                log.exception("call records are no entries")
                return False
        self.under_way = parts
        self._apart = max(1, self._apart) + len(parts) - 1
        self.put_back()
        return True

    async def sync(self) -> None:
        """What is on disk outlasts a loss of power."""
        if self._spool is not None:
            try:
                await asyncio.to_thread(self._spool.sync)
            except OSError as error:
                self._disk_failed(error)

    def leave(self) -> int:
        """Ends the use of the spool; how many records could not be kept in it."""
        self.put_back()
        if self._spool is not None:
            self._queue = deque(block for block in self._queue if not block.spooled)
            try:
                self._spilled(self._spool)
                self._spool.close()
            except OSError as error:
                self._disk_failed(error)
        lost = sum(block.records for block in self._queue)
        self._queue.clear()
        self.records -= lost
        return lost

    def _drop(self, spool: Spool) -> None:
        """The oldest segment is done with."""
        try:
            spool.drop()
        except OSError as error:
            self._disk_failed(error)

    def _disk_failed(self, error: OSError) -> None:
        if not self.failing:
            self.failing = True
            log.error("call records cannot be kept on disk: %s", error)

    def _disk_works(self) -> None:
        if self.failing:
            self.failing = False
            log.info("call records are kept on disk again")
