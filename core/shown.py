"""What the core shows to operators: its metrics, and whether it can do its work.

Invariants:
1. Values are read when they are asked for, on the asker's thread, each in a look-up or a few: what
   it costs does not grow with the data.
2. A label is a word of the code: a method, a code, a type, a rule.
"""

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Final

from ..ops import Add, Instruments
from ..schema import PRODUCTS, TYPES
from .commands.context import Core
from .families import BACKGROUND, CALLS, STORED, WRITING
from .mail import Outcome
from .private import ASKED, LETTERS
from .services.observed import Calls

# What a log-in came to, by the code of its call; any other code is a fault, counted among calls.
LOGINS: Final = {
    "OK": "accepted",
    "UNAUTHENTICATED": "refused",
    "RESOURCE_EXHAUSTED": "limited",
}
AUTHENTICATE: Final = "Authentication/Authenticate"
WATCHING: Final = ("Replication/Watch", "Replication/Follow")
KINDS: Final = ("import", "export")  # of jobs, and their states
OPEN: Final = ("queued", "running")
ENDED: Final = ("done", "failed", "cancelled")
ARCHIVED: Final = "archive:"  # before a type: what is stored of it in the archive


class Shown:
    """A core's metrics as Prometheus reads them, and its readiness."""

    def __init__(self, core: Core, calls: Calls, data: Path) -> None:
        self._core = core
        self._calls = calls
        self._data = data

    def declare(self, instruments: Instruments) -> None:
        """Puts it all among the part's instruments."""
        instruments.declare(CALLS, self.calls)
        instruments.declare(WRITING, self.writing)
        instruments.declare(STORED, self.stored)
        instruments.declare(BACKGROUND, self.background)
        instruments.health.check(self.ready)

    def calls(self, add: Add) -> None:
        """Of CALLS."""
        calls, core = self._calls, self._core
        ended = calls.ended.copy()
        for (method, code), count in ended.items():
            add("callscreen_core_calls_total", count, method, code)
        for method, seconds in calls.seconds.items():
            if seconds.count or calls.open[method]:  # the others say nothing, at some length
                add("callscreen_core_call_duration_seconds", seconds, method)
                add("callscreen_core_calls_open", calls.open[method], method)
        add("callscreen_core_watchers", sum(calls.open[method] for method in WATCHING))
        for (product, treatment, rule), count in core.engine.verdicts.copy().items():
            add("callscreen_core_verdicts_total", count, product or "none", treatment, rule)
        for code, result in LOGINS.items():
            add("callscreen_core_logins_total", ended[AUTHENTICATE, code], result)
        add("callscreen_core_password_hashes_waiting", len(core.passwords))
        add("callscreen_core_lists_waiting", len(core.readers))

    def writing(self, add: Add) -> None:
        """Of WRITING."""
        core = self._core
        for store, groups in (("objects", core.committer.groups), ("records", core.recorder)):
            add("callscreen_core_commit_queue_depth", len(groups), store)
            add("callscreen_core_commit_group_size", groups.sizes, store)
            add("callscreen_core_commit_duration_seconds", groups.seconds, store)
        revision = core.store.revision
        add("callscreen_core_revision", revision)
        add("callscreen_core_index_revision", core.engine.revision)
        add("callscreen_core_log_records", max(0, revision + 1 - core.store.oldest()))

    def stored(self, add: Add) -> None:
        """Of STORED."""
        core = self._core
        for name, store in (("objects", core.store), ("records", core.records)):
            usage = store.usage()
            add("callscreen_core_store_bytes", usage.octets, name)
            add("callscreen_core_store_map_bytes", usage.map_octets, name)
            add("callscreen_core_store_limit_bytes", usage.limit_octets, name)
            add("callscreen_core_store_refusing", usage.refusing, name)
            add("callscreen_core_oldest_reader_seconds", store.oldest_reader_age(), name)
        disk = os.statvfs(self._data)
        add("callscreen_core_disk_free_bytes", disk.f_bavail * disk.f_frsize)
        for (product, kind), count in self._objects().items():
            add("callscreen_core_objects", count, product, kind)
        for product in PRODUCTS:
            add("callscreen_core_records", core.records.count(product), product)

    def background(self, add: Add) -> None:
        """Of BACKGROUND."""
        core = self._core
        add("callscreen_core_records_appended_total", core.recorder.appended)
        rows, open_ = core.committer.audit_rows(), core.jobs.open()
        for product in PRODUCTS:
            add("callscreen_core_audit_rows_total", rows[product], product)
        for kind in KINDS:
            for state in OPEN:
                add("callscreen_core_jobs", open_[kind, state], kind, state)
            for state in ENDED:
                ended = core.jobs.ended[kind, state]
                add("callscreen_core_jobs_ended_total", ended, kind, state)
        add("callscreen_core_mails_waiting", self._mails())
        for outcome in Outcome:
            add("callscreen_core_mails_total", core.mail.outcomes[outcome], outcome)

    def _mails(self) -> int:
        with self._core.store.read() as reader:
            return sum(1 for kind in (ASKED, LETTERS) for _ in reader.scan_private(kind))

    def _objects(self) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        with self._core.store.read() as reader:
            for product in PRODUCTS:
                for kind in TYPES:
                    found[product, kind] = reader.count(product, kind)
                    found[product, ARCHIVED + kind] = reader.count(product, ARCHIVED + kind)
        return +found

    async def ready(self) -> str:
        """Why nothing can be changed here; empty where it can."""
        return await asyncio.to_thread(self._why_not)

    def _why_not(self) -> str:
        core = self._core
        for name, store, groups in (
            ("objects", core.store, core.committer.groups),
            ("records", core.records, core.recorder),
        ):
            if store.usage().refusing:
                return f"{name} takes no writes"
            if not groups.working:
                return f"nothing is written to {name} any more"
        return ""


__all__ = ["Shown"]
