"""Signs and verifies callers, with keys, trust and certificates that are kept fresh beside it.

Invariants
1. `sign` and `verify_now` may be called from any thread and never wait, but for a key behind
   PKCS#11, so long (hardware.SIGN_SECONDS); all else, `run` with it, lives on one event loop. What
   the two sides share is exchanged whole, without a lock.
2. `verify` ends within its budget: what was not fetched by then is unknown (436), and the fetch
   goes on for the calls to come.
3. What a certificate does not bear out is invalid only where that was had anew: it may have been
   replaced under its URL. Meanwhile, and where it cannot be had, it is unknown.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography import x509

from .certificates import p256_key
from .counting import Counts
from .families import FAMILIES, FETCH_OUTCOMES, Add
from .fetching import PORTS, Fetcher, Resolve, Unfetched
from .keeping import Certificates, Doubt
from .keystore import KeyStore
from .model import (
    Chain,
    Fault,
    IdentityHeader,
    Policy,
    Question,
    Signed,
    SignRequest,
    State,
    Verdict,
)
from .published import Published
from .refreshing import Refreshing
from .replay import Replays
from .signing import NoSignature
from .together import Ready, at_hand, judge_ready, readied, refuse_ready, signed
from .trusting import Sources, Trusts
from .verification import Reading, Refusal, check_signature, judge, read

__all__ = ["FAMILIES", "Identities", "IdentityConfig", "NoSignature", "PlainSigned"]

LOOK_SECONDS = 5.0  # between two looks at files, and at what is due
REPLAYS_MOST = 200_000  # tokens remembered
MARGIN_SECONDS = 0.01  # of a budget, for what comes behind the wait; a quarter of it at most


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


class PlainSigned(NamedTuple):
    """A call that was signed: octets of an Identity value, its origid, and the certificate's
    fingerprint."""

    value: bytes
    origid: str
    certificate: str


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
        self._published = Published(self._keys, self._fetcher, clock)
        parts: dict[str, Callable[[], Awaitable[object]]] = {
            "keys": lambda: asyncio.to_thread(self._keys.look),
            "trust": lambda: self._trusts.refresh(),
            "certificates": lambda: self._certificates.refresh(),
        }
        if config.roots or config.trust_list:  # who only signs need not reach anybody
            parts["published"] = lambda: self._published.refresh()
        self._refreshing = Refreshing(parts)

    @property
    def keys(self) -> KeyStore:
        return self._keys

    async def run(self) -> None:
        """Keeps keys, trust and certificates fresh until it is cancelled."""
        try:
            while True:
                await self.refresh()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self.close()

    async def refresh(self) -> None:
        """One look at files that changed, and one fetch of all that is due; what fails is told."""
        await self._refreshing.turn()

    async def close(self) -> None:
        """Ends the fetches that run, and their connections."""
        await self._published.close()
        await self._trusts.close()
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

    def sign_plain(
        self, cert_name: str, attest: str, orig: str, dest: str, origid: str, iat: int
    ) -> PlainSigned:
        """Signs a shaken token to one number, as Signer.sign_plain. Raises NoSignature."""
        try:
            signer = self._keys.signer(cert_name)
            value, origid, _ = signer.sign_plain(attest, orig, dest, origid, iat, self._clock())
        except NoSignature:
            self._counts.refusal()
            raise
        self._counts.signature(cert_name)
        return PlainSigned(value, origid, signer.certificate.fingerprint)

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        """The verdict, from memory; None where something must be fetched first."""
        return self._at_once(question, read(question), trust_name, policy)[0]

    def verify_together(
        self, calls: Sequence[tuple[Question, str]], policy: Policy
    ) -> list[Verdict | None]:
        """As verify_now of each question by the trust of a name; None as well where there is more
        to look at than one plain token, whose question may be without all that such a one needs
        not: Date, target, default_cc and resource_priority."""
        came = self._clock()
        chains = {
            name: at_hand(self._certificates, name)
            for name in {name for _, name in calls}
            if self._trusts.known(name)
        }
        ready = [readied(question, chains.get(name), policy, came) for question, name in calls]
        rest = iter(signed([each for each in ready if each is not None]))
        return [each and self._together(*next(rest), policy, came) for each in ready]

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """The verdict, after a wait of at most so many seconds for what must be fetched."""
        clock, came = asyncio.get_running_loop().time, self._clock()
        ends = clock() + budget_seconds - min(MARGIN_SECONDS, budget_seconds / 4)
        reading = read(question)
        verdict, doubted = self._at_once(question, reading, trust_name, policy)
        if verdict is not None:
            return verdict
        left = max(0.0, ends - clock())
        waits = [asyncio.ensure_future(self._certificates.want(reading.x5us, left, doubted))]
        if not self._trusts.known(trust_name):
            waits.append(asyncio.ensure_future(self._trusts.want(trust_name)))
        await asyncio.wait(waits, timeout=left)
        verdict, _ = self._judged(question, reading, trust_name, policy, came)
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
        for part, failing in self._refreshing.failing():
            add("callscreen_identity_refresh_failing", failing, part)
        add("callscreen_identity_trust_failing", self._trusts.failing)
        add("callscreen_identity_unpublished", self._published.amiss)
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

    def _at_once(
        self, question: Question, reading: Reading, trust_name: str, policy: Policy
    ) -> tuple[Verdict | None, set[str]]:
        """The verdict, unless something must be fetched; URLs of what is to be fetched anew."""
        if not self._trusts.known(trust_name) or any(map(self._certificates.lacks, reading.x5us)):
            return None, set()
        verdict, doubted = self._judged(question, reading, trust_name, policy, self._clock())
        if doubted and verdict.state is not State.VALID:
            return None, doubted
        self._counts.verdict(verdict)
        return verdict, doubted

    def _judged(
        self, question: Question, reading: Reading, trust_name: str, policy: Policy, came: float
    ) -> tuple[Verdict, set[str]]:
        """The verdict on a call that came then, by what is held; URLs of what is to be had anew."""
        doubted = set[str]()

        def chain_of(url: str) -> Chain:
            return self._certificates.chain_of(url, trust_name)

        refusal, now = self._refusal(came, doubted), self._clock()
        verdict = judge(question, reading, chain_of, policy, now, self._replays, refusal)
        return verdict, doubted

    def _together(
        self, ready: Ready, found: bytes | Fault, policy: Policy, came: float
    ) -> Verdict | None:
        """The verdict on a call whose signature was verified; None where something must be fetched
        anew."""
        if isinstance(found, bytes):
            verdict = judge_ready(ready, found, policy, came, self._replays)
        else:
            doubted = set[str]()
            fault = self._refusal(came, doubted)(ready.reading.callers[0], found)
            if doubted:
                return None
            verdict = refuse_ready(ready, fault, policy, came)
        self._counts.verdict(verdict)
        return verdict

    def _refusal(self, came: float, doubted: set[str]) -> Refusal:
        """What becomes of the fault of a token of a call that came then; takes note of URLs of what
        is to be had anew."""
        held = self._certificates

        def refusal(header: IdentityHeader, fault: Fault) -> Fault:
            doubt = held.doubt(header.x5u, came)
            if doubt is Doubt.WANTED:
                doubted.add(header.x5u)
                return Unfetched("the certificate was not fetched anew yet")
            if doubt is Doubt.FAILED and not _is_signed(header, held.path_of(header.x5u)):
                return Unfetched("the certificate could not be fetched anew")
            return fault

        return refusal


def _is_signed(header: IdentityHeader, path: Sequence[x509.Certificate]) -> bool:
    """Whether a token was made with the certificate that is held, which is then at fault."""
    try:
        check_signature(p256_key(path[0]), header)
    except (Fault, IndexError):
        return False
    return True
