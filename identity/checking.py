"""What is checked of the tokens of a call, one after another (RFC 8224 section 6.2, RFC 8946).

Invariants
1. What costs least is checked first, the signature last, over the octets that came; each token is
   checked at most once, whatever chains it may be a part of.
2. What is amiss with a token is kept with it, and speaks against no other.
"""

from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from .chains import check_authority
from .model import NOT_VALIDATED, Chain, Fault, IdentityHeader, Policy, Question
from .reading import Faulty, Reading
from .replay import Replays
from .signatures import verified_digest
from .telephone import addr_spec, canonical_number

__all__ = [
    "ChainOf",
    "Checks",
    "Judged",
    "Refusal",
    "check_signature",
    "fresh_for",
    "is_called",
    "is_replayed",
    "stands",
]

ChainOf = Callable[[str], Chain]
Refusal = Callable[[IdentityHeader, Fault], Fault]


class Judged(NamedTuple):
    """A token that passed."""

    header: IdentityHeader
    chain: Chain


class Checks:
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
        self._orig = canonical_number(question.orig, question.default_cc)
        self._dest = canonical_number(question.dest, question.default_cc)

    def _good(self, headers: Sequence[IdentityHeader]) -> Iterator[Judged]:
        """Those that are good by themselves, as a part of a diverted call."""
        for header in headers:
            try:
                yield self._check(header, self._policy.div_freshness)
            except Fault as fault:
                self._failed.append((header.token, fault))

    def _path(self, header: IdentityHeader, diversions: Sequence[Judged]) -> list[Judged]:
        """A token with the diversions that lead from it to where the call goes, else alone where it
        is to the called number; empty for none."""
        straight = is_called(header.claims, self._dest, self._question.dest)
        try:
            if diversions:
                first = self._check(header, self._policy.div_freshness)
                path = self._diverted(first, diversions)
                if path or (straight and self._is_fresh(header)):
                    return path or [first]
            elif straight:
                return [self._check(header, self._policy.freshness)]
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


def borne_out(header: IdentityHeader, chain_of: ChainOf, refusal: Refusal | None) -> Chain:
    """The chain of a token whose claims it allows, and whose signature is its own. Raises Fault."""
    try:
        chain = chain_of(header.info)  # it is x5u
        check_authority(chain, header.claims, header.ppt)
        check_signature(chain.key, header)
    except Fault as fault:
        raise stands(header, fault, refusal) from fault
    return chain


def stands(header: IdentityHeader, fault: Fault, refusal: Refusal | None) -> Fault:
    """What becomes of the fault of a token that its certificate does not bear out."""
    return fault if refusal is None or fault.unknown else refusal(header, fault)


def is_replayed(
    question: Question,
    headers: Sequence[IdentityHeader],
    policy: Policy,
    now: float,
    replays: Replays | None,
) -> bool:
    """Whether the last token came with another call. A diverted one before it may have. A call
    without a Call-ID is none that could be told from another: it is neither found nor kept."""
    again = False
    if replays is not None and question.call_id:
        call = question.call_id + b"\n" + question.from_tag
        for header in headers:
            digest, left = sha256(header.signed).digest(), fresh_for(header, policy, now)
            again = replays.again(digest, header.signature, call, now, left, question.tenant)
    return again


def fresh_for(header: IdentityHeader, policy: Policy, now: float) -> float:
    """For how many seconds more, and one, a token is fresh."""
    left: float = header.claims["iat"] + policy.freshness + 1 - now
    return left


def check_signature(key: EllipticCurvePublicKey, header: IdentityHeader) -> None:
    """Raises Fault unless the key has signed the octets that came."""
    verified_digest(key, header.signed, header.signature)


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


def same_uri(one: str, other: str) -> bool:
    """Whether two URIs name one user at one host, whatever their parameters (RFC 8224 8.5)."""
    return user_at_host(one) == user_at_host(other) != ""


def user_at_host(uri: str) -> str:
    scheme, colon, rest = addr_spec(uri).strip().partition(":")
    user, at, host = rest.rpartition("@")
    host = host.partition(";")[0].partition("?")[0].lower()
    if not colon or not host:
        return ""
    return f"{scheme.lower()}:{user.partition(';')[0]}{at}{host}"
