"""Paths of certificates up to those that are trusted (RFC 5280 section 6), and who signs lists.

Invariants
1. A path ends in a certificate that the caller trusts, and every one of it holds at that time.
2. Who signs a list is a CA that is trusted for it, or has a path to one; never a provider.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from .certificates import PATH_MOST, authority_of, certificate_fault, readable
from .listing import url_of
from .model import Fault

__all__ = [
    "SIGNATURES",
    "check_no_provider",
    "ends_of",
    "is_ca",
    "is_path",
    "is_strong",
    "path_to",
    "signers_in",
    "usage_of",
]

SIGNATURES = frozenset(
    {SignatureAlgorithmOID.ECDSA_WITH_SHA256, SignatureAlgorithmOID.RSA_WITH_SHA256}
)
ANY_USE = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
RSA_BITS = 2_048  # at least
RSA_BITS_MOST = 8_192  # and an exponent no larger: a stranger's key would cost what it likes
RSA_EXPONENT_MOST = 65_537

CA_POLICY = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, None
)
CA_POLICY = CA_POLICY.may_be_present(x509.CertificatePolicies, Criticality.AGNOSTIC, None)
END_POLICY = ExtensionPolicy.permit_all().may_be_present(
    x509.CertificatePolicies, Criticality.AGNOSTIC, None
)


def path_to(
    store: Store, leaf: x509.Certificate, others: Sequence[x509.Certificate], now: float
) -> list[x509.Certificate]:
    """The path from a certificate to a root of the store, both included (RFC 5280 6). Raises Fault.

    The policy that real STI certificates name as critical is known; another critical extension
    that is not is refused. Each above the first is a CA's; what the first is for is not looked at.
    """
    with readable("cannot be judged"):
        policy = PolicyBuilder().store(store).time(datetime.fromtimestamp(now, UTC))
        policy = policy.max_chain_depth(PATH_MOST)
        policy = policy.extension_policies(ca_policy=CA_POLICY, ee_policy=END_POLICY)
        try:
            found = policy.build_client_verifier().verify(leaf, list(others)).chain
        except VerificationError as error:
            raise certificate_fault(f"no path to a root: {error}") from error
        _check_algorithms(found)
        _check_uses(found)
        return found


def _check_algorithms(found: Sequence[x509.Certificate]) -> None:
    """P-256 and SHA-256 throughout (ATIS-1000080); a CA of the older profile may have RSA."""
    for place, certificate in enumerate(found):
        if place + 1 < len(found) and certificate.signature_algorithm_oid not in SIGNATURES:
            raise certificate_fault("a path that is not signed with SHA-256")
        if not is_strong(certificate):
            raise certificate_fault("a key of the path that is neither of P-256 nor RSA")


def _check_uses(found: Sequence[x509.Certificate]) -> None:
    """Who stands above another signs certificates (RFC 5280 4.2.1.3). Raises Fault."""
    for certificate in found[1:]:
        if not is_ca(certificate):
            raise certificate_fault("signed by a certificate that is no CA's")
        usage = usage_of(certificate)
        if usage is None and certificate is found[-1]:
            continue  # a root is trusted for its name and key
        if usage is None or not usage.key_cert_sign:
            raise certificate_fault("signed by a CA whose key is not for certificates")
    for certificate in found:
        for extension in certificate.extensions:
            _check_limits(extension)


def _check_limits(extension: x509.Extension[Any]) -> None:
    """What says where a certificate counts, and is not looked into, refuses it. Raises Fault."""
    value = extension.value
    if isinstance(value, x509.NameConstraints):
        raise certificate_fault("a CA with constraints on names")
    if isinstance(value, x509.ExtendedKeyUsage) and extension.critical and ANY_USE not in value:
        raise certificate_fault("a key that is for something else alone")


def signers_in(
    held: Sequence[x509.Certificate], now: float
) -> Iterator[tuple[x509.Certificate, float]]:
    """Those that may sign a list now, and until when: CAs, and what has a path to one of them."""
    anchors = [each for each in held if is_ca(each) and _holds(each, now)]
    for anchor in anchors:
        yield anchor, ends_of([anchor])
    if not anchors:
        return
    store = Store(anchors)
    for each in held:
        if is_ca(each):
            continue
        try:
            check_no_provider(each)
            yield each, ends_of(path_to(store, each, (), now))
        except Fault:
            continue  # another may do


def check_no_provider(certificate: x509.Certificate) -> None:
    """One who may sign calls may not say whom to trust. Raises Fault."""
    if authority_of(certificate) is not None or url_of(certificate):
        raise certificate_fault("a provider's certificate signs no list")


def is_path(path: Sequence[x509.Certificate]) -> bool:
    """Whether each certificate is signed by the next, a CA's; dates aside. Raises Fault."""
    for child, parent in pairwise(path):
        usage = usage_of(parent)
        if not is_ca(parent) or (usage is not None and not usage.key_cert_sign):
            return False
        try:
            child.verify_directly_issued_by(parent)
        except (InvalidSignature, UnsupportedAlgorithm, TypeError, ValueError):
            return False
    return True


def is_ca(certificate: x509.Certificate) -> bool:
    """Whether its basicConstraints say so. Raises Fault where they cannot be read."""
    with readable("its extensions cannot be read"):
        for extension in certificate.extensions:
            if isinstance(extension.value, x509.BasicConstraints):
                return extension.value.ca
    return False


def usage_of(certificate: x509.Certificate) -> x509.KeyUsage | None:
    """What its key is for; None where it does not say. Raises Fault."""
    with readable("its extensions cannot be read"):
        for extension in certificate.extensions:
            if isinstance(extension.value, x509.KeyUsage):
                return extension.value
    return None


def is_strong(certificate: x509.Certificate) -> bool:
    """Whether its key is of P-256 (ATIS-1000080) or, as in the older profile, of RSA, and costs no
    more than such keys do. Raises Fault."""
    with readable("its key cannot be read"):
        key = certificate.public_key()
    if isinstance(key, RSAPublicKey):
        exponent = key.public_numbers().e
        return RSA_BITS <= key.key_size <= RSA_BITS_MOST and exponent <= RSA_EXPONENT_MOST
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)


def ends_of(path: Sequence[x509.Certificate]) -> float:
    """When the first of them ends, in seconds since 1970. Raises Fault."""
    with readable("its dates cannot be read"):
        return min(each.not_valid_after_utc.timestamp() for each in path)


def _holds(certificate: x509.Certificate, now: float) -> bool:
    with readable("its dates cannot be read"):
        return certificate.not_valid_before_utc.timestamp() <= now <= ends_of([certificate])
