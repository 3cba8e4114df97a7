"""Whether a signer's certificate may be believed, and for which numbers and claims.

Invariants
1. A chain is judged once and then known until `Chain.until`: nothing that can change the verdict
   earlier is left out of it but the trust itself, which is exchanged whole.
2. What cannot be said of a path (no roots, a list of revoked certificates that has ended) is a
   Fault that is `unknown`; all else that is amiss refuses the call: 437.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import SignatureAlgorithmOID

from .certificates import (
    PATH_MOST,
    Authority,
    authority_of,
    certificate_fault,
    constraints_of,
    fingerprint,
    p256_key,
)
from .model import NOT_VALIDATED, Chain, Constraints, Fault
from .trust import Trust, path_to

__all__ = ["check_authority", "judge_chain"]

SIGNATURES = frozenset(
    {SignatureAlgorithmOID.ECDSA_WITH_SHA256, SignatureAlgorithmOID.RSA_WITH_SHA256}
)
WITHOUT_NUMBERS = frozenset({"shaken", "div", "rph"})  # signed for by a provider code alone


def judge_chain(path: Sequence[x509.Certificate], trust: Trust, now: float) -> Chain:
    """The chain of a path, leaf first, to one of the roots. Raises Fault."""
    if trust.store is None:
        raise Fault("trust", 436, NOT_VALIDATED, "no root is configured", unknown=True)
    _check_names(path)
    leaf = path[0]
    key = p256_key(leaf)
    found = path_to(trust.store, leaf, path[1:], now)
    _check_algorithms(found)
    _check_usage(leaf)
    for above in found[1:]:
        _check_ca_usage(above)
    authority = _authority(found)
    limits = tuple(each for each in map(constraints_of, found) if each is not None)
    _check_revoked(found, trust, now)
    until = min(each.not_valid_after_utc.timestamp() for each in found)
    return Chain(
        key=key,
        name=leaf.subject.rfc4514_string(),
        spc=authority.spc,
        numbers=authority.numbers,
        constraints=limits,
        until=min(until, trust.revocations.until),
        fingerprint=fingerprint(leaf),
    )


def check_authority(chain: Chain, claims: Mapping[str, Any], ppt: str) -> None:
    """Whether the chain may sign these claims (RFC 8226 8, RFC 9118 4, RFC 9060 5). Raises Fault.

    The claims are in form already.
    """
    for limits in chain.constraints:
        _check_claims(limits, claims)
    if chain.spc:
        return
    if ppt in WITHOUT_NUMBERS:
        raise certificate_fault(f"{ppt} is signed for a provider code, and it has numbers alone")
    number = str(claims.get("orig", {}).get("tn", ""))
    if not any(_inside((number, number), held) for held in chain.numbers):
        raise certificate_fault(f"{number} is none of its numbers")


def _check_claims(limits: Constraints, claims: Mapping[str, Any]) -> None:
    for name in limits.must_include:
        if name not in claims:
            raise certificate_fault(f"the claim {name} must be there")
    for name, values in limits.permitted:
        if name in claims and not _permitted(claims[name], values):
            raise certificate_fault(f"the claim {name} may not have this value")
    for name in limits.must_exclude:
        if name in claims:
            raise certificate_fault(f"the claim {name} may not be there")


def _permitted(value: Any, values: Sequence[str]) -> bool:
    """Whether a claim, every text of it where it holds several, is one of the values."""
    if isinstance(value, dict):
        return bool(value) and all(_permitted(each, values) for each in value.values())
    if isinstance(value, list):
        return bool(value) and all(_permitted(each, values) for each in value)
    if isinstance(value, str):
        return value in values
    return type(value) is int and str(value) in values


def _check_names(path: Sequence[x509.Certificate]) -> None:
    """Each name once: then there is one way up, and the search for it cannot branch or go round."""
    if not path:
        raise certificate_fault("the path is empty")
    if len(path) > PATH_MOST:
        raise certificate_fault(f"a path of more than {PATH_MOST} certificates")
    if len({each.subject.public_bytes() for each in path}) < len(path):
        raise certificate_fault("a path with two certificates of one name")


def _check_algorithms(found: Sequence[x509.Certificate]) -> None:
    """P-256 and SHA-256 throughout (ATIS-1000080); a CA of the older profile may have RSA."""
    for place, certificate in enumerate(found):
        if place + 1 < len(found) and certificate.signature_algorithm_oid not in SIGNATURES:
            raise certificate_fault("a path that is not signed with SHA-256")
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            p256_key(certificate)


def _check_ca_usage(certificate: x509.Certificate) -> None:
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and not value.ca:
            raise certificate_fault("signed by a certificate that is no CA's")
        if isinstance(value, x509.KeyUsage) and not value.key_cert_sign:
            raise certificate_fault("signed by a CA whose key is not for certificates")


def _check_usage(leaf: x509.Certificate) -> None:
    """A leaf signs calls, not certificates."""
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            raise certificate_fault("a CA signs no calls")
        if isinstance(value, x509.KeyUsage) and not value.digital_signature:
            raise certificate_fault("its key is not for signatures")


def _authority(found: Sequence[x509.Certificate]) -> Authority:
    """What the leaf may sign for, each certificate within the one above it."""
    leaf = authority_of(found[0])
    if leaf is None:
        raise certificate_fault("no TNAuthList")
    if leaf.spc and leaf.numbers:
        raise certificate_fault("a TNAuthList of provider codes and numbers")
    above = [authority_of(each) for each in found[1:]]
    if leaf.spc:
        if any(above):
            raise certificate_fault("a CA has a TNAuthList")
        return leaf
    _check_delegation(found, leaf, above)
    return leaf


def _check_delegation(
    found: Sequence[x509.Certificate], leaf: Authority, above: Sequence[Authority | None]
) -> None:
    """A delegate certificate (RFC 9060): its numbers are its parent's, key identifiers fit."""
    child, named = leaf, False
    for place, parent in enumerate(above):
        _check_identifiers(found[place], found[place + 1])
        if parent is None:
            continue
        named = True
        if not set(child.spc) <= set(parent.spc):
            raise certificate_fault("provider codes that its parent does not have")
        if not parent.spc:  # which numbers a provider's are no certificate says
            for numbers in child.numbers:
                if not any(_inside(numbers, held) for held in parent.numbers):
                    raise certificate_fault("numbers that its parent does not have")
        child = parent
    if not named:
        raise certificate_fault("numbers that nobody above has delegated")


def _check_identifiers(child: x509.Certificate, parent: x509.Certificate) -> None:
    try:
        authority = child.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        subject = parent.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound as error:
        raise certificate_fault("a delegate path without key identifiers") from error
    if authority.key_identifier != subject.digest:
        raise certificate_fault("key identifiers of a delegate path that do not fit")


def _inside(numbers: tuple[str, str], held: tuple[str, str]) -> bool:
    """Whether all numbers of a range are in another."""
    if len(numbers[0]) != len(held[0]):
        return False
    return held[0] <= numbers[0] <= numbers[1] <= held[1]


def _check_revoked(found: Sequence[x509.Certificate], trust: Trust, now: float) -> None:
    for certificate in found:
        if (certificate.issuer.public_bytes(), certificate.serial_number) in (
            trust.revocations.revoked
        ):
            raise certificate_fault(f"{certificate.subject.rfc4514_string()} was revoked")
    if now > trust.revocations.until:
        raise Fault("revocation", 436, NOT_VALIDATED, "the CRL has ended", unknown=True)
