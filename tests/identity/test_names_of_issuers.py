"""One name of an issuer, however it is written (RFC 5280 section 7.1)."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from callscreen.identity.names import name_key
from callscreen.identity.revocation import Revocations, read_crl

from .authority import SECONDS, Authority

PA = Authority("STI-PA")
UTF8, PRINTABLE = _ASN1Type.UTF8String, _ASN1Type.PrintableString
BMP = _ASN1Type.BMPString


def named(*given: tuple[str, Any]) -> x509.Name:
    """Organisation, then common name: the text and its type."""
    kinds = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    found = [
        x509.NameAttribute(kind, text, type_)
        for kind, (text, type_) in zip(kinds, given, strict=False)
    ]
    return x509.Name(found)


def revoked_of(name: x509.Name) -> Revocations:
    issuer = x509.CertificateIssuer([x509.DirectoryName(name)]), True
    return read_crl(PA.crl_entries((7, [issuer])), PA.roots, SECONDS)


OURS = named(("Example Inc", PRINTABLE), ("Issuing CA", UTF8))


@pytest.mark.parametrize(
    "other",
    [
        named(("Example Inc", UTF8), ("Issuing CA", PRINTABLE)),
        named(("Example Inc", BMP), ("Issuing CA", UTF8)),
        named(("EXAMPLE inc", UTF8), ("issuing ca", UTF8)),
        named((" Example   Inc ", UTF8), ("Issuing\tCA", UTF8)),
        named(("Example\u00a0Inc", UTF8), ("Issuing\u00ad CA", UTF8)),
    ],
    ids=["types", "BMPString", "case", "space", "other space"],
)
def test_one_name_however_it_is_written(other: x509.Name) -> None:
    assert other.public_bytes() != OURS.public_bytes()
    assert revoked_of(other).holds(OURS, 7)


@pytest.mark.parametrize(
    "other",
    [
        named(("Example Inc", PRINTABLE)),
        named(("ExampleInc", UTF8), ("Issuing CA", UTF8)),
        named(("Issuing CA", UTF8), ("Example Inc", UTF8)),
        x509.Name([*named(("Example Inc", UTF8), ("Issuing CA", UTF8))][::-1]),
    ],
    ids=["shorter", "no space", "other attributes", "other order"],
)
def test_another_name(other: x509.Name) -> None:
    assert not revoked_of(other).holds(OURS, 7)


def test_attributes_of_one_part_have_no_order() -> None:
    parts = [*OURS]
    one, other = (
        x509.Name([x509.RelativeDistinguishedName(each)]) for each in (parts, parts[::-1])
    )
    assert name_key(one) == name_key(other) != name_key(OURS)
