"""Certificates that x5u URLs name: fetched once, kept with their whole path, judged once a trust.

Invariants
1. An entry is replaced whole: what a reader took stays one path and what was judged of it.
2. What is judged holds for one Trust object alone, so a change of roots or CRL judges anew.
3. Strangers name URLs: there are at most URLS_MOST entries of OCTETS_MOST together, the least
   recently used goes; a host is asked HOST_FETCHES times a minute, those of one domain
   DOMAIN_FETCHES times, all FETCHES times.
4. One fetch a URL at a time. A host that fails is left alone for a while that doubles; an answer
   that is no certificate keeps only its own URL away, or a stranger could shut out any host.
5. A path is kept for KEEP_SECONDS at least, fetched again at half of its life while it is in use;
   the old one serves until the new one is there.
6. Where a token is refused by the path that is held, that is fetched anew first, once in
   DOUBT_SECONDS however many are refused: it may have been replaced under its URL. Those that it
   bears out do not wait.
7. A path comes, stays and goes with the lists of numbers that it names.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path

from cryptography import x509

from .certificates import read_path
from .fetching import Fetched, Fetcher, Unfetched
from .gathering import gathered
from .kept import Entry, Shelf, judged_of
from .limits import Limits, domain_of, host_of
from .listing import Lists
from .model import Chain, Fault
from .refreshing import words_of
from .trusting import Trusts

__all__ = ["Certificates", "Doubt"]

log = logging.getLogger("callscreen.identity")

URLS_MOST = 2_000
OCTETS_MOST = 16 * 1024 * 1024
HOST_FETCHES = 20  # a minute, that calls ask for
DOMAIN_FETCHES = 60
FETCHES = 600
HOST_RENEWALS = 10  # a minute, because tokens were refused: apart from the fetches
DOMAIN_RENEWALS = 20
RENEWALS = 120
RUNNING_MOST = 64  # fetches at once
DOMAIN_RUNNING = 8
KEEP_SECONDS = 86_400.0  # ATIS-1000074: at least
KEEP_MOST = 7 * 86_400.0
DOUBT_SECONDS = 60.0  # between two fetches because tokens were refused
BACK_OFF_SECONDS = 5.0  # after a first failure
BACK_OFF_MOST = 300.0
FAILURES_MOST = 4_096  # hosts and URLs


class Doubt(Enum):
    """Whether a path that refuses a token is what stands at its URL now."""

    SETTLED = 1  # it was had since, or a short while ago
    WANTED = 2  # it is to be fetched anew, or is being fetched
    FAILED = 3  # it could not be had anew


class Certificates:
    """`chain_of`, `lacks` and `doubt` may be called from any thread and never wait; the rest
    lives on one event loop."""

    def __init__(
        self, fetcher: Fetcher, trusts: Trusts, cache: Path | None, clock: Callable[[], float]
    ) -> None:
        self._fetcher = fetcher
        self._trusts = trusts
        self._clock = clock
        self._shelf = Shelf(cache)
        self._entries: dict[str, Entry] = {}
        self._octets = 0
        self._failed: OrderedDict[str, tuple[int, float, str]] = OrderedDict()
        self._limits = Limits(clock)
        self._running: dict[str, asyncio.Task[None]] = {}
        self.fetches: Counter[str] = Counter()  # by outcome
        for entry in self._shelf.read(URLS_MOST, clock()):
            self._put(entry)

    @property
    def count(self) -> int:
        return len(self._entries)

    @property
    def octets(self) -> int:
        return self._octets

    def chain_of(self, url: str, trust_name: str) -> Chain:
        """The judged chain of a URL, from memory. Raises Fault: unknown where it is not there."""
        entry, now = self._entries.get(url), self._clock()
        if entry is None or now >= entry.until:
            failed = self._failed.get(url) or self._failed.get(host_of(url))
            raise Unfetched(failed[2] if failed else "the certificate was not fetched yet")
        entry.used = now
        trust = self._trusts.trust(trust_name)
        judged = entry.judged.get(trust_name)
        if judged is None or judged.trust is not trust or not judged.since <= now < judged.until:
            judged = judged_of(entry, trust, now)
            if judged.chain is not None:
                judged = judged._replace(until=min(judged.chain.until, entry.until))
            if len(entry.judged) < 64 or trust_name in entry.judged:
                entry.judged[trust_name] = judged
        if judged.chain is not None:
            return judged.chain
        code, verstat, check, detail, unknown = judged.fault
        raise Fault(check, code, verstat, detail, unknown=unknown)

    def lacks(self, url: str) -> bool:
        """Whether a fetch is worth waiting for: there is no path, or one that has ended."""
        entry, now = self._entries.get(url), self._clock()
        if entry is not None and now < entry.until:
            return False
        return not (self._kept_away(url, now) or self._kept_away(host_of(url), now))

    def doubt(self, url: str, since: float) -> Doubt:
        """Of the path of a URL, by which a call that came at `since` is refused."""
        entry, now = self._entries.get(url), self._clock()
        if entry is None or entry.fetched >= since:
            return Doubt.SETTLED
        if url in self._running:
            return Doubt.WANTED
        if 0.0 <= now - entry.renewed < DOUBT_SECONDS:
            return Doubt.FAILED if entry.stale else Doubt.SETTLED
        return Doubt.FAILED if self._away(url, now) else Doubt.WANTED

    def path_of(self, url: str) -> tuple[x509.Certificate, ...]:
        """The path that is held, good or not; empty for none."""
        entry = self._entries.get(url)
        return entry.path if entry is not None else ()

    async def want(self, urls: Iterable[str], seconds: float, doubted: Iterable[str] = ()) -> None:
        """Waits until all of the URLs were tried, or for that long; a fetch goes on meanwhile.
        Those of `doubted` are fetched anew, where that is wanted."""
        begun = [*map(self._started, urls), *map(self._renewed, doubted)]
        tasks = {task for task in begun if task is not None}
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, seconds))

    async def refresh(self) -> None:
        """Fetches anew what is in use and at half of its life; lets go of what has ended."""
        now = self._clock()
        for url, entry in list(self._entries.items()):
            if now >= entry.until:
                await self._drop(url)
            elif now >= entry.half and entry.used > entry.fetched and not self._away(url, now):
                if len(self._running) >= RUNNING_MOST // 2:
                    return
                if self._has_room(url):
                    self._start(url)

    async def close(self) -> None:
        """Ends the fetches that run."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _started(self, url: str) -> asyncio.Task[None] | None:
        running = self._running.get(url)
        if running is not None or not self.lacks(url):
            return running
        if not self._has_room(url) or not self._is_let(url):
            self.fetches["limited"] += 1
            return None
        return self._start(url)

    def _renewed(self, url: str) -> asyncio.Task[None] | None:
        running, now = self._running.get(url), self._clock()
        if running is not None or self.doubt(url, now) is not Doubt.WANTED:
            return running
        entry, host = self._entries[url], host_of(url)
        entry.renewed, entry.stale = now, True  # until another takes its place
        limits = (
            ("anew", RENEWALS),
            (f"anew {domain_of(host)}", DOMAIN_RENEWALS),
            (f"anew //{host}", HOST_RENEWALS),
        )
        if not self._has_room(url) or not self._limits.take(limits):
            self.fetches["limited"] += 1
            return None
        return self._start(url)

    def _is_let(self, url: str) -> bool:
        """Counts one more fetch that calls ask for, unless there were too many."""
        host = host_of(url)
        limits = (("", FETCHES), (domain_of(host), DOMAIN_FETCHES), (f"//{host}", HOST_FETCHES))
        return self._limits.take(limits)

    def _has_room(self, url: str) -> bool:
        """Whether one more fetch may run; one domain has a part of the room."""
        domain = domain_of(host_of(url))
        same = sum(domain_of(host_of(each)) == domain for each in self._running)
        return len(self._running) < RUNNING_MOST and same < DOMAIN_RUNNING

    def _start(self, url: str) -> asyncio.Task[None]:
        task = self._running[url] = asyncio.ensure_future(self._fetch(url))
        task.add_done_callback(lambda _: self._running.pop(url, None))
        return task

    async def _fetch(self, url: str) -> None:
        try:
            got = await self._fetcher.get(url)
            path = tuple(read_path(got.octets))
            entry = self._entry(url, got, path, await gathered(path, self._list_of))
        except Fault as fault:
            self._note_failure(url, fault)
            return
        except Exception as error:  # whatever a stranger's octets bring about
            log.exception("a certificate could not be taken: %s", url)
            self._note_failure(url, Unfetched(words_of(error), kind="bad"))
            return
        self.fetches["good"] += 1
        for key in (url, host_of(url)):
            self._failed.pop(key, None)
        for old in self._put(entry):
            await asyncio.to_thread(self._shelf.remove, old)
        await asyncio.to_thread(self._shelf.write, entry)

    async def _list_of(self, url: str, most: int) -> Fetched:
        """Raises Unfetched."""
        if not self._is_let(url):
            raise Unfetched("too many fetches", kind="limited")
        return await self._fetcher.get(url, most)

    def _entry(
        self, url: str, got: Fetched, path: tuple[x509.Certificate, ...], lists: Lists
    ) -> Entry:
        now = self._clock()
        keep = min(max(got.max_age, KEEP_SECONDS), KEEP_MOST, lists.seconds)
        return Entry(url, got.octets, path, now, now + keep, lists)

    def _put(self, entry: Entry) -> list[str]:
        """Takes an entry in; the URLs of those that had to go."""
        before = self._entries.get(entry.url)
        if before is not None:
            entry.used = max(entry.used, before.used)
            entry.renewed = max(entry.renewed, before.renewed)
            if entry.is_as(before):
                entry.judged = before.judged
            self._octets -= before.size
        self._entries[entry.url] = entry
        self._octets += entry.size
        gone = []
        while len(self._entries) > URLS_MOST or self._octets > OCTETS_MOST:
            oldest = min(self._entries.values(), key=lambda each: each.used)
            self._octets -= self._entries.pop(oldest.url).size
            gone.append(oldest.url)
        return gone

    async def _drop(self, url: str) -> None:
        self._octets -= self._entries.pop(url).size
        await asyncio.to_thread(self._shelf.remove, url)

    def _note_failure(self, url: str, fault: Fault) -> None:
        kind = fault.kind if isinstance(fault, Unfetched) else "bad"
        self.fetches[kind] += 1
        if kind == "limited":
            return  # neither the host nor the URL is at fault
        dead = isinstance(fault, Unfetched) and fault.dead
        key, now = host_of(url) if dead else url, self._clock()
        times = self._failed.pop(key, (0, 0.0, ""))[0] + 1
        wait = min(BACK_OFF_SECONDS * 2.0 ** min(times - 1, 10), BACK_OFF_MOST)
        self._failed[key] = (times, now + wait, f"not fetched: {fault.detail}")
        if len(self._failed) > FAILURES_MOST:
            self._failed.popitem(last=False)

    def _kept_away(self, key: str, now: float) -> bool:
        failed = self._failed.get(key)
        return failed is not None and now < failed[1]

    def _away(self, url: str, now: float) -> bool:
        return url in self._running or any(self._kept_away(key, now) for key in (url, host_of(url)))
