"""What call records say of caller identity: fields of CallRecord, as octets that stand behind it.

Invariants
1. No more than RECORD_MOST octets: what a stranger's token says is cut, and checks are left out
   from the last on.
"""

from urllib.parse import urlsplit

from ..fastpath.model import Origination
from ..identity.model import Signed, SignRequest, State, Verdict
from ..v1.screening_pb2 import CallRecord, Identity, IdentityCheck, Signature

__all__ = ["RECORD_MOST", "identity_octets", "signature_octets"]

RECORD_MOST = 2_048  # octets: a worker's record has 8,192 for all
TEXT_MOST = 200  # characters of one value
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
    room = RECORD_MOST - said.ByteSize()
    for check in verdict.checks:
        each = IdentityCheck(name=cut(check.name), passed=check.passed, detail=cut(check.detail))
        room -= each.ByteSize() + 3  # its tag and its length
        if room < 0:
            break
        said.checks.append(each)
    return CallRecord(identity=said).SerializeToString()


def signature_octets(
    origination: Origination,
    request: SignRequest | None = None,
    signed: Signed | None = None,
    failure: str = "",
) -> bytes:
    """How a call was signed, or why not, as it stands in a record."""
    said = Signature(
        service_provider_name=origination.service_provider_name,
        source_name=origination.source_name,
        mask=origination.mask,
        attest=origination.attest,
        cert_name=origination.cert_name,
        failure=cut(failure),
    )
    if request is not None:
        said.orig, said.dest[:] = cut(request.orig), [cut(each) for each in request.dest]
    if signed is not None:
        said.certificate, said.origid, said.iat = signed.certificate, signed.origid, signed.iat
    return CallRecord(signature=said).SerializeToString()


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
