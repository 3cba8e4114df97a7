"""Lists of revoked certificates: whose they are, and by whom they are signed."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from callscreen.identity.model import Fault
from callscreen.identity.revocation import Revocations, read_crl

from .authority import SECONDS, Authority

PA = Authority("STI-PA CRL")
FIRST, SECOND = Authority("First CA"), Authority("Second CA")
DAY = 86_400


def read(octets: bytes, now: float = SECONDS) -> Revocations:
    return read_crl(octets, PA.roots, now)


def test_issuer_is_carried_on() -> None:
    revoked = [
        PA.leaf(serial=1).certificate,
        FIRST.leaf(serial=1).certificate,
        FIRST.leaf(serial=2).certificate,
        SECOND.leaf(serial=3).certificate,
        SECOND.leaf(serial=4).certificate,
    ]
    found = read(PA.crl(revoked))
    assert found.revoked == {(each.issuer.public_bytes(), each.serial_number) for each in revoked}
    assert found.until == SECONDS + 7 * DAY


def test_entries_without_issuer_are_the_lists_own() -> None:
    found = read(PA.crl([FIRST.leaf(serial=5).certificate], named=False))
    assert found.revoked == {(PA.name.public_bytes(), 5)}


def test_empty_and_pem() -> None:
    octets = PA.crl()
    assert read(octets).revoked == frozenset()
    assert read(x509.load_der_x509_crl(octets).public_bytes(Encoding.PEM)) == read(octets)


@pytest.mark.parametrize("octets", [b"", b"nothing", FIRST.pem, PA.crl()[:-1], PA.crl() + b"\0"])
def test_no_list(octets: bytes) -> None:
    with pytest.raises(Fault):
        read(octets)


def test_signed_by_another() -> None:
    with pytest.raises(Fault):
        read(Authority("STI-PA CRL").crl())
    with pytest.raises(Fault):
        read_crl(PA.crl(), (), SECONDS)


def test_of_a_time_to_come() -> None:
    with pytest.raises(Fault):
        read(PA.crl(updated=1))


def test_that_has_ended_is_still_read() -> None:
    assert read(PA.crl(), SECONDS + 30 * DAY).until < SECONDS + 30 * DAY
