"""What call records say of caller identity: fields of CallRecord, as octets that stand behind it.

Invariants
1. No more than RECORD_MOST octets: what a stranger's token says is cut, and checks are left out
   from the last on.
"""

from functools import lru_cache
from urllib.parse import urlsplit

from ..fastpath.model import Origination
from ..identity.model import Check, Signed, SignRequest, State, Verdict
from ..identity.service import PlainSigned
from ..v1.screening_pb2 import CallRecord, Identity, IdentityCheck, Signature
from .questions import ToSign

__all__ = ["RECORD_MOST", "diversion_octets", "identity_octets", "signature_octets"]

UNASKED = int(State.UNASKED)
RECORD_MOST = 2_048  # octets: a worker's record has 8,192 for all
TEXT_MOST = 200  # characters of one value
IDENTITY_TAG = bytes((CallRecord.IDENTITY_FIELD_NUMBER << 3 | 2,))
SIGNATURE_TAG = bytes((0x80 | CallRecord.SIGNATURE_FIELD_NUMBER << 3 & 0x7F | 2, 1))  # field 16
VERDICT_ORIGID_TAG = bytes((Identity.DESCRIPTOR.fields_by_name["origid"].number << 3 | 2,))
HELD: dict[int, tuple[tuple[Check, ...], tuple[tuple[bytes, ...], bytes]]] = {}
HELD_MOST = 64
ORIG_TAG, DEST_TAG, ORIGID_TAG, FAILURE_TAG = (
    bytes((Signature.DESCRIPTOR.fields_by_name[name].number << 3 | 2,))
    for name in ("orig", "dest", "origid", "failure")
)
CODES_MOST = 8  # service provider codes


def identity_octets(verdict: Verdict) -> bytes:
    """A verdict as it stands in a record; empty where none was asked for."""
    state, origid = int(verdict.state), verdict.origid
    if state == UNASKED:
        return b""
    codes, signer, x5u = verdict.spc[:CODES_MOST], verdict.signer, verdict.x5u
    said = verdict.verstat, verdict.code, verdict.attest
    octets = alike(state, *said, codes, signer, x5u, verdict.replayed)
    if origid:
        octets += field(VERDICT_ORIGID_TAG, origid[:TEXT_MOST])
    octets += issued(verdict.iat)
    fields, together = check_fields(verdict.checks)
    if len(octets) + len(together) <= RECORD_MOST:
        octets += together
    else:
        for each in fields:
            if len(octets) + len(each) > RECORD_MOST:
                break
            octets += each
    return IDENTITY_TAG + length(octets) + octets


@lru_cache(maxsize=256)
def alike(
    state: int,
    verstat: str,
    code: int,
    attest: str,
    spc: tuple[str, ...],
    signer: str,
    x5u: str,
    replayed: bool,
) -> bytes:
    """What the verdicts on calls of a signer have in common, if they are good."""
    return Identity(
        state=State(state).name.lower(),
        verstat=cut(verstat),
        code=code,
        attest=cut(attest),
        spc=map(cut, spc),
        signer=cut(signer),
        x5u_host=cut(host_of(x5u)),
        replayed=replayed,
    ).SerializeToString()


@lru_cache(maxsize=64)
def issued(iat: int) -> bytes:
    return Identity(iat=seconds(iat)).SerializeToString()


def check_fields(checks: tuple[Check, ...]) -> tuple[tuple[bytes, ...], bytes]:
    """Each check as a field of Identity, and all in a row; those of good calls are one object."""
    held = HELD.get(id(checks))
    if held is not None:
        return held[1]
    fields = tuple(
        Identity(
            checks=[IdentityCheck(name=cut(one.name), passed=one.passed, detail=cut(one.detail))]
        ).SerializeToString()
        for one in checks
    )
    if len(HELD) >= HELD_MOST:
        HELD.clear()
    found = fields, b"".join(fields)
    HELD[id(checks)] = checks, found  # what is held keeps its id
    return found


def signature_octets(
    origination: Origination,
    request: ToSign | None = None,
    signed: PlainSigned | None = None,
    failure: str = "",
) -> bytes:
    """How a call was signed, or why not, as it stands in a record."""
    octets = source_fields(origination)
    if request is not None:
        octets += field(ORIG_TAG, request.orig) + field(DEST_TAG, request.dest)
        if signed is not None:
            octets += field(ORIGID_TAG, signed.origid) + moment(request.iat, signed.certificate)
    if failure:
        octets += field(FAILURE_TAG, cut(failure))
    return SIGNATURE_TAG + length(octets) + octets


def diversion_octets(
    provider: str, cert_name: str, request: SignRequest | None, signed: Signed | None, failure: str
) -> bytes:
    """How a diversion was signed, or why not, as it stands in a record."""
    made = Signature(service_provider_name=provider, cert_name=cut(cert_name), failure=cut(failure))
    if request is not None:
        made.orig, made.div = cut(request.orig), cut(request.div)
        made.dest.extend(map(cut, request.dest))
    if signed is not None:
        made.iat, made.certificate = signed.iat, signed.certificate
    octets = made.SerializeToString()
    return SIGNATURE_TAG + length(octets) + octets


@lru_cache(maxsize=1_024)
def source_fields(origination: Origination) -> bytes:
    """What the calls of a source have in common in their records."""
    return Signature(
        service_provider_name=origination.service_provider_name,
        source_name=origination.source_name,
        mask=origination.mask,
        attest=origination.attest,
        cert_name=origination.cert_name,
    ).SerializeToString()


@lru_cache(maxsize=64)
def moment(iat: int, certificate: str) -> bytes:
    """What the signatures of a second have in common, by certificate."""
    return Signature(iat=iat, certificate=certificate).SerializeToString()


def field(tag: bytes, words: str) -> bytes:
    """A text of TEXT_MOST characters at most as it stands in a message."""
    octets = words.encode("utf-8", "replace")
    size = len(octets)
    return b"%b%c%b" % (tag, size, octets) if size < 0x80 else tag + length(octets) + octets


def length(octets: bytes) -> bytes:
    """How long a field is, as protobuf has it: below 2^14."""
    size = len(octets)
    return bytes((size,)) if size < 0x80 else bytes((size & 0x7F | 0x80, size >> 7))


def host_of(url: str) -> str:
    """The host of a URL; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def seconds(number: int) -> int:
    """A time that fits its field; 0 for one that does not."""
    return number if -(2**63) <= number < 2**63 else 0


def cut(words: str) -> str:
    """At most TEXT_MOST characters, each of which UTF-8 knows."""
    return words[:TEXT_MOST].encode("utf-8", "replace").decode()
