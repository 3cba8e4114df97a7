"""Signs and verifies callers, with keys, trust and certificates that are kept fresh beside it.

Invariants
1. `sign` and `verify_now` never wait and may be called from any thread; all else, `run` with it,
   lives on one event loop. What the two sides share is exchanged whole, without a lock.
2. `verify` ends within its budget: what was not fetched by then is unknown (436), and the fetch
   goes on for the calls to come.
3. A signature that does not fit, or a path that is refused, is looked at again with a fresh path
   where that held is old: a certificate may be replaced under its URL.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .counting import Counts
from .fetching import PORTS, Fetcher, Resolve
from .keeping import Certificates
from .keystore import KeyStore
from .model import Chain, Policy, Question, Signed, SignRequest, State, Verdict
from .replay import Replays
from .signing import NoSignature
from .trusting import Sources, Trusts
from .verification import judge, read

__all__ = ["FAMILIES", "Identities", "IdentityConfig", "NoSignature"]

log = logging.getLogger("callscreen.identity")

LOOK_SECONDS = 5.0  # between two looks at files, and at what is due
REPLAYS_MOST = 200_000  # tokens remembered
AGAIN = frozenset({437, 438})  # what a fresh certificate may change
FETCH_OUTCOMES = ("good", "refused", "dead", "timeout", "bad", "limited")

# name, kind, help, labels
FAMILIES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (
        "callscreen_identity_verdicts_total",
        "counter",
        "Callers' identities verified, by state and code.",
        ("state", "code"),
    ),
    (
        "callscreen_identity_valid_hosts_total",
        "counter",
        "Valid identities, by the host of their certificate.",
        ("host",),
    ),
    (
        "callscreen_identity_signatures_total",
        "counter",
        "Calls signed, by certificate.",
        ("certificate",),
    ),
    (
        "callscreen_identity_unsigned_total",
        "counter",
        "Signatures asked for that could not be made.",
        (),
    ),
    (
        "callscreen_identity_fetches_total",
        "counter",
        "Fetches of certificates, by outcome.",
        ("outcome",),
    ),
    ("callscreen_identity_cached", "gauge", "Certificate URLs in memory.", ()),
    ("callscreen_identity_cached_bytes", "gauge", "Octets of the paths in memory.", ()),
    (
        "callscreen_identity_trust_failing",
        "gauge",
        "Sources of trust whose last reading failed.",
        (),
    ),
    (
        "callscreen_identity_trust_list_expiry_seconds",
        "gauge",
        "Until the trust list ends; negative: since.",
        (),
    ),
    ("callscreen_identity_crl_age_seconds", "gauge", "Since the CRL was made.", ()),
    (
        "callscreen_identity_crl_expiry_seconds",
        "gauge",
        "Until the CRL ends; negative: since.",
        (),
    ),
    (
        "callscreen_identity_certificate_expiry_seconds",
        "gauge",
        "Until a certificate that signs ends; negative: since.",
        ("certificate",),
    ),
)


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    """Where keys and trust are; each "" for none."""

    keys: str = ""  # a folder or pkcs11:..., see keystore
    roots: str = ""  # a folder of PEM files, or one
    ca: str = ""  # PEM of the CAs of https servers; "" those of the system
    cache: str = ""  # folder of what was fetched; "" in memory alone
    private: tuple[str, ...] = ()  # prefixes that may be fetched from though they are not public
    crl: str = ""  # a file or https URL
    trust_list: str = ""  # a file or https URL
    trust_list_ca: str = ""  # PEM of who signs them
    ports: tuple[int, ...] = PORTS  # of x5u


class Add(Protocol):
    """Takes a value of a family; the labels are in the order of its declaration."""

    def __call__(self, name: str, value: float, *labels: str) -> None: ...


class Identities:
    """What an edge or the core signs and verifies with."""

    def __init__(
        self,
        config: IdentityConfig,
        *,
        clock: Callable[[], float] = time.time,
        resolve: Resolve | None = None,
    ) -> None:
        """Reads keys, trust and what was kept on disk. `resolve` finds a name's addresses; None:
        as the system does. Raises ValueError, OSError for what a config names and is not there."""
        self._clock = clock
        cache = Path(config.cache) if config.cache else None
        sources = Sources(config.roots, config.trust_list, config.trust_list_ca, config.crl)
        self._fetcher = Fetcher(
            private=config.private, ports=config.ports, ca=config.ca, resolve=resolve
        )
        self._keys = KeyStore(config.keys, clock=clock)
        self._trusts = Trusts(sources, self._fetcher, cache, clock)
        self._certificates = Certificates(self._fetcher, self._trusts, cache, clock)
        self._replays = Replays(REPLAYS_MOST)
        self._counts = Counts()
        self._addresses: dict[str, asyncio.Task[None]] = {}

    @property
    def keys(self) -> KeyStore:
        return self._keys

    async def run(self) -> None:
        """Keeps keys, trust and certificates fresh until it is cancelled."""
        failed = ""
        try:
            while True:
                try:
                    await self.refresh()
                    failed = ""
                except OSError as error:
                    if str(error) != failed:
                        failed = str(error)
                        log.error("certificates and trust are not refreshed: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.close()

    async def refresh(self) -> None:
        """One look at files that changed, and one fetch of all that is due. Raises OSError."""
        await asyncio.to_thread(self._keys.look)
        await self._trusts.refresh()
        await self._certificates.refresh()

    async def close(self) -> None:
        """Ends the fetches that run, and their connections."""
        tasks = list(self._addresses.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._certificates.close()
        await self._fetcher.close()

    def sign(self, request: SignRequest) -> Signed:
        """Signs with the certificate that the request names. Raises NoSignature, with why."""
        try:
            signed = self._keys.signer(request.cert_name).sign(request, self._clock())
        except NoSignature:
            self._counts.refusal()
            raise
        self._counts.signature(request.cert_name)
        return signed

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        """The verdict, from memory; None where something must be fetched first."""
        reading = read(question)
        if not self._trusts.known(trust_name) or any(map(self._certificates.lacks, reading.x5us)):
            return None
        verdict = judge(
            question, reading, self._chain_of(trust_name), policy, self._clock(), self._replays
        )
        if self._doubted(verdict, reading.x5us):
            return None
        self._counts.verdict(verdict)
        return verdict

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """The verdict, after a wait of at most so many seconds for what must be fetched."""
        verdict = self.verify_now(question, trust_name, policy)
        if verdict is not None:
            return verdict
        reading = read(question)
        waits = [asyncio.ensure_future(self._certificates.want(reading.x5us, budget_seconds))]
        if not self._trusts.known(trust_name):
            waits.append(asyncio.ensure_future(self._want_roots(trust_name)))
        await asyncio.wait(waits, timeout=max(0.0, budget_seconds))
        verdict = judge(
            question, reading, self._chain_of(trust_name), policy, self._clock(), self._replays
        )
        self._counts.verdict(verdict)
        return verdict

    def show(self, add: Add) -> None:
        """Gives the values of FAMILIES."""
        for key, number in sorted(self._counts.sums().items()):
            if key[0] == "verdict":
                add("callscreen_identity_verdicts_total", number, *key[1:])
            elif key[0] == "host":
                add("callscreen_identity_valid_hosts_total", number, *key[1:])
            elif key[0] == "signature":
                add("callscreen_identity_signatures_total", number, *key[1:])
        add("callscreen_identity_unsigned_total", self._counts.sums()["refusal",])
        for outcome in FETCH_OUTCOMES:
            add("callscreen_identity_fetches_total", self._certificates.fetches[outcome], outcome)
        add("callscreen_identity_cached", self._certificates.count)
        add("callscreen_identity_cached_bytes", self._certificates.octets)
        add("callscreen_identity_trust_failing", self._trusts.failing)
        self._show_ends(add)

    def _show_ends(self, add: Add) -> None:
        now = self._clock()
        listed, crl = self._trusts.trust_list, self._trusts.revocations
        if listed is not None:
            add("callscreen_identity_trust_list_expiry_seconds", listed.expires - now)
        if crl is not None:
            add("callscreen_identity_crl_age_seconds", now - crl.since)
            add("callscreen_identity_crl_expiry_seconds", crl.until - now)
        for state in self._keys.states():
            if state.until:
                name = "callscreen_identity_certificate_expiry_seconds"
                add(name, state.until - now, state.name)

    def _chain_of(self, trust_name: str) -> Callable[[str], Chain]:
        return lambda url: self._certificates.chain_of(url, trust_name)

    def _doubted(self, verdict: Verdict, urls: Sequence[str]) -> bool:
        """Whether a fresh certificate may say otherwise, and is worth a fetch now."""
        if verdict.state is not State.INVALID or verdict.code not in AGAIN:
            return False
        doubted = [self._certificates.doubt(url) for url in urls]  # each of them
        return any(doubted)

    async def _want_roots(self, url: str) -> None:
        task = self._addresses.get(url)
        if task is None:
            task = self._addresses[url] = asyncio.ensure_future(self._trusts.want(url))
            task.add_done_callback(lambda _: self._addresses.pop(url, None))
        await asyncio.shield(task)
