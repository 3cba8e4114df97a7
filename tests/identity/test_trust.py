"""Roots, trust lists and lists of what was revoked: read whole and signed, or refused."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from callscreen.identity.model import Fault
from callscreen.identity.revocation import read_crl
from callscreen.identity.trust import read_trust_list, roots_of

from .authority import DAY, NOW, Authority, jwt, pem_of

ROOT, OTHER = Authority("One"), Authority("Two")
SIGNER = Authority("STI-PA")


def test_roots_are_read_from_pem_and_der() -> None:
    both = roots_of(b"a text before\n" + ROOT.pem + OTHER.pem)
    assert both == (ROOT.certificate, OTHER.certificate)


@pytest.mark.parametrize(
    "octets", [b"", b"nothing", ROOT.leaf().pem, ROOT.pem[:-40], ROOT.pem * 1_001]
)
def test_what_is_no_root_is_refused(octets: bytes) -> None:
    with pytest.raises(Fault):
        roots_of(octets)


def test_a_trust_list_gives_its_roots() -> None:
    found = read_trust_list(SIGNER.trust_list((ROOT, OTHER)), [SIGNER.certificate], NOW)
    assert found.roots == (ROOT.certificate, OTHER.certificate)
    assert (found.sequence, found.expires) == (7, NOW + DAY)


def test_its_signer_may_be_below_an_anchor() -> None:
    below = SIGNER.leaf("", authority=b"", name="list signer")
    x5c = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in below.path]
    body = {
        "version": "1.0",
        "sequence": 1,
        "exp": NOW + 1,
        "trustList": [pem_of(ROOT.certificate).decode()],
    }
    token = jwt({"alg": "ES256", "typ": "JWT", "x5c": x5c}, body, below.key)
    assert read_trust_list(token, [SIGNER.certificate], NOW).roots == (ROOT.certificate,)
    with pytest.raises(Fault):
        read_trust_list(token, [OTHER.certificate], NOW)


def changed(token: bytes, place: int, by: bytes) -> bytes:
    parts = token.split(b".")
    parts[place] = by
    return b".".join(parts)


GOOD = SIGNER.trust_list((ROOT,))
WRONG: dict[str, Any] = {
    "of another": lambda: OTHER.trust_list((ROOT,)),
    "ended": lambda: SIGNER.trust_list((ROOT,), expires=NOW),
    "empty": lambda: SIGNER.trust_list(()),
    "unsigned": lambda: changed(GOOD, 2, b""),
    "of another body": lambda: changed(GOOD, 1, OTHER.trust_list((OTHER,)).split(b".")[1]),
    "of two parts": lambda: GOOD.rpartition(b".")[0],
    "no JSON": lambda: changed(GOOD, 0, b"eA"),
    "no base64": lambda: changed(GOOD, 0, b"\xff!"),
    "another algorithm": lambda: SIGNER.trust_list((ROOT,), alg="none"),
    "x5c no path": lambda: OTHER.trust_list((ROOT,), x5c=["x"]),
    "no list": lambda: jwt({"alg": "ES256"}, {"sequence": 1, "exp": NOW + 9}, SIGNER.key),
    "not text": lambda: jwt(
        {"alg": "ES256"}, {"sequence": 1, "exp": NOW + 9, "trustList": [1]}, SIGNER.key
    ),
    "too long": lambda: GOOD + b" " * 5_000_000,
}


@pytest.mark.parametrize("what", WRONG)
def test_another_trust_list_is_refused(what: str) -> None:
    with pytest.raises(Fault):
        read_trust_list(WRONG[what](), [SIGNER.certificate], NOW)


def test_a_list_says_who_was_revoked() -> None:
    octets = SIGNER.crl(((ROOT, 5), (ROOT, 6), (OTHER, 5)), direct=(9,))
    crl = read_crl(octets, [OTHER.certificate, SIGNER.certificate], NOW)
    one, two, own = (each.certificate.subject.public_bytes() for each in (ROOT, OTHER, SIGNER))
    assert crl.revoked == {(own, 9), (one, 5), (one, 6), (two, 5)}
    assert (crl.since, crl.until) == (NOW - DAY, NOW + DAY)


@pytest.mark.parametrize(
    "octets",
    [b"", b"x", OTHER.crl(), SIGNER.crl(since=NOW + DAY, until=NOW + 2 * DAY), SIGNER.crl()[:-1]],
)
def test_another_list_is_refused(octets: bytes) -> None:
    with pytest.raises(Fault):
        read_crl(octets, [SIGNER.certificate], NOW)
