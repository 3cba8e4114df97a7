"""Whom a verifier trusts: one value that never changes, exchanged whole for the next.

Invariants
1. A trust list that its signer has not signed, that has ended or that holds no root is a Fault.
2. A root is a CA's own certificate: whatever else a file holds is a Fault.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from .canonical import strict_json
from .certificates import PATH_MOST, authority_of, certificate_fault, p256_key
from .model import Fault
from .revocation import Revocations

__all__ = ["ROOTS_OCTETS", "Trust", "TrustList", "path_to", "read_trust_list", "roots_of"]

ROOTS_OCTETS = 4 * 1024 * 1024  # of a file of roots or a trust list
ROOTS_MOST = 1_000
ES256_OCTETS = 64
LIST_DEPTH = 4  # of its JSON

CA_POLICY = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, None
)
CA_POLICY = CA_POLICY.may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
END_POLICY = ExtensionPolicy.permit_all().may_be_present(
    x509.CertificatePolicies, Criticality.AGNOSTIC, None
)


@dataclass(frozen=True)
class Trust:
    """Roots that a path must end in, and what was revoked; `name` is for people."""

    roots: tuple[x509.Certificate, ...] = ()
    revocations: Revocations = field(default_factory=Revocations)
    name: str = ""
    store: Store | None = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "store", Store(list(self.roots)) if self.roots else None)


class TrustList(NamedTuple):
    """What the STI-PA publishes: roots, a number that rises, and when it ends."""

    roots: tuple[x509.Certificate, ...]
    sequence: int
    expires: float  # seconds since 1970


def roots_of(octets: bytes) -> tuple[x509.Certificate, ...]:
    """The roots of a PEM text or one in DER. Raises Fault."""
    if len(octets) > ROOTS_OCTETS or octets.count(b"-----BEGIN") > ROOTS_MOST:
        raise certificate_fault("too many roots")
    try:
        if b"-----BEGIN" in octets:
            roots = tuple(x509.load_pem_x509_certificates(octets))
        else:
            roots = (x509.load_der_x509_certificate(octets),)
    except ValueError as error:
        raise certificate_fault("no certificates of roots") from error
    for root in roots:
        if not _is_ca(root):
            raise certificate_fault(f"{root.subject.rfc4514_string()} is no CA")
    return roots


def path_to(
    store: Store, leaf: x509.Certificate, others: Sequence[x509.Certificate], now: float
) -> list[x509.Certificate]:
    """The path from a certificate to a root of the store, both included (RFC 5280 6). Raises Fault.

    The policy that real STI certificates name as critical is known; another critical extension
    that is not is refused.
    """
    policy = PolicyBuilder().store(store).time(datetime.fromtimestamp(now, UTC))
    policy = policy.max_chain_depth(PATH_MOST)
    policy = policy.extension_policies(ca_policy=CA_POLICY, ee_policy=END_POLICY)
    try:
        return policy.build_client_verifier().verify(leaf, list(others)).chain
    except VerificationError as error:
        raise certificate_fault(f"no path to a root: {error}") from error
    except ValueError as error:
        raise certificate_fault(f"cannot be judged: {error}") from error


def read_trust_list(jwt: bytes, anchors: Sequence[x509.Certificate], now: float) -> TrustList:
    """A signed list of roots (ATIS-1000084). Raises Fault.

    Its signer is one of `anchors`, or has a path to one in the header's `x5c`.
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
    signed = parts[0] + b"." + parts[1]
    signers = [*anchors, *_signer(head, anchors, now)]
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
    head: dict[str, Any], anchors: Sequence[x509.Certificate], now: float
) -> list[x509.Certificate]:
    """The certificate of `x5c`, where it has a path to an anchor."""
    texts = head.get("x5c")
    if not texts or not anchors:
        return []
    if not isinstance(texts, list) or len(texts) > PATH_MOST:
        raise certificate_fault("the trust list: x5c is no path")
    try:
        path = [x509.load_der_x509_certificate(base64.b64decode(text)) for text in texts]
    except (ValueError, TypeError) as error:
        raise certificate_fault("the trust list: x5c is no path") from error
    if len({each.subject.public_bytes() for each in path}) < len(path):
        raise certificate_fault("the trust list: x5c has two certificates of one name")
    path_to(Store(list(anchors)), path[0], path[1:], now)
    if authority_of(path[0]) is not None:  # one who may sign calls may not say whom to trust
        raise certificate_fault("the trust list: x5c is a provider's certificate")
    return path[:1]


def _verified(signer: x509.Certificate, signed: bytes, signature: bytes) -> bool:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        p256_key(signer).verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except (InvalidSignature, Fault):
        return False
    return True


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, ValueError):
        return False
    return found.value.ca
