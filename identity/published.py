"""Whether the URLs that our own tokens name serve the certificates that they were signed with.

Invariants
1. A certificate is looked at when it is new and once a day; one that is amiss every five minutes.
2. What is amiss is told once, and signs on: verifiers may see what we cannot.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from .certificates import fingerprint, read_path
from .fetching import Fetcher
from .keystore import KeyState, KeyStore
from .model import Fault

__all__ = ["Published"]

log = logging.getLogger("callscreen.identity")

AT_ONCE = 4  # certificates a turn
GOOD_SECONDS = 86_400.0  # until one that is served is looked at again
BAD_SECONDS = 300.0


class Seen(NamedTuple):
    """What was found of a certificate, and when it is looked at again, in seconds since 1970."""

    of: tuple[str, str]  # fingerprint, URL
    due: float
    problem: str


class Published:
    """`amiss` may be read from any thread; the rest lives on one event loop."""

    def __init__(self, keys: KeyStore, fetcher: Fetcher, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._fetcher = fetcher
        self._clock = clock
        self._seen: dict[str, Seen] = {}  # by the certificate's name
        self._looking: asyncio.Task[None] | None = None
        self.amiss = 0  # certificates that are not served, as far as was seen

    async def refresh(self) -> None:
        """Begins to look at some of those that are due, unless that goes on. Raises what the last
        time has raised."""
        last = self._looking
        if last is None or last.done():
            self._looking = asyncio.ensure_future(self._turn())
            if last is not None:
                last.result()

    async def close(self) -> None:
        """Ends what was begun."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _turn(self) -> None:
        held = {each.name: each for each in self._keys.states() if each.until}
        self._seen = {name: seen for name, seen in self._seen.items() if name in held}
        due = [each for each in held.values() if self._is_due(each)]
        await asyncio.gather(*map(self._look, due[:AT_ONCE]))
        self.amiss = sum(bool(seen.problem) for seen in self._seen.values())

    def _is_due(self, held: KeyState) -> bool:
        seen = self._seen.get(held.name)
        return seen is None or seen.of != (held.fingerprint, held.url) or self._clock() >= seen.due

    async def _look(self, held: KeyState) -> None:
        problem = ""
        try:
            got = await self._fetcher.get(held.url)
            if fingerprint(read_path(got.octets)[0]) != held.fingerprint:
                problem = "another certificate is served there"
        except Fault as fault:
            problem = fault.detail
        before = self._seen.get(held.name)
        wait = BAD_SECONDS if problem else GOOD_SECONDS
        of = (held.fingerprint, held.url)
        self._seen[held.name] = Seen(of, self._clock() + wait, problem)
        if problem and (before is None or (before.of, before.problem) != (of, problem)):
            log.error("the certificate %s is not found at %s: %s", held.name, held.url, problem)
        elif before is not None and before.problem and not problem:
            log.info("the certificate %s is found at %s", held.name, held.url)
