"""Whom a verifier trusts: one value that never changes, exchanged whole for the next.

Invariants
1. A trust list that its signer has not signed, that has ended or that holds no root is a Fault.
2. A root is a CA's own certificate: whatever else a file holds is a Fault.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import Store

from .canonical import strict_json
from .certificates import PATH_MOST, certificate_fault, p256_key, readable
from .model import Fault
from .names import name_key
from .paths import check_no_provider, ends_of, is_ca, path_to, signers_in, usage_of
from .revocation import Revocations

__all__ = ["ROOTS_OCTETS", "Trust", "TrustList", "read_trust_list", "roots_of", "signers_of"]

ROOTS_OCTETS = 4 * 1024 * 1024  # of a file of roots or a trust list
ROOTS_MOST = 1_000
ES256_OCTETS = 64
LIST_DEPTH = 4  # of its JSON


@dataclass(frozen=True)
class Trust:
    """Roots that a path must end in, and what was revoked; `name` is for people, `apart` has the
    lists of roots for which another than `revocations` counts, or more."""

    roots: tuple[x509.Certificate, ...] = ()
    revocations: Revocations = field(default_factory=Revocations)
    name: str = ""
    apart: Mapping[x509.Certificate, tuple[Revocations, ...]] = field(
        default_factory=dict, hash=False, repr=False
    )
    store: Store | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Store(list(self.roots)) if self.roots else None)

    def lists_of(self, root: x509.Certificate) -> tuple[Revocations, ...]:
        """What is asked of certificates of a root: at least one list."""
        return self.apart.get(root, (self.revocations,))


class TrustList(NamedTuple):
    """What the STI-PA publishes: roots, a number that rises, and when it ends."""

    roots: tuple[x509.Certificate, ...]
    sequence: int
    expires: float  # seconds since 1970

    def is_older_than(self, other: "TrustList") -> bool:
        return (self.sequence, self.expires) < (other.sequence, other.expires)


def roots_of(octets: bytes) -> tuple[x509.Certificate, ...]:
    """The roots of a PEM text or one in DER. Raises Fault."""
    roots = _certificates(octets)
    for root in roots:
        if not is_ca(root):
            raise certificate_fault(f"{root.subject.rfc4514_string()} is no CA")
    return roots


def signers_of(octets: bytes) -> tuple[x509.Certificate, ...]:
    """Who signs the trust list and the CRL: CAs, and certificates below them. Raises Fault.

    The STI-PA signs with certificates of its own root, which neither list carries.
    """
    held = _certificates(octets)
    if not any(map(is_ca, held)):
        raise certificate_fault("no CA among those who sign the trust list and the CRL")
    return held


def _certificates(octets: bytes) -> tuple[x509.Certificate, ...]:
    if len(octets) > ROOTS_OCTETS or octets.count(b"-----BEGIN") > ROOTS_MOST:
        raise certificate_fault("too many roots")
    with readable("no certificates of roots"):
        if b"-----BEGIN" in octets:
            found = tuple(x509.load_pem_x509_certificates(octets))
        else:
            found = (x509.load_der_x509_certificate(octets),)
        for each in found:  # what could not be read later is refused now
            name_key(each.subject), name_key(each.issuer), ends_of([each])
    return found


def read_trust_list(jwt: bytes, held: Sequence[x509.Certificate], now: float) -> TrustList:
    """A signed list of roots (ATIS-1000084, RFC 7515). Raises Fault.

    `held` are CAs that are trusted to sign it, or to issue the certificate of who does: that stands
    among them, or is the first of the header's `x5c`. No URL or key in the header counts.
    """
    if len(jwt) > ROOTS_OCTETS:
        raise certificate_fault("the trust list is too long")
    parts = jwt.strip().split(b".")
    if len(parts) != 3:
        raise certificate_fault("the trust list is no JWT")
    try:
        head = strict_json(_decoded(parts[0]), most=ROOTS_OCTETS, depth=LIST_DEPTH)
        body = strict_json(_decoded(parts[1]), most=ROOTS_OCTETS, depth=LIST_DEPTH)
        signature = _decoded(parts[2])
    except ValueError as error:
        raise certificate_fault(f"the trust list: {error}") from error
    if head.get("alg") != "ES256" or len(signature) != ES256_OCTETS:
        raise certificate_fault("the trust list is not signed with ES256")
    if "crit" in head:  # nothing is known that might stand there
        raise certificate_fault("the trust list has a header that must be understood")
    signed = parts[0] + b"." + parts[1]
    signers = [*_signer(head, held, now), *(each for each, _ in signers_in(held, now))]
    if not any(_verified(signer, signed, signature) for signer in signers):
        raise certificate_fault("the trust list is signed by nobody who may")
    return _listed(body, now)


def _listed(body: dict[str, Any], now: float) -> TrustList:
    sequence, expires, texts = body.get("sequence"), body.get("exp"), body.get("trustList")
    if type(sequence) is not int or type(expires) is not int or not isinstance(texts, list):
        raise certificate_fault("the trust list lacks sequence, exp or trustList")
    if now >= expires:
        raise certificate_fault("the trust list has ended")
    if not texts or not all(isinstance(text, str) for text in texts):
        raise certificate_fault("the trust list holds no certificates")
    return TrustList(roots_of("\n".join(texts).encode()), sequence, float(expires))


def _signer(
    head: dict[str, Any], held: Sequence[x509.Certificate], now: float
) -> list[x509.Certificate]:
    """The certificate of `x5c`, where it has a path to a CA that may sign."""
    texts = head.get("x5c")
    if texts is None:
        return []
    if not isinstance(texts, list) or not 0 < len(texts) <= PATH_MOST:
        raise certificate_fault("the trust list: x5c is no path")
    with readable("the trust list: x5c is no path"):
        path = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in texts]
        names = {each.subject.public_bytes() for each in path}
    if len(names) < len(path):
        raise certificate_fault("the trust list: x5c has two certificates of one name")
    anchors = [each for each, _ in signers_in(held, now) if is_ca(each)]
    if not anchors:
        return []
    check_no_provider(path[0])
    path_to(Store(anchors), path[0], path[1:], now)
    return path[:1]


def _verified(signer: x509.Certificate, signed: bytes, signature: bytes) -> bool:
    """Whether it has signed, and its key is for that; a CA's that is trusted for it always is."""
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        usage = usage_of(signer)
        if usage is not None and not usage.digital_signature and not is_ca(signer):
            return False
        p256_key(signer).verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except (InvalidSignature, Fault):
        return False
    return True


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError("no base64") from error
