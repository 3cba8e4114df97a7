"""Roots from files, and lists of them that somebody has signed."""

from typing import Any

import pytest

from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.trust import Trust, read_trust_list, roots_of

from .authority import SECONDS, Authority, pem_of

PA = Authority("STI-PA")
ROOTS = [Authority("One"), Authority("Two")]
CERTIFICATES = tuple(each.certificate for each in ROOTS)


def test_bundle() -> None:
    assert roots_of(pem_of(*CERTIFICATES)) == CERTIFICATES
    trust = Trust(CERTIFICATES, name="both")
    for root in ROOTS:
        assert judge_chain(root.leaf().path, trust, SECONDS).spc == ("1234",)


@pytest.mark.parametrize("octets", [b"", b"text", ROOTS[0].leaf().pem, ROOTS[0].pem * 1001])
def test_no_roots(octets: bytes) -> None:
    with pytest.raises(Fault):
        roots_of(octets)


def test_list() -> None:
    found = read_trust_list(PA.trust_list(CERTIFICATES, sequence=7), PA.roots, SECONDS)
    assert found == (CERTIFICATES, 7, SECONDS + 86_400)


def test_list_of_a_signer_below() -> None:
    signer = PA.intermediate().leaf((), name="List signer")
    octets = PA.trust_list(CERTIFICATES, signer=signer)
    assert read_trust_list(octets, PA.roots, SECONDS).roots == CERTIFICATES


def changed(octets: bytes) -> bytes:
    head, body, signature = octets.split(b".")
    return b".".join((head, body[:-4] + b"AAAA", signature))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"a.b",
        b"a.b.c",
        changed(PA.trust_list(CERTIFICATES)),
        PA.trust_list(CERTIFICATES).rsplit(b".", 1)[0] + b".",
        PA.trust_list(CERTIFICATES).rsplit(b".", 1)[0] + b"." + b"A" * 86,
        Authority("STI-PA").trust_list(CERTIFICATES),
        PA.trust_list(CERTIFICATES, signer=Authority("STI-PA").leaf(())),
        PA.trust_list(CERTIFICATES, signer=PA.leaf("1234")),
        PA.trust_list(CERTIFICATES, expires=SECONDS),
        PA.trust_list([]),
        PA.trust_list([ROOTS[0].leaf().certificate]),
        *(
            PA.trust_list(CERTIFICATES, head=head)
            for head in ({"alg": "none"}, {"alg": "HS256"}, {"x5c": "text"}, {"x5c": ["text"]})
        ),
        *(
            PA.trust_list(CERTIFICATES, body=body)
            for body in (
                {"sequence": "1"},
                {"sequence": True},
                {"exp": None},
                {"exp": "2027"},
                {"trustList": "x"},
                {"trustList": [1]},
            )
        ),
    ],
)
def test_refused(octets: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_trust_list(octets, PA.roots, SECONDS)
    assert caught.value.code == 437


def test_nobody_may_sign() -> None:
    with pytest.raises(Fault):
        read_trust_list(PA.trust_list(CERTIFICATES), (), SECONDS)


def test_trust_never_changes() -> None:
    trust: Any = Trust(CERTIFICATES)
    with pytest.raises(AttributeError):
        trust.roots = ()
