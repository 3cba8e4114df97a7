"""Certificates that x5u URLs name: fetched once, kept with their whole path, judged once a trust.

Invariants
1. An entry is replaced whole: what a reader took stays one path and what was judged of it.
2. What is judged holds for one Trust object alone, so a change of roots or CRL judges anew.
3. Strangers name URLs: there are at most URLS_MOST entries of OCTETS_MOST together, the least
   recently used goes; a host is asked HOST_FETCHES times a minute, all hosts FETCHES times.
4. One fetch a URL at a time. A host that fails is left alone for a while that doubles; an answer
   that is no certificate keeps only its own URL away, or a stranger could shut out any host.
5. A path is kept for KEEP_SECONDS at least, fetched again at half of its life while it is in use;
   the old one serves until the new one is there.
"""

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from pathlib import Path

from .certificates import read_path
from .chains import judge_chain
from .fetching import Fetched, Fetcher, Unfetched
from .kept import Entry, Judged, Shelf
from .model import Chain, Fault
from .trust import Trust
from .trusting import Trusts

__all__ = ["Certificates"]

log = logging.getLogger("callscreen.identity")

URLS_MOST = 2_000
OCTETS_MOST = 16 * 1024 * 1024
HOST_FETCHES = 20  # a minute, that calls ask for
FETCHES = 600
RUNNING_MOST = 64  # fetches at once
MINUTE = 60.0
KEEP_SECONDS = 86_400.0  # ATIS-1000074: at least
KEEP_MOST = 7 * 86_400.0
FAULT_SECONDS = 1.0  # that a bad judgement stands: a certificate may begin
DOUBT_SECONDS = 300.0  # between two fetches because a signature did not fit
BACK_OFF_SECONDS = 5.0  # after a first failure
BACK_OFF_MOST = 300.0
FAILURES_MOST = 4_096  # hosts and URLs, and hosts whose fetches are counted


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
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()
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
            failed = self._failed.get(url) or self._failed.get(_host(url))
            raise Unfetched(failed[2] if failed else "the certificate was not fetched yet")
        entry.used = now
        trust = self._trusts.trust(trust_name)
        judged = entry.judged.get(trust_name)
        if judged is None or judged.trust is not trust or not judged.since <= now < judged.until:
            judged = _judged(entry, trust, now)
            if judged.chain is not None:
                judged = judged._replace(until=min(judged.chain.until, entry.until))
            if len(entry.judged) < 64 or trust_name in entry.judged:
                entry.judged[trust_name] = judged
        if judged.chain is not None:
            return judged.chain
        code, verstat, check, detail, unknown = judged.fault
        raise Fault(check, code, verstat, detail, unknown=unknown)

    def lacks(self, url: str) -> bool:
        """Whether a fetch is worth waiting for: there is no path, or one in doubt or ended."""
        entry, now = self._entries.get(url), self._clock()
        if entry is not None and now < entry.until and not entry.doubted:
            return False
        return not (self._kept_away(url, now) or self._kept_away(_host(url), now))

    def doubt(self, url: str) -> bool:
        """A signature did not fit: whether the path is old enough to be fetched anew first."""
        entry = self._entries.get(url)
        if entry is None or self._clock() - entry.checked < DOUBT_SECONDS:
            return False
        entry.doubted = True
        return self.lacks(url)

    async def want(self, urls: Iterable[str], seconds: float) -> None:
        """Waits until all of the URLs were tried, or for that long; a fetch goes on meanwhile."""
        tasks = {task for task in map(self._started, urls) if task is not None}
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
        if len(self._running) >= RUNNING_MOST or not self._within_limits(_host(url)):
            self.fetches["limited"] += 1
            return None
        return self._start(url)

    def _start(self, url: str) -> asyncio.Task[None]:
        task = self._running[url] = asyncio.ensure_future(self._fetch(url))
        task.add_done_callback(lambda _: self._running.pop(url, None))
        return task

    async def _fetch(self, url: str) -> None:
        try:
            got = await self._fetcher.get(url)
            entry = self._entry(url, got)
        except Fault as fault:
            self._note_failure(url, fault)
            return
        self.fetches["good"] += 1
        for key in (url, _host(url)):
            self._failed.pop(key, None)
        for old in self._put(entry):
            await asyncio.to_thread(self._shelf.remove, old)
        await asyncio.to_thread(self._shelf.write, entry)

    def _entry(self, url: str, got: Fetched) -> Entry:
        """Raises Fault."""
        now = self._clock()
        path = read_path(got.octets)
        keep = min(max(got.max_age, KEEP_SECONDS), KEEP_MOST)
        return Entry(url, got.octets, tuple(path), now, now + keep)

    def _put(self, entry: Entry) -> list[str]:
        """Takes an entry in; the URLs of those that had to go."""
        before = self._entries.get(entry.url)
        if before is not None:
            entry.used = max(entry.used, before.used)
            self._octets -= len(before.octets)
        self._entries[entry.url] = entry
        self._octets += len(entry.octets)
        gone = []
        while len(self._entries) > URLS_MOST or self._octets > OCTETS_MOST:
            oldest = min(self._entries.values(), key=lambda each: each.used)
            self._octets -= len(self._entries.pop(oldest.url).octets)
            gone.append(oldest.url)
        return gone

    async def _drop(self, url: str) -> None:
        self._octets -= len(self._entries.pop(url).octets)
        await asyncio.to_thread(self._shelf.remove, url)

    def _note_failure(self, url: str, fault: Fault) -> None:
        kind = fault.kind if isinstance(fault, Unfetched) else "bad"
        self.fetches[kind] += 1
        dead = isinstance(fault, Unfetched) and fault.dead
        key, now = _host(url) if dead else url, self._clock()
        times = self._failed.pop(key, (0, 0.0, ""))[0] + 1
        wait = min(BACK_OFF_SECONDS * 2.0 ** min(times - 1, 10), BACK_OFF_MOST)
        self._failed[key] = (times, now + wait, f"not fetched: {fault.detail}")
        if len(self._failed) > FAILURES_MOST:
            self._failed.popitem(last=False)
        entry = self._entries.get(url)
        if entry is not None:  # the one that is held is the best that is known
            entry.doubted, entry.checked = False, now

    def _kept_away(self, key: str, now: float) -> bool:
        failed = self._failed.get(key)
        return failed is not None and now < failed[1]

    def _away(self, url: str, now: float) -> bool:
        return url in self._running or any(self._kept_away(key, now) for key in (url, _host(url)))

    def _within_limits(self, host: str) -> bool:
        """Counts a fetch of a host, and of all, unless the last minute had as many already."""
        now = self._clock()
        counts = [(self._times(each), most) for each, most in (("", FETCHES), (host, HOST_FETCHES))]
        for times, most in counts:
            while times and now - times[0] >= MINUTE:
                times.popleft()
            if len(times) >= most:
                return False
        for times, _ in counts:
            times.append(now)
        return True

    def _times(self, host: str) -> deque[float]:
        times = self._asked.setdefault(host, deque())
        self._asked.move_to_end(host)
        if len(self._asked) > FAILURES_MOST:
            self._asked.popitem(last=False)
        return times


def _judged(entry: Entry, trust: Trust, now: float) -> Judged:
    try:
        chain = judge_chain(entry.path, trust, now)
    except Fault as fault:
        why = (fault.code, fault.verstat, fault.check, fault.detail, fault.unknown)
        return Judged(trust, now, now + FAULT_SECONDS, None, why)
    return Judged(trust, now, chain.until, chain)


def _host(url: str) -> str:
    """The host of an https URL, with its port unless that is 443, in its one spelling."""
    host = url[8:].partition("/")[0].lower().removesuffix(":443")
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        return f"{name.removesuffix('.')}:{port}"
    return host.removesuffix(".")
