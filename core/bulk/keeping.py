"""A job's record while it runs: what is stored of it, and what others are shown.

Invariants:
1. What is shown is never ahead of what is stored, save for how far the work at hand has come.
2. Who asks for a job's end is heard at its next step, and after a restart as well.
3. A job never does more than its actor may by now (standing.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...v1.bulk_pb2 import ENDED, JobRecord
from ...v1.jobs_pb2 import Job
from ..access import Principal, principal, service
from ..commands.context import Core
from ..commands.draft import Draft
from ..errors import CallscreenError, TooMuch
from .limits import RETRY_SECONDS
from .records import job_key, product_of
from .standing import by_now
from .states import NAMES, Phase, State, move

T = TypeVar("T")

log = logging.getLogger("callscreen.core")


class Cancelled(Exception):
    """Somebody asked the job to end."""


class Kept:
    """The record of one running job."""

    def __init__(self, core: Core, record: JobRecord) -> None:
        """ValueError where the job's actor has a role that is none."""
        self.record = record
        self.core = core
        self._actor = caller_of(record)
        self.begun = False  # somebody runs it, or has ended it before anybody did
        self.ended = asyncio.Event()  # nobody works on it any more
        self._writing = asyncio.Lock()

    @property
    def job(self) -> Job:
        """What others are shown. Not to be held: a write puts another in its place."""
        return self.record.job

    @property
    def caller(self) -> Principal:
        """Who it works for, with the rights that are left of those that it began with."""
        with self.core.store.read() as reader:
            return by_now(reader, self._actor, self.job.created.ToNanoseconds())

    async def write(self, work: Callable[[Draft, JobRecord], T], dear: bool = False) -> T:
        """One transaction: what work does, and the record as work leaves it.

        Raises what work raises, CallscreenError.
        """
        made: list[JobRecord] = []

        def whole(draft: Draft) -> T:
            record = JobRecord()
            record.CopyFrom(self.record)
            result = work(draft, record)
            put_record(draft, record)
            made[:] = [record]
            return result

        async with self._writing:
            result = await self.core.write(self.caller, whole, dear)
            cancelled = self.record.cancelled
            self.record.CopyFrom(made[0])
            self.record.cancelled |= cancelled
        return result

    async def move(self, phase: Phase, state: State) -> None:
        """Another phase, stored. A phase that it is in already stays."""

        def work(draft: Draft, record: JobRecord) -> None:
            if record.phase != phase:
                move(record, phase, state, draft.now)

        before = self.job.state
        await self.write(work)
        if self.job.state != before:
            log.info("job %s is %s", self.job.name, NAMES[state])
            if phase == ENDED:
                self.core.jobs.ended[self.job.kind, NAMES[state]] += 1

    async def ask_to_end(self) -> None:
        """Stores that somebody asks for the end; whoever runs the job may write on meanwhile.

        Raises CallscreenError.
        """
        self.record.cancelled = True
        async with self._writing:  # nothing is taken over: the record at hand may be ahead by then
            await self.core.write(self.caller, lambda draft: put_record(draft, self.record))

    def check_cancelled(self) -> None:
        """Raises Cancelled."""
        if self.record.cancelled:
            raise Cancelled

    async def retried(self, work: Callable[[], Awaitable[T]]) -> T:
        """Tries again while too many write at once; raises what else work raises."""
        while True:
            try:
                return await work()
            except TooMuch as error:
                if type(error) is not TooMuch or str(error) != TooMuch.default:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def insisted(self, work: Callable[[], Awaitable[T]]) -> T:
        """Tries until the store takes it: a job that has to end must end."""
        while True:
            try:
                return await work()
            except CallscreenError as error:
                log.warning("job %s waits for the store: %s", self.job.name, error)
                await asyncio.sleep(RETRY_SECONDS)


def caller_of(record: JobRecord) -> Principal:
    """Who a job works for. Raises ValueError for a role that is none."""
    job = record.job
    if not job.role_id:
        return service(job.actor)
    return principal(product_of(job), job.actor, job.role_id, tuple(job.permissions))


def put_record(draft: Draft, record: JobRecord) -> None:
    """Stores a job's record with whatever else the draft holds."""
    draft.put_raw(job_key(record.job.name), record.SerializeToString(deterministic=True))


__all__ = ["Cancelled", "Kept", "caller_of", "put_record"]
