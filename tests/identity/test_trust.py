"""Roots from files, and lists of them that somebody has signed."""

import base64
from typing import Any

import pytest
from cryptography import x509

from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.trust import Trust, read_trust_list, roots_of, signers_of

from .authority import SECONDS, Authority, Issued, pem_of

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
            for head in (
                {"alg": "none"},
                {"alg": "HS256"},
                {"x5c": "text"},
                {"x5c": ["text"]},
                {"x5c": []},
                {"x5c": [1]},
                {"crit": ["b64"], "b64": False},
                {"crit": []},
            )
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


def test_a_key_twice() -> None:
    octets = PA.trust_list(CERTIFICATES, head={"x": "alg", "y": "none"})
    _, body, signature = octets.split(b".")
    twice = base64.urlsafe_b64encode(b'{"alg":"none","alg":"ES256"}').rstrip(b"=")
    with pytest.raises(Fault, match="a key twice"):
        read_trust_list(b".".join((twice, body, signature)), PA.roots, SECONDS)


def test_urls_and_keys_of_the_header_count_for_nothing() -> None:
    other = Authority("STI-PA")
    numbers = other.key.public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(n.to_bytes(32, "big")).decode() for n in (numbers.x, numbers.y)
    )
    named = {"x5u": "https://other.example.org/a.pem", "jku": "https://other.example.org/"}
    key = {"jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}}
    with pytest.raises(Fault, match="nobody"):
        read_trust_list(other.trust_list(CERTIFICATES, head=named | key), PA.roots, SECONDS)
    assert read_trust_list(PA.trust_list(CERTIFICATES, head=named), PA.roots, SECONDS).sequence


@pytest.mark.parametrize("more", [{"days": -1}, {"begins": 1}], ids=["ended", "not begun"])
def test_a_signer_that_does_not_hold(more: dict[str, float]) -> None:
    for root, signer in (
        (Authority("STI-PA", **more), None),
        (PA, PA.leaf((), name="List signer", **more)),
        (old := Authority("STI-PA", **more), old.leaf((), name="List signer")),
    ):
        octets = root.trust_list(CERTIFICATES, signer=signer)
        with pytest.raises(Fault):
            read_trust_list(octets, root.roots, SECONDS)


class TestSignersOfAFile:
    """The STI-PA signs with certificates below its root, which stand beside it."""

    LIST = PA.leaf((), name="STI-PA CA List")

    @staticmethod
    def read(signer: Issued, *held: x509.Certificate) -> int:
        octets = PA.trust_list(CERTIFICATES, signer=signer, head={"x5c": None})
        return read_trust_list(octets, held, SECONDS).sequence

    def test_with_their_root(self) -> None:
        held = signers_of(PA.pem + self.LIST.pem)
        assert held == (*PA.roots, self.LIST.certificate)
        assert self.read(self.LIST, *held) == 1

    def test_alone(self) -> None:
        with pytest.raises(Fault):
            signers_of(self.LIST.pem)
        with pytest.raises(Fault):
            self.read(self.LIST, self.LIST.certificate)
        with pytest.raises(Fault):
            self.read(self.LIST, self.LIST.certificate, *ROOTS[0].roots)

    @pytest.mark.parametrize(
        "signer",
        [
            PA.leaf((), name="STI-PA CRL", usage=("crl_sign",)),
            PA.leaf((), name="Ended", days=-1),
            PA.leaf("1234"),
            ROOTS[0].leaf((), name="Other"),
        ],
        ids=["use", "ended", "provider", "other root"],
    )
    def test_who_may_not(self, signer: Issued) -> None:
        with pytest.raises(Fault):
            self.read(signer, *PA.roots, signer.certificate)


def test_a_signer_below_one_that_may_not_certify() -> None:
    for middle in (PA.intermediate(usage=("crl_sign",)), PA.intermediate(usage=False)):
        octets = PA.trust_list(CERTIFICATES, signer=middle.leaf((), name="List signer"))
        with pytest.raises(Fault, match="not for certificates"):
            read_trust_list(octets, PA.roots, SECONDS)


def test_nobody_may_sign() -> None:
    with pytest.raises(Fault):
        read_trust_list(PA.trust_list(CERTIFICATES), (), SECONDS)


def test_trust_never_changes() -> None:
    trust: Any = Trust(CERTIFICATES)
    with pytest.raises(AttributeError):
        trust.roots = ()
