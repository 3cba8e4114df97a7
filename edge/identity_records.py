"""What call records say of caller identity: fields of CallRecord, as octets that stand behind it.

Invariants
1. No more than RECORD_MOST octets: what a stranger's token says is cut, and checks are left out
   from the last on.
"""

from functools import lru_cache
from urllib.parse import urlsplit

from ..fastpath.model import Origination
from ..identity.model import Check, Signed, SignRequest, State, Verdict
from ..v1.screening_pb2 import CallRecord, Identity, IdentityCheck, Signature

__all__ = ["RECORD_MOST", "identity_octets", "signature_octets"]

RECORD_MOST = 2_048  # octets: a worker's record has 8,192 for all
TEXT_MOST = 200  # characters of one value
IDENTITY_TAG = bytes((CallRecord.IDENTITY_FIELD_NUMBER << 3 | 2,))
SIGNATURE_TAG = bytes((0x80 | CallRecord.SIGNATURE_FIELD_NUMBER << 3 & 0x7F | 2, 1))  # field 16
CODES_MOST = 8  # service provider codes


def identity_octets(verdict: Verdict) -> bytes:
    """A verdict as it stands in a record; empty where none was asked for."""
    if verdict.state == State.UNASKED:
        return b""
    said = Identity(
        state=verdict.state.name.lower(),
        verstat=cut(verdict.verstat),
        code=verdict.code,
        attest=cut(verdict.attest),
        origid=cut(verdict.origid),
        spc=map(cut, verdict.spc[:CODES_MOST]),
        signer=cut(verdict.signer),
        iat=seconds(verdict.iat),
        x5u_host=cut(host_of(verdict.x5u)),
        replayed=verdict.replayed,
    )
    octets = said.SerializeToString()
    for each in check_fields(verdict.checks):
        if len(octets) + len(each) > RECORD_MOST:
            break
        octets += each
    return IDENTITY_TAG + length(octets) + octets


@lru_cache(maxsize=64)  # those of good calls are the same every time
def check_fields(checks: tuple[Check, ...]) -> tuple[bytes, ...]:
    """Each check as a field of Identity."""
    return tuple(
        Identity(
            checks=[IdentityCheck(name=cut(one.name), passed=one.passed, detail=cut(one.detail))]
        ).SerializeToString()
        for one in checks
    )


def signature_octets(
    origination: Origination,
    request: SignRequest | None = None,
    signed: Signed | None = None,
    failure: str = "",
) -> bytes:
    """How a call was signed, or why not, as it stands in a record."""
    said = Signature(failure=cut(failure))
    if request is not None:
        said.orig, said.dest[:] = cut(request.orig), [cut(each) for each in request.dest]
    if signed is not None:
        said.certificate, said.origid, said.iat = signed.certificate, signed.origid, signed.iat
    octets = source_fields(origination) + said.SerializeToString()
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
