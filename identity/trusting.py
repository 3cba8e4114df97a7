"""Trust that is fetched: the STI-PA's list, its CRL and roots by URL, kept fresh and on disk.

Invariants
1. One fetch a URL at a time; none waits for another, and none that fails keeps another away.
2. What was fetched outlives a restart, and is fetched again at its age, not at the start.
3. The event loop never waits for who reads a list.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

from .beliefs import MOST, Beliefs, Snapshot, Sources
from .documents import Document, Documents
from .fetching import Fetcher
from .revocation import Revocations
from .trust import Trust, TrustList

__all__ = ["ADDRESSES_MOST", "FETCH_SECONDS", "Snapshot", "Sources", "Trusts"]

ADDRESSES_MOST = 64  # roots that a rule names by URL
FETCH_SECONDS = 3_600.0  # between two fetches of a list that came
RETRY_SECONDS = 60.0  # after one that did not
UNUSED_SECONDS = 7 * 86_400.0  # after which roots that no rule names any more are let go


class Trusts:
    """`trust` and `known` may be called from any thread and never wait, `look` from any that may;
    the rest lives on one event loop."""

    def __init__(
        self, sources: Sources, fetcher: Fetcher, cache: Path | None, clock: Callable[[], float]
    ) -> None:
        self._sources = sources
        self._fetcher = fetcher
        self._documents = Documents(cache)
        self._clock = clock
        self._beliefs = Beliefs(sources, clock, cache)
        self._signers = 0  # how often they had changed when the lists were last wanted
        self._nobody = Trust(name="nobody")
        self._used: dict[str, float] = {}  # URL of roots that is asked for: when it last was
        self._due: dict[str, float] = {}  # URL: when it is fetched next
        self._running: dict[str, asyncio.Task[None]] = {}
        self.look()
        self._signers = self._beliefs.signers_changed
        self._restore()

    @property
    def snapshot(self) -> Snapshot:
        return self._beliefs.snapshot

    @property
    def trust_list(self) -> TrustList | None:
        """The trust list in use, ended or not."""
        return self._beliefs.trust_list

    @property
    def revocations(self) -> Revocations | None:
        """The CRL in use, ended or not."""
        return self._beliefs.revocations

    @property
    def failing(self) -> int:
        """Sources whose last reading failed."""
        return len(self._beliefs.told)

    def trust(self, name: str) -> Trust:
        """What a name stands for now: "" all roots; a file's stem; the URL of roots."""
        held, now = self.snapshot, self._clock()
        if name in self._used:
            self._used[name] = now
        names = held.names if now < held.until else held.after
        return names.get(name, self._nobody)

    def known(self, name: str) -> bool:
        """False where roots of this URL were never fetched, and may be soon."""
        if not name.startswith("https://") or name in self.snapshot.names:
            return True
        if name in self._running:
            return False
        return self._clock() < self._due.get(name, 0.0) or len(self._used) >= ADDRESSES_MOST

    def look(self) -> None:
        """Takes files that changed."""
        self._beliefs.look()

    async def refresh(self) -> None:
        """`look`, and fetches what is due: none waits for another."""
        await asyncio.to_thread(self.look)
        if self._signers != self._beliefs.signers_changed:  # they may sign what others could not
            self._signers = self._beliefs.signers_changed
            for url in (self._sources.trust_list, self._sources.crl):
                self._due.pop(url, None)
        now = self._clock()
        for url, used in list(self._used.items()):
            if now - used >= UNUSED_SECONDS:
                await self._forget(url)
        wanted = [self._sources.trust_list, self._sources.crl, *self._used]
        due = [url for url in wanted if now >= self._due.get(url, 0.0)]
        await asyncio.gather(*(self.want(url) for url in due if url.startswith("https://")))

    async def want(self, url: str) -> None:
        """Fetches a list, the CRL or roots of a URL, once however many ask; what fails is told in
        the log."""
        if self._kind(url) == "roots" and url not in self._used:
            if len(self._used) >= ADDRESSES_MOST:
                return
            self._used[url] = self._clock()
        task = self._running.get(url)
        if task is None:
            task = self._running[url] = asyncio.ensure_future(self._fetch(url))
            task.add_done_callback(lambda _: self._running.pop(url, None))
        await asyncio.shield(task)

    async def close(self) -> None:
        """Ends the fetches that run."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fetch(self, url: str) -> None:
        kind = self._kind(url)
        self._due[url] = self._clock() + RETRY_SECONDS
        try:
            got = await self._fetcher.get(url, MOST[kind])
            found = Document(url, got.octets, self._clock())
            await asyncio.to_thread(self._beliefs.put, kind, url, got.octets)
        except Exception as error:  # whatever a stranger's octets bring about
            self._beliefs.tell(url, error)
            return
        self._beliefs.told.pop(url, None)
        self._due[url] = found.fetched + self._period(kind)
        try:
            await asyncio.to_thread(self._documents.write, kind, found)
            self._beliefs.told.pop("disk", None)
        except OSError as error:
            self._beliefs.tell("disk", error)

    async def _forget(self, url: str) -> None:
        for each in (self._used, self._due, self._beliefs.told):
            each.pop(url, None)
        await asyncio.to_thread(self._beliefs.forget, url)
        await asyncio.to_thread(self._documents.remove, "roots", url)

    def _kind(self, url: str) -> str:
        if url == self._sources.crl:
            return "crl"
        return "trust_list" if url == self._sources.trust_list else "roots"

    def _period(self, kind: str) -> float:
        crl = self.revocations
        if kind == "crl" and crl is not None:
            half = (crl.until - crl.since) / 2
            return max(RETRY_SECONDS, min(half, FETCH_SECONDS))
        return FETCH_SECONDS

    def _restore(self) -> None:
        """Takes what was fetched before a restart, where it still holds."""
        for url in (self._sources.trust_list, self._sources.crl):
            if url.startswith("https://"):
                self._beliefs.take(url, partial(self._restored, self._kind(url), url))
        for found in islice(self._documents.all("roots", MOST["roots"]), ADDRESSES_MOST):
            self._used[found.url] = self._clock()
            self._beliefs.take(found.url, partial(self._put_back, "roots", found))

    def _restored(self, kind: str, url: str) -> None:
        found = self._documents.read(kind, url, MOST[kind])
        if found is not None:
            self._put_back(kind, found)

    def _put_back(self, kind: str, found: Document) -> None:
        self._beliefs.put(kind, found.url, found.octets)
        self._due[found.url] = min(found.fetched, self._clock()) + self._period(kind)
