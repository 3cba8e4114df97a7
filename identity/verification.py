"""The verdict on who calls (RFC 8224 section 6.2, RFC 8588, RFC 8946, ATIS-1000074).

Invariants
1. VALID takes one token whose form, time, numbers, certificate, authority and signature are all
   good, and where it was diverted a whole chain of such `div` tokens to the number that is called.
2. INVALID takes that every token that says who calls has failed by a fault of its own. Where one
   could not be judged it is UNKNOWN, where there is none NONE.
3. What costs least is checked first, the signature last, over the octets that came.
4. `rph` and `rcd` never make a call invalid: what is not verified of them is not handed on.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from .canonical import canonical_json
from .chains import check_authority
from .claims import check_claims
from .header import read_identity, split_identities
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
from .replay import Replays
from .telephone import canonical_number

__all__ = ["Reading", "judge", "read"]

ES256 = ECDSA(SHA256())
DIVERSIONS_MOST = 10  # of one call
NAMES = ("form", "iat", "numbers", "certificate", "authority", "signature")
GOOD = tuple(Check(name, True) for name in NAMES)
FRESH = Check("replay", True)

ChainOf = Callable[[str], Chain]


class Reading(NamedTuple):
    """What the Identity values of a call are; `x5us` are the URLs of certificates wanted."""

    headers: tuple[IdentityHeader, ...] = ()
    faults: tuple[tuple[bytes, Fault], ...] = ()  # of a token
    ignored: int = 0  # values of a `ppt` that is not supported
    x5us: tuple[str, ...] = ()


class Judged(NamedTuple):
    """A token that passed."""

    header: IdentityHeader
    chain: Chain


def read(question: Question) -> Reading:
    """Takes the Identity values of a call apart."""
    headers: list[IdentityHeader] = []
    faults: list[tuple[bytes, Fault]] = []
    ignored = 0
    try:
        values = split_identities(question.identities)
    except Fault as fault:
        return Reading(faults=((b"", fault),))
    for value in values:
        try:
            header = read_identity(value)
            check_claims(header)
        except Fault as fault:
            if fault.code == 428:
                ignored += 1
            else:
                faults.append((value.partition(b";")[0].strip(), fault))
        else:
            headers.append(header)
    x5us = tuple(dict.fromkeys(header.x5u for header in headers))
    return Reading(tuple(headers), tuple(faults), ignored, x5us)


def judge(
    question: Question,
    reading: Reading,
    chain_of: ChainOf,
    policy: Policy,
    now: float,
    replays: Replays | None = None,
) -> Verdict:
    """The verdict on a call. `chain_of` gives the chain of a URL or raises Fault, which is
    `unknown` where the certificate could not be had."""
    return Judge(question, reading, chain_of, policy, now, replays).verdict()


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
    ) -> None:
        self._question = question
        self._reading = reading
        self._chain_of = chain_of
        self._policy = policy
        self._now = now
        self._replays = replays
        self._orig = canonical_number(question.orig, question.default_cc)
        self._dest = canonical_number(question.dest, question.default_cc)
        self._target = canonical_number(question.target, question.default_cc)
        self._failed = list(reading.faults)

    def verdict(self) -> Verdict:
        """See `judge`."""
        headers = self._reading.headers
        if not headers and not self._failed:
            return self._nothing()
        try:
            self._check_date()
        except Fault as fault:
            self._failed = [(header.token, fault) for header in headers] + self._failed
            return self._refused()
        beside = [header for header in headers if header.ppt in ("rph", "rcd")]
        diverted = [header for header in headers if header.ppt == "div"]
        for header in headers:
            if header.ppt in ("", "shaken"):
                found = self._judged(header, diverted)
                if found is not None:
                    return self._valid(found, beside)
        if len(beside) == len(headers) and not self._reading.faults:
            return self._only_beside(beside)
        if not diverted and not self._failed:
            return self._nothing()
        if not self._failed:
            alone = Fault("div", 438, NOT_VALIDATED, "a diversion without its original")
            self._failed = [(header.token, alone) for header in diverted]
        return self._refused()

    # Tokens that say who calls

    def _judged(
        self, header: IdentityHeader, diverted: Sequence[IdentityHeader]
    ) -> list[Judged] | None:
        """The token, then its diversions, where all of a way to the called number is good."""
        first: Fault | None = None
        for way in self._ways(header, diverted):
            try:
                return [self._check(each, way) for each in way]
            except Fault as fault:
                first = first or fault
        nowhere = Fault("dest", 438, NOT_VALIDATED, "dest is not the called number")
        self._failed.append((header.token, first or nowhere))
        return None

    def _ways(
        self, header: IdentityHeader, diverted: Sequence[IdentityHeader]
    ) -> Iterator[list[IdentityHeader]]:
        """Ways from a token to the called number: straight, or over diversions (RFC 8946 6)."""
        if self._is_called(header.claims, (self._dest,), self._question.dest):
            yield [header]
        if diverted:
            yield from self._diversions([header], list(diverted))

    def _diversions(
        self, way: list[IdentityHeader], left: list[IdentityHeader]
    ) -> Iterator[list[IdentityHeader]]:
        last = way[-1].claims
        for place, each in enumerate(left):
            claims = each.claims
            if claims["orig"] != last["orig"] or not _names(last["dest"], claims["div"]):
                continue
            longer = [*way, each]
            numbers = (self._target,) if self._target else (self._dest,)
            if self._is_called(claims, numbers, self._question.target or self._question.dest):
                yield longer
            if len(longer) <= DIVERSIONS_MOST:
                yield from self._diversions(longer, left[:place] + left[place + 1 :])

    def _is_called(self, claims: dict[str, Any], numbers: Sequence[str], address: str) -> bool:
        dest = claims["dest"]
        called = any(number and number in dest.get("tn", ()) for number in numbers)
        return called or any(_same_uri(uri, address) for uri in dest.get("uri", ()))

    def _check(self, header: IdentityHeader, way: Sequence[IdentityHeader]) -> Judged:
        """A token by itself. Raises Fault."""
        inner = header is not way[-1]
        self._check_time(header.claims["iat"], inner)
        self._check_orig(header.claims["orig"])
        chain = self._chain_of(header.x5u)
        check_authority(chain, header.claims, header.ppt)
        _check_signature(chain, header)
        return Judged(header, chain)

    def _check_time(self, iat: int, inner: bool) -> None:
        """Raises Fault; a token that was diverted since may be older."""
        oldest = self._policy.div_freshness if inner else self._policy.freshness
        if not -self._policy.freshness <= self._now - iat <= oldest:
            age = round(self._now - iat)
            raise Fault("iat", 403, NOT_VALIDATED, f"the token is {age} seconds old")

    def _check_orig(self, orig: dict[str, str]) -> None:
        given = self._question.orig
        if "tn" in orig:
            if self._orig:
                same = orig["tn"] == self._orig
            elif not given or "anonymous" in given.lower():
                raise Fault("orig", 438, NOT_VALIDATED, "the caller is anonymous", unknown=True)
            else:
                same = False
        else:
            same = _same_uri(orig["uri"], given)
        if not same:
            raise Fault("orig", 438, NOT_VALIDATED, "orig is not the calling number")

    def _check_date(self) -> None:
        if not self._policy.require_date:
            return
        try:
            moment = parsedate_to_datetime(self._question.date).timestamp()
        except (ValueError, TypeError, OverflowError) as error:
            raise Fault("date", 403, NOT_VALIDATED, "no Date, or none that is one") from error
        if abs(self._now - moment) > self._policy.freshness:
            raise Fault("date", 403, NOT_VALIDATED, "the Date is stale")

    # Verdicts

    def _nothing(self) -> Verdict:
        detail = "of no supported ppt" if self._reading.ignored else "none"
        if self._policy.require_identity:
            return Verdict(
                State.INVALID,
                NOT_VALIDATED,
                428,
                REASONS[428],
                checks=(Check("identity", False, detail),),
            )
        return Verdict(State.NONE, checks=(Check("identity", None, detail),))

    def _valid(self, found: list[Judged], beside: Sequence[IdentityHeader]) -> Verdict:
        first, last = found[0], found[-1]
        claims = first.header.claims
        again = self._replays is not None and self._replays.again(
            last.header, self._question.call_id + b"\n" + self._question.from_tag, self._now
        )
        bad = again and self._policy.replayed_invalid
        checks = (*GOOD, Check("replay", not bad, "it came with another call") if again else FRESH)
        code, failed = 0, self._failures()
        if bad:
            code = 438
            failed += ((code, REASONS[code], last.header.token),)
        display, priority = self._beside(found, beside)
        return Verdict(
            State.INVALID if bad else State.VALID,
            NOT_VALIDATED if bad else PASSED,
            code,
            REASONS.get(code, ""),
            attest=claims.get("attest", ""),
            origid=claims.get("origid", ""),
            orig=claims["orig"].get("tn") or claims["orig"].get("uri", ""),
            dest=_named(last.header.claims["dest"]),
            iat=claims["iat"],
            x5u=first.header.x5u,
            spc=first.chain.spc,
            signer=first.chain.name,
            ppt=first.header.ppt,
            replayed=again,
            display={} if bad else display,
            priority=() if bad else priority,
            failed=failed,
            checks=checks,
        )

    def _refused(self) -> Verdict:
        """No token says who calls: by the first fault of its own, else it cannot be told."""
        faults = [fault for _, fault in self._failed]
        fault = next((each for each in faults if not each.unknown), faults[0])
        unknown = any(each.unknown for each in faults)
        if unknown:
            fault = next(each for each in faults if each.unknown)
        header = self._reading.headers[0] if self._reading.headers else None
        claims = header.claims if header else {}
        return Verdict(
            State.UNKNOWN if unknown else State.INVALID,
            self._verstat(fault),
            fault.code,
            REASONS.get(fault.code, ""),
            attest=claims.get("attest", ""),
            origid=claims.get("origid", ""),
            orig=claims.get("orig", {}).get("tn", ""),
            dest=_named(claims.get("dest", {})),
            iat=claims.get("iat", 0),
            x5u=header.x5u if header else "",
            ppt=header.ppt if header else "",
            failed=self._failures(),
            checks=tuple(
                Check(each.check, None if each.unknown else False, each.detail) for each in faults
            ),
        )

    def _verstat(self, fault: Fault) -> str:
        if fault.code == 438 and self._policy.malformed_failed and not fault.unknown:
            return FAILED
        return fault.verstat

    def _failures(self) -> tuple[tuple[int, str, bytes], ...]:
        return tuple(
            (fault.code, REASONS.get(fault.code, ""), token) for token, fault in self._failed
        )

    # What goes beside: priority (RFC 8443, 9027) and what is shown (RFC 9795)

    def _only_beside(self, beside: Sequence[IdentityHeader]) -> Verdict:
        """Nobody says who calls, though something else is signed."""
        display, priority = self._beside([], beside)
        if self._policy.require_identity:
            return self._nothing()
        return Verdict(
            State.NONE,
            display=display,
            priority=priority,
            failed=self._failures(),
            checks=(Check("identity", None, "none that says who calls"),),
        )

    def _beside(
        self, found: Sequence[Judged], beside: Sequence[IdentityHeader]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        display: dict[str, Any] = {}
        priority: list[str] = []
        for each in found:
            display |= shown(each.header.claims)
        for header in beside:
            try:
                if not self._is_called(header.claims, (self._dest,), self._question.dest):
                    raise Fault("dest", 438, NOT_VALIDATED, "dest is not the called number")
                self._check(header, [header])
            except Fault as fault:
                self._failed.append((header.token, fault))
                continue
            display |= shown(header.claims)
            for values in header.claims.get("rph", {}).values():
                priority += values
        asked = {each.strip().lower() for each in self._question.resource_priority}
        return display, tuple(each for each in priority if not asked or each.lower() in asked)


def shown(claims: dict[str, Any]) -> dict[str, Any]:
    """Of `rcd` what the token itself holds: nothing that would have to be fetched first."""
    card = claims.get("rcd")
    if card is None:
        return {}
    made = {name: card[name] for name in ("nam", "apn") if name in card}
    if "jcd" in card and _digest_fits(card["jcd"], claims.get("rcdi", {}).get("/jcd")):
        made["jcd"] = card["jcd"]
    if "crn" in claims:
        made["crn"] = claims["crn"]
    return made


def _digest_fits(value: Any, digest: str | None) -> bool:
    """Whether a digest of `rcdi` is of this value; what none is asked of is the token's own."""
    if digest is None:
        return True
    method, _, text = digest.partition("-")
    if method != "sha256":
        return False
    made = b64encode(sha256(canonical_json(value)).digest()).decode().rstrip("=")
    given = text.rstrip("=").replace("-", "+").replace("_", "/")
    return hmac.compare_digest(made, given)


def _check_signature(chain: Chain, header: IdentityHeader) -> None:
    r = int.from_bytes(header.signature[:32], "big")
    s = int.from_bytes(header.signature[32:], "big")
    try:
        chain.key.verify(encode_dss_signature(r, s), header.signed, ES256)
    except InvalidSignature as error:
        detail = "the signature is not of this certificate and these octets"
        raise Fault("signature", 438, FAILED, detail) from error


def _names(dest: dict[str, list[str]], party: dict[str, str]) -> bool:
    """Whether a dest holds the number or URI that a call was diverted from."""
    if "tn" in party:
        return party["tn"] in dest.get("tn", ())
    return any(_same_uri(uri, party["uri"]) for uri in dest.get("uri", ()))


def _named(dest: dict[str, list[str]]) -> tuple[str, ...]:
    return (*dest.get("tn", ()), *dest.get("uri", ()))


def _same_uri(one: str, other: str) -> bool:
    """Whether two URIs name one user at one host, whatever their parameters (RFC 8224 8.5)."""
    return _user_at_host(one) == _user_at_host(other) != ""


def _user_at_host(uri: str) -> str:
    opened = uri.find("<")
    if opened >= 0:
        uri = uri[opened + 1 :].partition(">")[0]
    scheme, colon, rest = uri.strip().partition(":")
    user, at, host = rest.rpartition("@")
    host = host.partition(";")[0].partition("?")[0].lower()
    if not colon or not host:
        return ""
    return f"{scheme.lower()}:{user.partition(';')[0]}{at}{host}"
