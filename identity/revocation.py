"""Certificates that were taken back: one list for all issuers (RFC 5280 5, ATIS-1000080).

Invariants
1. A certificate is known by its issuer and its number: two issuers may use one number.
2. An entry without an issuer has that of the entry before it, the first that of the list.
3. A list is whole or a Fault: no delta, no part of one, nothing in it that must be understood and
   is not. One that is not indirect says something of its own issuer's certificates alone.
4. It is signed by who bears its issuer's name, may sign lists, and is trusted for it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from .certificates import certificate_fault, readable
from .model import Fault
from .names import NameKey, name_key
from .paths import SIGNATURES, is_strong, signers_in, usage_of

__all__ = ["CRL_OCTETS", "Revocations", "read_crl"]

CRL_OCTETS = 16 * 1024 * 1024
EARLY_SECONDS = 300  # a list may come from a clock that is so much ahead
BEGIN = b"-----BEGIN"
UNDERSTOOD = (  # extensions of a list that change nothing of what it says
    x509.AuthorityInformationAccess,
    x509.AuthorityKeyIdentifier,
    x509.CRLNumber,
    x509.IssuerAlternativeName,
)


class Revocations(NamedTuple):
    """Issuers with serial numbers, and until when that is the last word."""

    revoked: frozenset[tuple[NameKey, int]] = frozenset()
    until: float = float("inf")  # seconds since 1970
    since: float = 0.0
    issuer: NameKey = ()
    indirect: bool = True  # of all issuers
    number: int | None = None  # rises with each list of one issuer

    def holds(self, issuer: x509.Name, serial: int) -> bool:
        return (name_key(issuer), serial) in self.revoked

    def covers(self, issuer: x509.Name) -> bool:
        """Whether the list would hold an issuer's certificates that were revoked."""
        return self.indirect or name_key(issuer) == self.issuer

    def is_older_than(self, other: "Revocations") -> bool:
        """By its date, or its number where both have one of the same issuer."""
        if self.since < other.since:
            return True
        if self.issuer != other.issuer or self.number is None or other.number is None:
            return False
        return self.number < other.number


def read_crl(octets: bytes, held: Sequence[x509.Certificate], now: float) -> Revocations:
    """What a list, DER or PEM, says. Raises Fault.

    `held` are CAs that are trusted to sign it, or to issue the certificate of who does, which may
    stand among them.
    """
    if len(octets) > CRL_OCTETS:
        raise certificate_fault(f"a CRL of more than {CRL_OCTETS} octets")
    pem = octets.lstrip().startswith(BEGIN)
    if pem and octets.count(BEGIN) > 1:
        raise certificate_fault("more than one CRL in a file")
    with readable("no CRL"):
        crl = x509.load_pem_x509_crl(octets) if pem else x509.load_der_x509_crl(octets)
        issuer = name_key(crl.issuer)
        since = crl.last_update_utc.timestamp()
        until = crl.next_update_utc
        number, indirect = _scope(crl)
    signed_until = _signed(crl, issuer, held, now)
    if since > now + EARLY_SECONDS:
        raise certificate_fault("the CRL is of a time to come")
    if until is None:
        raise certificate_fault("the CRL does not say until when it holds")
    with readable("an entry of the CRL cannot be read"):
        revoked = frozenset(_walked(crl, issuer, indirect))
    ends = min(until.timestamp(), signed_until)
    return Revocations(revoked, ends, since, issuer, indirect, number)


def _scope(crl: x509.CertificateRevocationList) -> tuple[int | None, bool]:
    """The list's number, and whether it is of all issuers. Raises Fault where it is not whole."""
    number, indirect = None, False
    for extension in crl.extensions:
        value = extension.value
        if isinstance(value, x509.DeltaCRLIndicator):
            raise certificate_fault("the CRL is but what changed since another")
        if isinstance(value, x509.IssuingDistributionPoint):
            indirect = _is_indirect(value)
        elif extension.critical and not isinstance(value, UNDERSTOOD):
            raise certificate_fault("the CRL has an extension that must be understood")
        if isinstance(value, x509.CRLNumber):
            number = value.crl_number
    return number, indirect


def _is_indirect(point: x509.IssuingDistributionPoint) -> bool:
    """Raises Fault for part of a list (RFC 5280 5.2.5). One that is of all issuers is the only
    one there is, whatever name its distribution point has."""
    named = point.full_name is not None or point.relative_name is not None
    if (
        point.only_contains_user_certs
        or point.only_contains_ca_certs
        or point.only_contains_attribute_certs
        or point.only_some_reasons is not None
        or (named and not point.indirect_crl)
    ):
        raise certificate_fault("the CRL is of some certificates or reasons alone")
    return point.indirect_crl


def _signed(
    crl: x509.CertificateRevocationList,
    issuer: NameKey,
    held: Sequence[x509.Certificate],
    now: float,
) -> float:
    """Until when its signer may sign, in seconds since 1970. Raises Fault (RFC 5280 6.3.3 f, g)."""
    if crl.signature_algorithm_oid not in SIGNATURES:
        raise certificate_fault("the CRL is not signed with SHA-256")
    for signer, until in signers_in(held, now):
        if _has_signed(crl, issuer, signer):
            return until
    raise certificate_fault("the CRL is signed by nobody who may revoke")


def _has_signed(
    crl: x509.CertificateRevocationList, issuer: NameKey, signer: x509.Certificate
) -> bool:
    """False also where the signer cannot be read: another of its name may do."""
    try:
        usage = usage_of(signer)
        if usage is None or not usage.crl_sign or not is_strong(signer):
            return False
        with readable("a signer that cannot be read"):
            key = signer.public_key()
            assert isinstance(key, EllipticCurvePublicKey | RSAPublicKey)
            return name_key(signer.subject) == issuer and crl.is_signature_valid(key)
    except Fault:
        return False


def _walked(
    crl: x509.CertificateRevocationList, issuer: NameKey, indirect: bool
) -> Iterable[tuple[NameKey, int]]:
    issuers = [issuer]
    known: dict[tuple[x509.Name, ...], list[NameKey]] = {}
    for entry in crl:
        for extension in entry.extensions:
            value = extension.value
            if isinstance(value, x509.CertificateIssuer):
                names = tuple(value.get_values_for_type(x509.DirectoryName))
                issuers = known.get(names) or known.setdefault(names, list(map(name_key, names)))
                if not issuers or (not indirect and issuers != [issuer]):
                    raise ValueError("an issuer that the list is not of")
            elif extension.critical and not isinstance(value, x509.CRLReason):
                raise ValueError("an extension that must be understood")
        for each in issuers:
            yield each, entry.serial_number
