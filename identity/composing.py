"""What a token is to say for a request: the claims of shaken, div, rph or rcd.

Invariants
1. The claims have the shape that a verifier asks of their `ppt`.
2. A `div` stands beside its original: it keeps its `orig` and `iat`, and diverts from its `dest`
   (RFC 8946 section 4.1). The original is fresh, as a verifier asks of its `iat`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from .canonical import canonical_json
from .claims import ATTESTATIONS, NAMES_MOST, check_shape, is_origid, is_tn, is_uri
from .header import read_identity
from .model import Fault, SignRequest
from .telephone import is_e164
from .writing import APART_MOST, fresh_uuid

__all__ = ["APART_MOST", "Composed", "NoSignature", "composed", "fresh_uuid", "origid_of"]

SOURCES = UUID("3f0f7f0e-7d5c-5a57-9a0e-6c1f3a1c2b77")  # the name space of those that are made
ASIDE = ("crn", "rcdi")  # of a request's rcd: they stand beside that claim, not in it


class NoSignature(ValueError):
    """A call that is not signed, and why; it goes on without a signature."""


class Unusable(NoSignature):
    """A certificate or key that cannot be used; why is the operator's alone: it may name files."""


class Composed(NamedTuple):
    ppt: str
    claims: dict[str, Any]
    origid: str
    iat: int


def origid_of(orig_id: str, provider: str) -> str:
    """The `origid` of a source's orig_id: itself where it is a UUID, as it must be (RFC 8588), else
    one made of it and its provider, always the same: so that it leads back to the source."""
    if not orig_id or is_origid(orig_id):
        return orig_id
    return str(uuid5(SOURCES, f"{provider}/{orig_id}"))


def composed(request: SignRequest, now: float) -> Composed:
    """The token that a request asks for: `div`, else `rph`, else `rcd` where nothing is attested,
    else shaken, with its `rcd` in it. `now` in seconds. Raises NoSignature."""
    if request.attest == "N":
        raise NoSignature("attestation N: not to be signed")
    if request.div:
        return diverted(request, now)
    if not is_e164(request.orig):
        raise NoSignature("the calling number is not one of E.164")
    iat = request.iat or int(now)
    check_time(iat, now)
    claims = {"dest": dest_of(request.dest), "iat": iat, "orig": {"tn": request.orig}}
    if request.rph or request.sph:
        return shaped("rph", claims | priority_of(request), iat)
    if not request.attest and request.rcd:
        return shaped("rcd", claims | display_of(request.rcd), iat)
    return attested(request, claims, iat)


def attested(request: SignRequest, claims: dict[str, Any], iat: int) -> Composed:
    """Shaken (RFC 8588). Every part is looked at here, so that the shape need not be again."""
    if request.attest not in ATTESTATIONS:
        raise NoSignature(f"no attestation: {request.attest[:10]!r}")
    origid = request.origid or fresh_uuid()
    if request.origid and not is_origid(origid):
        raise NoSignature("origid is no UUID")
    claims["attest"] = request.attest
    claims["origid"] = origid
    if request.rcd:
        return shaped("shaken", claims | display_of(request.rcd), iat, origid)
    return Composed("shaken", claims, origid, iat)


def check_time(iat: int, now: float) -> None:
    """Raises NoSignature unless a token of that time is fresh. `iat` may be any integer."""
    if not now - APART_MOST <= iat <= now + APART_MOST:
        raise NoSignature(f"iat is more than {APART_MOST} seconds off")


def diverted(request: SignRequest, now: float) -> Composed:
    """`dest` is where the call goes now; the rest is the original's."""
    if not request.original:
        raise NoSignature("a div without its original")
    try:
        original = read_identity(request.original)
        check_shape(original.claims, original.ppt)
    except Fault as fault:
        raise NoSignature(f"the original of a div: {fault}") from fault
    kind = kind_of(request.div)
    if request.div not in original.claims["dest"].get(kind, ()):
        raise NoSignature("the original of a div has another dest")
    orig = original.claims["orig"]
    if request.orig and request.orig not in orig.values():
        raise NoSignature("the original of a div has another orig")
    iat = original.claims["iat"]
    check_time(iat, now)
    dest, div = dest_of(request.dest), {kind: request.div}
    return shaped("div", {"dest": dest, "div": div, "iat": iat, "orig": orig}, iat)


def shaped(ppt: str, claims: dict[str, Any], iat: int, origid: str = "") -> Composed:
    """Claims that others wrote a part of. Raises NoSignature unless a verifier would take them."""
    try:
        check_shape(claims, ppt)
        canonical_json(claims)
    except (Fault, ValueError) as error:
        raise NoSignature(str(error)) from error
    return Composed(ppt, claims, origid, iat)


def dest_of(given: Sequence[str]) -> dict[str, list[str]]:
    """`dest`: numbers under `tn`, URIs under `uri`, in the order given."""
    if len(given) == 1 and is_tn(given[0]):
        return {"tn": [given[0]]}
    dest: dict[str, list[str]] = {}
    for each in given:
        dest.setdefault(kind_of(each), []).append(each)
    if not dest or max(map(len, dest.values())) > NAMES_MOST:
        raise NoSignature(f"a call goes to 1 to {NAMES_MOST} numbers")
    return dest


def kind_of(address: str) -> str:
    if is_tn(address):
        return "tn"
    if is_uri(address):
        return "uri"
    raise NoSignature(f"neither a number nor a URI: {address[:40]!r}")


def priority_of(request: SignRequest) -> dict[str, Any]:
    rph: dict[str, Any] = {"rph": {"auth": list(request.rph)}}
    return rph | {"sph": request.sph} if request.sph else rph


def display_of(rcd: dict[str, Any]) -> dict[str, Any]:
    aside = {name: rcd[name] for name in ASIDE if name in rcd}
    card = {name: value for name, value in rcd.items() if name not in ASIDE}
    return aside | {"rcd": card} if card else aside
