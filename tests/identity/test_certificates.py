"""What certificates say of their holders: read strictly, or not at all."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from callscreen.identity.certificates import (
    PATH_MOST,
    PATH_OCTETS,
    authority_of,
    constraints_of,
    fingerprint,
    p256_key,
    read_path,
)
from callscreen.identity.model import Constraints, Fault

from .authority import Authority, constraints_der, der, enhanced_der, ia5, new_key, tn_authority_der

ROOT = Authority()
NAMES = der(0xA0, der(0x30, ia5("a")))
VALUES = enhanced_der(None, {"b": ["c"]})[2:]
CODE = der(0xA0, ia5("1234"))


def held(octets: bytes) -> x509.Certificate:
    return ROOT.leaf(tn_authority=octets).certificate


def test_codes_and_numbers() -> None:
    found = authority_of(held(tn_authority_der(["1234", "997E"], ["1215", ("12155550100", 100)])))
    assert found is not None
    assert found.spc == ("1234", "997E")
    assert found.numbers == (("1215", "1215"), ("12155550100", "12155550199"))


def test_ranges_to_their_ends() -> None:
    ranges = [("0" * 15, 10**15), ("999999999999998", 2), ("5", 2), ("5", 3)]
    found = authority_of(held(tn_authority_der(numbers=ranges)))
    assert found is not None
    assert found.numbers == (("5", "7"), ("0" * 15, "9" * 15))


def test_none() -> None:
    assert authority_of(ROOT.certificate) is None
    assert constraints_of(ROOT.certificate) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        der(0x30),
        der(0x30, CODE) + b"\0",
        der(0x30, CODE)[:-1],
        der(0x31, CODE),
        ia5("1234"),
        der(0x30, ia5("1234")),
        der(0x30, der(0x80, b"1234")),  # an implicit tag
        der(0x30, der(0xA3, ia5("1234"))),
        der(0x30, der(0xA0, der(0x0C, b"1234"))),
        der(0x30, der(0xA0, ia5(""))),
        der(0x30, der(0xA0, ia5("1234"), ia5("5678"))),
        der(0x30, der(0xA0, ia5("1" * 256))),
        b"\x30\x80" + CODE + b"\0\0",  # no definite length
        b"\x30\x81\x08" + CODE[:8],  # a length that is longer than it need be
        der(0x30, der(0xA2, ia5(""))),
        der(0x30, der(0xA2, ia5("+1215"))),
        der(0x30, der(0xA2, ia5("1" * 16))),
        tn_authority_der(numbers=[("12155550100", 1)]),
        tn_authority_der(numbers=[("12155550100", 0)]),
        tn_authority_der(numbers=[("99", 2)]),
        tn_authority_der(numbers=[("0", 10**15 + 1)]),
        tn_authority_der(numbers=[("0" * 15, 10**15 + 1)]),
        tn_authority_der(numbers=[("999999999999998", 3)]),
        tn_authority_der(numbers=[("12155550100", 1 << 40_000)]),
        tn_authority_der(["12\n34"]),
        tn_authority_der(["1234"] * 10_001),
        tn_authority_der(numbers=[("1*", 2)]),
        der(0x30, der(0xA1, der(0x30, ia5("100"), der(0x02, b"\xff")))),
        der(0x30, der(0xA1, der(0x30, ia5("100")))),
        der(0x30, der(0xA1, der(0x30, ia5("100"), der(0x02, b"\0\2")))),
        der(0x30, der(0xA1, der(0x30, ia5("100"), der(0x02, b"\2"), b"\5\0"))),
    ],
)
def test_malformed_authority(octets: bytes) -> None:
    with pytest.raises(Fault) as caught:
        authority_of(held(octets))
    assert caught.value.code == 437


def test_constraints() -> None:
    plain = constraints_der(["attest"], {"attest": ["A", "B"]})
    assert constraints_of(ROOT.leaf(constraints=plain).certificate) == Constraints(
        ("attest",), (("attest", ("A", "B")),)
    )
    enhanced = enhanced_der(["a"], {"b": ["c"]}, ["d"])
    assert constraints_of(ROOT.leaf(enhanced=enhanced).certificate) == Constraints(
        ("a",), (("b", ("c",)),), ("d",)
    )


@pytest.mark.parametrize("name", ["iat", "orig", "dest"])
def test_what_may_not_be_excluded_voids_all(name: str) -> None:
    octets = enhanced_der(["confidence"], None, ["priority", name])
    assert constraints_of(ROOT.leaf(enhanced=octets).certificate) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        der(0x30),
        enhanced_der([]),
        enhanced_der(["a"], {}),
        enhanced_der(None, {"a": []}),
        enhanced_der(["a"]) + b"\0",
        der(0x30, der(0x30, ia5("a"))),
        b"\x30\x80" + enhanced_der(["a"])[2:] + b"\0\0",  # no definite length
        b"\x30\x81" + enhanced_der(["a"])[1:],  # a length that is longer than it need be
        der(0x30, VALUES, NAMES),  # out of order
        der(0x30, NAMES, NAMES),
        der(0x30, NAMES, der(0xA3, NAMES[2:])),
        der(0x30, der(0xA0, ia5("a"))),  # implicit tags
        der(0x30, der(0x80, NAMES[2:])),
        der(0x30, der(0xA0, NAMES[2:], b"\5\0")),
        der(0x30, der(0xA0, der(0x30, der(0x0C, b"a")))),  # other kinds of text
        der(0x30, der(0xA0, der(0x30, der(0x16, b"\xe9")))),
        der(0x30, der(0xA1, der(0x30, der(0x30, ia5("b"), der(0x30, ia5("c")))))),
        der(0x30, der(0xA1, der(0x30, der(0x30, ia5("b"), der(0x30, der(0x0C, b"\xff")))))),
    ],
)
def test_malformed_constraints(octets: bytes) -> None:
    for more in ({"constraints": octets}, {"enhanced": octets}):
        with pytest.raises(Fault):
            constraints_of(ROOT.leaf(**more).certificate)


def test_exclusions_only_in_the_enhanced_kind() -> None:
    octets = enhanced_der(["a"], None, ["b"])
    with pytest.raises(Fault):
        constraints_of(ROOT.leaf(constraints=octets).certificate)


def test_path() -> None:
    issued = ROOT.intermediate().leaf()
    assert tuple(read_path(issued.pem)) == issued.path
    alone = issued.certificate.public_bytes(Encoding.DER)
    assert read_path(alone) == [issued.certificate]
    assert len(fingerprint(issued.certificate)) == 64


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ROOT.pem * (PATH_MOST + 1),
        b" " * (PATH_OCTETS + 1),
    ],
    ids=["empty", "page", "broken", "another thing", "many", "long"],
)
def test_no_path(octets: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_path(octets)
    assert caught.value.code == 437


@pytest.mark.parametrize("kind", ["P-384", "RSA"])
def test_key_of_another_kind(kind: str) -> None:
    with pytest.raises(Fault):
        p256_key(ROOT.leaf(key=new_key(kind)).certificate)
