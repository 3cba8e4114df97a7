"""The verdict on who calls (RFC 8224 section 6.2, RFC 8588, RFC 8946, ATIS-1000074).

Invariants
1. VALID takes one token whose form, time, numbers, certificate, authority and signature are all
   good, and where it was diverted a whole chain of such `div` tokens to the number that is called.
2. INVALID takes that every token that says who calls has failed by a fault of its own. Where one
   could not be judged it is UNKNOWN, where there is none NONE.
3. What costs least is checked first, the signature last, over the octets that came; each token is
   checked at most once, whatever chains it may be a part of.
4. `rph` and `rcd` never make a call invalid: what is not verified of them is not handed on.
"""

from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from .chains import check_authority
from .displaying import shown
from .model import (
    FAILED,
    NOT_VALIDATED,
    PASSED,
    REASONS,
    Chain,
    Check,
    Fault,
    IdentityHeader,
    Policy,
    Question,
    State,
    Verdict,
)
from .reading import Faulty, Reading, read
from .replay import Replays
from .signatures import der_signature
from .straight import is_straight, valid_verdict
from .telephone import canonical_number

__all__ = ["Reading", "check_signature", "judge", "read"]

PREHASHED = ECDSA(Prehashed(SHA256()))  # the digest is made apart: that costs less
NAMES = ("form", "iat", "numbers", "certificate", "authority", "signature", "replay")
GOOD = tuple(Check(name, True) for name in NAMES)
AGAIN = (*GOOD[:-1], Check("replay", False, "the token came with another call"))
TOLD = (*GOOD[:-1], Check("replay", True, "the token came with another call, which is let pass"))

ChainOf = Callable[[str], Chain]
Refusal = Callable[[IdentityHeader, Fault], Fault]


class Judged(NamedTuple):
    """A token that passed."""

    header: IdentityHeader
    chain: Chain


def judge(
    question: Question,
    reading: Reading,
    chain_of: ChainOf,
    policy: Policy,
    now: float,
    replays: Replays | None = None,
    refusal: Refusal | None = None,
) -> Verdict:
    """The verdict on a call. `chain_of` gives the chain of a URL or raises Fault, which is
    `unknown` where the certificate could not be had. `refusal` says what becomes of the fault of a
    token that its certificate does not bear out; None: it stands."""
    if not is_straight(question, reading, policy, now):
        return Judge(question, reading, chain_of, policy, now, replays, refusal).verdict()
    header = reading.callers[0]
    try:
        chain = borne_out(header, chain_of, refusal)
    except Fault as fault:
        return Judge(question, reading, chain_of, policy, now, replays, refusal).refused(
            header, fault
        )
    if is_replayed(question, (header,), policy, now, replays):
        return Judge(question, reading, chain_of, policy, now, replays, refusal).valid(
            [Judged(header, chain)], again=True
        )
    return valid_verdict(header, chain, GOOD)


class Judge:
    """One call, looked at once."""

    def __init__(
        self,
        question: Question,
        reading: Reading,
        chain_of: ChainOf,
        policy: Policy,
        now: float,
        replays: Replays | None,
        refusal: Refusal | None,
    ) -> None:
        self._question = question
        self._reading = reading
        self._chain_of = chain_of
        self._policy = policy
        self._now = now
        self._replays = replays
        self._refusal = refusal
        self._failed: list[Faulty] = []

    def verdict(self) -> Verdict:
        """See `judge`."""
        question, reading = self._question, self._reading
        self._orig = canonical_number(question.orig, question.default_cc)
        self._dest = canonical_number(question.dest, question.default_cc)
        self._failed += reading.faults
        tokens = reading.callers + reading.diversions
        if not tokens and not self._failed:
            return self._nothing()
        try:
            self._check_date()
        except Fault as fault:
            self._failed += [(header.token, fault) for header in tokens]
            return self._refused()
        diversions: list[Judged] | None = None
        for header in reading.callers:
            if diversions is None and reading.diversions:
                diversions = list(self._good(reading.diversions))
            found = self._path(header, diversions or [])
            if found:
                headers = [each.header for each in found]
                again = is_replayed(self._question, headers, self._policy, self._now, self._replays)
                return self.valid(found, again)
        if reading.diversions and not reading.callers:
            alone = Fault("div", 438, NOT_VALIDATED, "a diversion without its original")
            self._failed += [(header.token, alone) for header in reading.diversions]
        return self._refused()

    # Tokens

    def _good(self, headers: Sequence[IdentityHeader]) -> Iterator[Judged]:
        """Those that are good by themselves, as a part of a diverted call."""
        for header in headers:
            try:
                yield self._check(header, self._policy.div_freshness)
            except Fault as fault:
                self._failed.append((header.token, fault))

    def _path(self, header: IdentityHeader, diversions: Sequence[Judged]) -> list[Judged]:
        """A token with the diversions that lead from it to the called number; empty for none."""
        straight = is_called(header.claims, self._dest, self._question.dest)
        try:
            if straight and (not diversions or self._is_fresh(header)):
                return [self._check(header, self._policy.freshness)]
            if diversions:
                first = self._check(header, self._policy.div_freshness)
                path = self._diverted(first, diversions)
                if path:
                    return path
            else:
                self._check_time(header, self._policy.freshness)
            detail = "dest is not the called number, nor was the call diverted to it"
            raise Fault("dest", 438, NOT_VALIDATED, detail)
        except Fault as fault:
            self._failed.append((header.token, fault))
        return []

    def _diverted(self, first: Judged, diversions: Sequence[Judged]) -> list[Judged]:
        """The way over diversions (RFC 8946 section 6), each looked at once."""
        target = self._question.target or self._question.dest
        number = canonical_number(target, self._question.default_cc)
        before: dict[int, int] = {}  # place of a diversion: of the one before it, -1 for the first
        waiting = [-1]
        while waiting:
            at = waiting.pop(0)
            last = (first if at < 0 else diversions[at]).header.claims
            for place, (header, _) in enumerate(diversions):
                claims = header.claims
                if place in before or claims["orig"] != last["orig"]:
                    continue
                if not names(last["dest"], claims["div"]):
                    continue
                before[place] = at
                waiting.append(place)
                if is_called(claims, number, target) and self._is_fresh(header):
                    return [first, *way(diversions, before, place)]
        return []

    def _is_fresh(self, header: IdentityHeader) -> bool:
        return bool(abs(self._now - header.claims["iat"]) <= self._policy.freshness)

    def _check(self, header: IdentityHeader, oldest: int) -> Judged:
        """A token by itself, at most `oldest` seconds old. Raises Fault."""
        self._check_time(header, oldest)
        hidden = self._hidden(header.claims["orig"])
        chain = borne_out(header, self._chain_of, self._refusal)
        if hidden is not None:
            raise hidden
        return Judged(header, chain)

    def _check_time(self, header: IdentityHeader, oldest: int) -> None:
        age = self._now - header.claims["iat"]
        if not -self._policy.freshness <= age <= oldest:
            raise Fault("iat", 403, NOT_VALIDATED, f"the token is {age:.0f} seconds old")

    def _hidden(self, orig: dict[str, str]) -> Fault | None:
        """What keeps the caller from being compared. Raises Fault where it is another one."""
        given = self._question.orig
        if "uri" in orig:
            same = same_uri(orig["uri"], given)
        elif self._orig:
            same = orig["tn"] == self._orig
        else:
            same = False
            if not given or "anonymous" in given.lower():
                detail = "the caller is anonymous"
                return Fault("orig", 438, NOT_VALIDATED, detail, unknown=True)
        if not same:
            raise Fault("orig", 438, NOT_VALIDATED, "orig is not the calling number")
        return None

    def _check_date(self) -> None:
        if not self._policy.require_date:
            return
        try:
            moment = parsedate_to_datetime(self._question.date).timestamp()
        except (ValueError, TypeError, OverflowError) as error:
            raise Fault("date", 403, NOT_VALIDATED, "no Date, or none that is one") from error
        if abs(self._now - moment) > self._policy.freshness:
            raise Fault("date", 403, NOT_VALIDATED, "the Date is stale")

    # What goes beside: priority (RFC 8443, 9027) and what is shown (RFC 9795)

    def _beside(self, found: Sequence[Judged] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Of verified tokens alone; what fails is told."""
        display: dict[str, Any] = {}
        for each in found:
            display |= shown(each.header.claims)
        self._failed += self._reading.faults_beside
        if not self._reading.beside:
            return display, ()
        priority: list[str] = []
        for header in self._reading.beside:
            try:
                if not is_called(header.claims, self._dest, self._question.dest):
                    raise Fault("dest", 438, NOT_VALIDATED, "dest is not the called number")
                self._check(header, self._policy.freshness)
            except Fault as fault:
                self._failed.append((header.token, fault))
                continue
            display |= shown(header.claims)
            for values in header.claims.get("rph", {}).values():
                priority += values
        asked = {each.strip().lower() for each in self._question.resource_priority}
        return display, tuple(each for each in priority if not asked or each.lower() in asked)

    # Verdicts

    def _nothing(self) -> Verdict:
        """Nobody says who calls."""
        display, priority = self._beside()
        asked = self._policy.require_identity
        code = 428 if asked else 0
        detail = "none of a supported ppt" if self._reading.ignored else "none that says who calls"
        return Verdict(
            State.INVALID if asked else State.NONE,
            NOT_VALIDATED,
            code,
            REASONS.get(code, ""),
            display={} if asked else display,
            priority=() if asked else priority,
            failed=self._failures(),
            checks=(Check("identity", False if asked else None, detail),),
        )

    def refused(self, header: IdentityHeader, fault: Fault) -> Verdict:
        """The verdict where the only token has a fault."""
        self._failed.append((header.token, fault))
        return self._refused()

    def valid(self, found: list[Judged], again: bool) -> Verdict:
        """The verdict on a call whose tokens passed; `again`: the last came with another call."""
        first, last = found[0], found[-1]
        claims = first.header.claims
        bad = again and self._policy.replayed_invalid
        display, priority = self._beside(found)
        code = 0
        if bad:
            code, display, priority = 438, {}, ()
            fault = Fault("replay", 438, NOT_VALIDATED, "the token came with another call")
            self._failed.insert(0, (last.header.token, fault))
        return Verdict(
            State.INVALID if bad else State.VALID,
            NOT_VALIDATED if bad else PASSED,
            code,
            REASONS.get(code, ""),
            claims.get("attest", ""),
            claims.get("origid", ""),
            party(claims["orig"]),
            parties(last.header.claims["dest"]),
            claims["iat"],
            first.header.x5u,
            first.chain.spc,
            first.chain.name,
            first.header.ppt,
            again,
            display,
            priority,
            self._failures(),
            AGAIN if bad else TOLD if again else GOOD,
        )

    def _refused(self) -> Verdict:
        """No token says who calls: by the first fault of its own, else it cannot be told."""
        faults = [fault for _, fault in self._failed]
        unknown = [fault for fault in faults if fault.unknown]
        fault = (unknown or faults)[0]
        self._failed += self._reading.faults_beside
        tokens = self._reading.callers + self._reading.diversions
        claims = tokens[0].claims if tokens else {}
        failed = fault.code == 438 and self._policy.malformed_failed and not fault.unknown
        return Verdict(
            State.UNKNOWN if unknown else State.INVALID,
            FAILED if failed else fault.verstat,
            fault.code,
            REASONS.get(fault.code, ""),
            attest=claims.get("attest", ""),
            origid=claims.get("origid", ""),
            orig=party(claims.get("orig", {})),
            dest=parties(claims.get("dest", {})),
            iat=claims.get("iat", 0),
            x5u=tokens[0].x5u if tokens else "",
            ppt=tokens[0].ppt if tokens else "",
            failed=self._failures(),
            checks=tuple(
                Check(each.check, None if each.unknown else False, each.detail) for each in faults
            ),
        )

    def _failures(self) -> tuple[tuple[int, str, bytes], ...]:
        if not self._failed:
            return ()
        return tuple(
            (fault.code, REASONS.get(fault.code, ""), token) for token, fault in self._failed
        )


def borne_out(header: IdentityHeader, chain_of: ChainOf, refusal: Refusal | None) -> Chain:
    """The chain of a token whose claims it allows, and whose signature is its own. Raises Fault."""
    try:
        chain = chain_of(header.info)  # it is x5u
        check_authority(chain, header.claims, header.ppt)
        check_signature(chain.key, header)
    except Fault as fault:
        if refusal is None or fault.unknown:
            raise
        raise refusal(header, fault) from fault
    return chain


def is_replayed(
    question: Question,
    headers: Sequence[IdentityHeader],
    policy: Policy,
    now: float,
    replays: Replays | None,
) -> bool:
    """Whether the last token came with another call. A diverted one before it may have."""
    again = False
    if replays is not None:
        call = question.call_id + b"\n" + question.from_tag
        fresh = 2 * policy.freshness + 1  # it may be as far ahead of our clock as behind it
        for header in headers:
            again = replays.again(header, call, now, fresh)
    return again


def check_signature(key: EllipticCurvePublicKey, header: IdentityHeader) -> None:
    """Raises Fault unless the key has signed the octets that came."""
    digest = sha256(header.signed).digest()
    try:
        key.verify(der_signature(header.signature), digest, PREHASHED)
    except InvalidSignature as error:
        detail = "the signature is not of this certificate and these octets"
        raise Fault("signature", 438, FAILED, detail) from error


def way(diversions: Sequence[Judged], before: dict[int, int], place: int) -> list[Judged]:
    """The diversions up to a place, in order."""
    found: list[Judged] = []
    while place >= 0:
        found.insert(0, diversions[place])
        place = before[place]
    return found


def is_called(claims: dict[str, Any], number: str, address: str) -> bool:
    """Whether `dest` holds the number, or the URI, that is called."""
    dest = claims["dest"]
    if number and number in dest.get("tn", ()):
        return True
    return any(same_uri(uri, address) for uri in dest.get("uri", ()))


def names(dest: dict[str, list[str]], div: dict[str, str]) -> bool:
    """Whether a dest holds the number or URI that a call was diverted from."""
    if "tn" in div:
        return div["tn"] in dest.get("tn", ())
    return any(same_uri(uri, div["uri"]) for uri in dest.get("uri", ()))


def party(orig: dict[str, str]) -> str:
    return orig.get("tn") or orig.get("uri", "")


def parties(dest: dict[str, list[str]]) -> tuple[str, ...]:
    return (*dest.get("tn", ()), *dest.get("uri", ()))


def same_uri(one: str, other: str) -> bool:
    """Whether two URIs name one user at one host, whatever their parameters (RFC 8224 8.5)."""
    return user_at_host(one) == user_at_host(other) != ""


def user_at_host(uri: str) -> str:
    opened = uri.find("<")
    if opened >= 0:
        uri = uri[opened + 1 :].partition(">")[0]
    scheme, colon, rest = uri.strip().partition(":")
    user, at, host = rest.rpartition("@")
    host = host.partition(";")[0].partition("?")[0].lower()
    if not colon or not host:
        return ""
    return f"{scheme.lower()}:{user.partition(';')[0]}{at}{host}"
