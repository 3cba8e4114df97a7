"""Certificates that were taken back: one list for all issuers (RFC 5280 5.3.3, ATIS-1000080).

Invariants
1. A certificate is known by its issuer and its number: two issuers may use one number.
2. An entry without an issuer has that of the entry before it, the first that of the list.
3. A list that nobody who may revoke has signed is a Fault, and so is one that cannot be read.
"""

from collections.abc import Iterable
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .certificates import certificate_fault

__all__ = ["CRL_OCTETS", "Revocations", "read_crl"]

CRL_OCTETS = 16 * 1024 * 1024
EARLY_SECONDS = 300  # a list may come from a clock that is so much ahead


class Revocations(NamedTuple):
    """Issuers (DER of their names) with serial numbers, and until when that is the last word."""

    revoked: frozenset[tuple[bytes, int]] = frozenset()
    until: float = float("inf")  # seconds since 1970
    since: float = 0.0


def read_crl(octets: bytes, issuers: Iterable[x509.Certificate], now: float) -> Revocations:
    """What a list, DER or PEM, says; it must be signed by one of `issuers`. Raises Fault."""
    if len(octets) > CRL_OCTETS:
        raise certificate_fault(f"a CRL of more than {CRL_OCTETS} octets")
    try:
        pem = octets.lstrip().startswith(b"-----BEGIN")
        read = x509.load_pem_x509_crl if pem else x509.load_der_x509_crl
        crl = read(octets)
        since = crl.last_update_utc.timestamp()
        until = crl.next_update_utc
    except ValueError as error:
        raise certificate_fault("no CRL") from error
    if not any(_signed(crl, issuer) for issuer in issuers):
        raise certificate_fault("the CRL is signed by nobody who may revoke")
    if since > now + EARLY_SECONDS:
        raise certificate_fault("the CRL is of a time to come")
    if until is None:
        raise certificate_fault("the CRL does not say until when it holds")
    try:
        return Revocations(frozenset(_walked(crl)), until.timestamp(), since)
    except ValueError as error:
        raise certificate_fault("an entry of the CRL cannot be read") from error


def _signed(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    try:
        key = issuer.public_key()
        return crl.is_signature_valid(key)  # type: ignore[arg-type]
    except (InvalidSignature, TypeError, ValueError):
        return False


def _walked(crl: x509.CertificateRevocationList) -> Iterable[tuple[bytes, int]]:
    issuer = crl.issuer.public_bytes()
    for entry in crl:
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CertificateIssuer):
                names = extension.value.get_values_for_type(x509.DirectoryName)
                if len(names) != 1:
                    raise ValueError("a certificate's issuer is one name")
                issuer = names[0].public_bytes()
            elif extension.critical and not isinstance(extension.value, x509.CRLReason):
                raise ValueError("an extension that must be understood")
        yield issuer, entry.serial_number
