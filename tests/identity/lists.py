"""Lists of revoked certificates that tests read: made here, also such as no CA should make."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

__all__ = [
    "INDIRECT",
    "Entry",
    "Extension",
    "crl_of",
    "der",
    "der_parts",
    "distribution_point",
    "resigned",
]

DAY = timedelta(days=1)
Extension = tuple[x509.ExtensionType, bool]  # and whether it is critical
Entry = tuple[int, Sequence[Extension]]  # a number, and the extensions of its entry


def der(tag: int, *parts: bytes) -> bytes:
    """One DER value."""
    octets = b"".join(parts)
    size = len(octets)
    if size < 0x80:
        return bytes((tag, size)) + octets
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + octets


def distribution_point(**given: Any) -> Extension:
    """An IssuingDistributionPoint: `indirect_crl`, `only_contains_user_certs` and so on."""
    flags = dict.fromkeys(
        (
            "only_contains_user_certs",
            "only_contains_ca_certs",
            "indirect_crl",
            "only_contains_attribute_certs",
        ),
        False,
    )
    names = dict.fromkeys(("full_name", "relative_name", "only_some_reasons"))
    return x509.IssuingDistributionPoint(**(names | flags | given)), True


INDIRECT = distribution_point(indirect_crl=True)


def crl_of(
    name: x509.Name,
    key: Any,
    entries: Iterable[Entry] = (),
    *,
    updated: datetime,
    ends: datetime,
    extensions: Iterable[Extension] = (INDIRECT,),
    digest: Any = None,
) -> bytes:
    """A CRL in DER by that name and key."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(name)
    builder = builder.last_update(updated).next_update(ends)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    for number, own in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(number)
        entry = entry.revocation_date(updated - DAY)
        for value, critical in own:
            entry = entry.add_extension(value, critical)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, digest or SHA256()).public_bytes(Encoding.DER)


def resigned(tbs: bytes, key: Any) -> bytes:
    """What is signed, whatever it is, with an ecdsa-with-SHA256 signature of that key."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    signature = key.sign(tbs, ec.ECDSA(SHA256()))
    return der(0x30, tbs, algorithm, der(0x03, b"\0", signature))


def der_parts(certificate: x509.Certificate) -> list[bytes]:
    """What a certificate's signed part is made of: version first, extensions last."""
    octets, parts, place = certificate.tbs_certificate_bytes, [], 4
    while place < len(octets):
        size, head = octets[place + 1], 2
        if size & 0x80:
            head += size & 0x7F
            size = int.from_bytes(octets[place + 2 : place + head], "big")
        parts.append(octets[place : place + head + size])
        place += head + size
    return parts
