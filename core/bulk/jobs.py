"""The jobs of a core: what waits, what runs, and what is kept of those that ended.

Invariants:
1. Imports run one after another, in the order in which they came; so do exports, beside them.
2. A job is taken only once it is durable; at a start all that had not ended go on.
3. At most JOBS_WAITING jobs of a core have not ended, JOBS_WAITING_EACH of them one tenant's.
4. A job and its files are removed together, once they are too old or too many newer ones of their
   tenant are kept (past.py); files of no job at a start.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from ...schema import PRODUCTS
from ...v1.bulk_pb2 import ENDED, JobRecord
from ...v1.jobs_pb2 import CANCELLED, Job
from ...v1.object_pb2 import Object
from ..access import service
from ..commands.context import Core
from ..commands.draft import Draft
from ..commands.names import PLATFORM_SETTINGS
from ..errors import CallscreenError, TooMuch
from ..origin import Origin, origin
from ..store.contract import Key, Reader
from .exporting import Export
from .importing import Import
from .keeping import Kept, put_record
from .limits import CANCEL_SECONDS, JOBS_WAITING, JOBS_WAITING_EACH, RETENTION_DAYS
from .past import Past, Tenant, tenant_of
from .records import EXPORT, ID, IMPORT, Files, every, id_of, job_key
from .states import NAMES, has_ended

DAY: Final = 86_400  # seconds
FULL: Final = "Too many jobs wait already: try again later."

log = logging.getLogger("callscreen.core")


class Jobs:
    """Runs jobs on the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: dict[str, asyncio.Queue[Kept]] = {}
        self._live: dict[str, Kept] = {}  # that have not ended, by name
        self._lanes: list[asyncio.Task[None]] = []
        self._coming: list[Tenant] = []  # whose files are on their way
        self._past = Past()
        self.ended: Counter[tuple[str, str]] = Counter()  # since the start, by kind and state

    def open(self) -> Counter[tuple[str, str]]:
        """Jobs that have not ended, by kind and state."""
        jobs = [kept.job for kept in self._live.copy().values()]
        return Counter((job.kind, NAMES[job.state]) for job in jobs if not has_ended(job))

    def files(self, job: Job) -> Files:
        return Files(self.folder, id_of(job))

    async def start(self, core: Core) -> None:
        """Takes up what had not ended. Raises OSError."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._waiting = {IMPORT: asyncio.Queue(), EXPORT: asyncio.Queue()}
        with core.store.read() as reader:
            records = [record for product in PRODUCTS for _, record in every(reader, product)]
        known = {id_of(record.job) for record in records}
        for path in self.folder.iterdir():
            if ID.fullmatch(path.name) and path.name not in known:
                Files(self.folder, path.name).remove()
        for record in sorted(records, key=lambda each: id_of(each.job)):
            if record.phase != ENDED:
                self._enter(core, record)
        for record in sorted(records, key=lambda each: each.job.ended.ToNanoseconds()):
            if record.phase == ENDED:
                self._past.add(record, self.files(record.job).size())
        self._lanes = [
            asyncio.create_task(self._run(core, lane), name=lane) for lane in self._waiting
        ]

    async def close(self) -> None:
        """Stops at once; what had not ended goes on at the next start."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)

    @contextmanager
    def place(self, job: Job) -> Iterator[None]:
        """Holds a job's place while its file comes. Raises TooMuch where there is none."""
        tenant = tenant_of(job)
        held = [tenant_of(kept.job) for kept in self._live.values()] + self._coming
        if len(held) >= JOBS_WAITING or held.count(tenant) >= JOBS_WAITING_EACH:
            raise TooMuch(FULL)
        self._coming.append(tenant)
        try:
            yield
        finally:
            self._coming.remove(tenant)

    async def add(self, core: Core, record: JobRecord) -> Job:
        """Takes a job once it is durable, and says what it is; one that is not keeps no files.

        A caller that goes away meanwhile changes nothing. Raises CallscreenError.
        """
        return await asyncio.shield(self._add(core, record))

    async def _add(self, core: Core, record: JobRecord) -> Job:
        try:
            kept = Kept(core, record)
            await core.write(kept.caller, lambda draft: put_record(draft, record))
        except Exception:
            self.files(record.job).remove()
            raise
        return self._enter(core, record)

    def live(self, name: str) -> JobRecord | None:
        """A job that has not ended, as far as it has come."""
        kept = self._live.get(name)
        return None if kept is None else kept.record

    async def cancel(self, core: Core, name: str) -> None:
        """Asks a job to end, and waits a moment for it."""
        kept = self._live.get(name)
        if kept is None:
            return
        kept.record.cancelled = True
        if not kept.begun:
            kept.begun = True
            await kept.insisted(lambda: kept.move(ENDED, CANCELLED))
            self.files(kept.job).input.unlink(missing_ok=True)
            self._live.pop(name, None)
            await self._keep(core, kept.record)
            return
        await kept.ask_to_end()
        with suppress(TimeoutError):
            await asyncio.wait_for(kept.ended.wait(), CANCEL_SECONDS)

    def _enter(self, core: Core, record: JobRecord) -> Job:
        kept = Kept(core, record)
        self._live[record.job.name] = kept
        self._waiting[record.job.kind].put_nowait(kept)
        job = Job()
        job.CopyFrom(record.job)
        return job

    async def _run(self, core: Core, lane: str) -> None:
        while True:
            kept = await self._waiting[lane].get()
            if kept.begun:
                continue
            kept.begun = True
            with origin(_origin(kept, core.clock())):
                try:
                    work = (Import if lane == IMPORT else Export)(core, self.files(kept.job), kept)
                    await work.run()
                except Exception:
                    log.exception("job %s stopped", kept.job.name)
            del self._live[kept.job.name]
            kept.ended.set()
            log.info("job %s ended rows=%d", kept.job.name, kept.job.rows_done)
            await self._keep(core, kept.record)

    async def _keep(self, core: Core, record: JobRecord) -> None:
        """Keeps a job that has ended; older ones give way."""
        if record.phase == ENDED:  # not one that stopped half-way: it goes on at the next start
            self._past.add(record, await asyncio.to_thread(self.files(record.job).size))
            try:
                await self._remove(core, [*self._past.beyond(record.job)], "newer ones are kept")
            except CallscreenError as error:
                log.warning("jobs that are too many stay: %s", error)

    async def sweep(self, core: Core) -> None:
        """Removes what is too old."""
        for product in PRODUCTS:
            with core.store.read() as reader:
                oldest = core.clock() - retention_days(reader, product) * DAY
                old = [record for _, record in every(reader, product) if _is_old(record, oldest)]
            await self._remove(core, old, "it is too old")

    async def _remove(self, core: Core, old: Sequence[JobRecord], why: str) -> None:
        for record in old:
            await core.write(service(), partial(_forget, job_key(record.job.name)))
            await asyncio.to_thread(self.files(record.job).remove)
            self._past.drop(record.job)
            log.info("job %s is removed: %s", record.job.name, why)


def retention_days(reader: Reader, product: str) -> int:
    """How long the files of a product's jobs are kept."""
    value = reader.get(Key(product, "settings", PLATFORM_SETTINGS))
    if value is None:
        return RETENTION_DAYS
    settings = Object.FromString(value).settings
    if not settings.cin_settings.HasField("csv_retention_days"):
        return RETENTION_DAYS
    return settings.cin_settings.csv_retention_days


def _forget(key: Key, draft: Draft) -> None:
    draft.remove_raw(key)


def _is_old(record: JobRecord, oldest: float) -> bool:
    return has_ended(record.job) and record.job.ended.ToNanoseconds() < oldest * 1e9


def _origin(kept: Kept, now: float) -> Origin:
    job = kept.job
    return Origin(job.request_id, job.source_ip, job.kind, id_of(job), now)


__all__ = ["Jobs", "retention_days"]
