"""Certificates and lists with octets changed: each is refused or read, and nothing else happens."""

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.certificates import Authority as Held
from callscreen.identity.certificates import authority_of, constraints_of, read_path
from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Chain, Constraints, Fault
from callscreen.identity.revocation import Revocations, read_crl
from callscreen.identity.trust import (
    Trust,
    TrustList,
    read_trust_list,
    roots_of,
    signers_of,
)

from .authority import NOW, SECONDS, Authority, enhanced_der, tn_authority_der
from .lists import DAY, INDIRECT, crl_of, resigned

ROOT = Authority()
TRUST = Trust(ROOT.roots)
CA = ROOT.intermediate()
LEAF = CA.leaf(enhanced=enhanced_der(["attest"], {"attest": ["A", "B"]}, ["x"]))
LEAF_DER, CA_DER, ROOT_DER = (
    each.public_bytes(Encoding.DER) for each in (*LEAF.path, ROOT.certificate)
)
SIGNER = ROOT.leaf((), name="Lists", usage=("crl_sign", "digital_signature"))
SIGNER_DER = SIGNER.certificate.public_bytes(Encoding.DER)
CRL_DER = ROOT.crl([LEAF.certificate, CA.certificate])
BELOW_DER = crl_of(SIGNER.certificate.subject, SIGNER.key, updated=NOW - DAY, ends=NOW + DAY)
TN_DER = tn_authority_der(["1234", "997E"], ["1215", ("12155550100", 100)])
URI = x509.UniformResourceIdentifier("https://ca.example.org/")
CONSTRAINTS_DER = enhanced_der(["a"], {"b": ["c"]}, ["d"])


def pem(*each: bytes) -> bytes:
    head, tail = b"-----BEGIN CERTIFICATE-----\n", b"\n-----END CERTIFICATE-----\n"
    return b"".join(head + base64.encodebytes(octets).strip() + tail for octets in each)


def judged(leaf: bytes, ca: bytes) -> Chain:
    path = [*read_path(pem(leaf)), *read_path(ca)]
    return judge_chain(path, TRUST, SECONDS)


def trusting(root: bytes) -> Chain:
    return judge_chain(LEAF.path, Trust(roots_of(root)), SECONDS)


def revoked(crl: bytes, signer: bytes = b"") -> Revocations:
    held = signers_of(pem(ROOT_DER, signer)) if signer else ROOT.roots
    return read_crl(crl, held, SECONDS)


def listed(signer: bytes) -> TrustList:
    texts = [base64.b64encode(signer).decode()]
    octets = ROOT.trust_list(ROOT.roots, signer=SIGNER, head={"x5c": texts})
    return read_trust_list(octets, ROOT.roots, SECONDS)


def pinned(signer: bytes) -> TrustList:
    octets = ROOT.trust_list(ROOT.roots, signer=SIGNER, head={"x5c": None})
    return read_trust_list(octets, signers_of(pem(ROOT_DER, signer)), SECONDS)


def authority(octets: bytes) -> Held | None:
    return authority_of(ROOT.leaf(tn_authority=octets).certificate)


def constraints(octets: bytes) -> Constraints | None:
    return constraints_of(ROOT.leaf(enhanced=octets).certificate)


@st.composite
def mutated(draw: st.DrawFn, octets: bytes) -> bytes:
    """Octets with one to three places changed, put in or taken out."""
    found = bytearray(octets)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(found) - 1))
        match draw(st.sampled_from(("change", "insert", "delete"))):
            case "change":
                found[place] = draw(st.integers(0, 255))
            case "insert":
                found[place:place] = draw(st.binary(min_size=1, max_size=3))
            case _:
                del found[place : place + draw(st.integers(1, 3))]
    return bytes(found)


READERS: list[tuple[str, bytes, Callable[[bytes], Any], Any]] = [
    ("leaf", LEAF_DER, partial(judged, ca=CA_DER), Chain),
    ("CA", CA_DER, partial(judged, LEAF_DER), Chain),
    ("root", ROOT_DER, trusting, Chain),
    ("CRL", CRL_DER, revoked, Revocations),
    ("signer of the CRL", SIGNER_DER, partial(revoked, BELOW_DER), Revocations),
    ("x5c", SIGNER_DER, listed, TrustList),
    ("signer of the list", SIGNER_DER, pinned, TrustList),
    ("TNAuthList", TN_DER, authority, Held | None),
    ("constraints", CONSTRAINTS_DER, constraints, Constraints | None),
]


@pytest.mark.parametrize(
    ("good", "reader", "kind"), [each[1:] for each in READERS], ids=[each[0] for each in READERS]
)
def test_what_was_changed_is_refused_or_read(
    good: bytes, reader: Callable[[bytes], Any], kind: Any
) -> None:
    assert isinstance(reader(good), kind)

    @settings(max_examples=150)
    @given(mutated(good))
    def look(octets: bytes) -> None:
        try:
            found = reader(octets)
        except Fault as fault:
            found = fault
        assert isinstance(found, kind) or (found.code, found.unknown) == (437, False)

    look()


VERSION = bytes.fromhex("a003020102"), bytes.fromhex("a003020104")
TWICE = bytes.fromhex("0603551d0e"), bytes.fromhex("0603551d23")  # an extension under another's OID
CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177")
TEXT = b"SHAKEN", b"SHA\xffEN"
ISSUER = b"\x0c\x0aIssuing CA", b"\x0c\x0aIssuing \xff\xff"
WAYS = {
    "version": VERSION,
    "extension twice": TWICE,
    "curve": CURVE,
    "text": TEXT,
    "issuer": ISSUER,
}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
def test_errors_of_no_common_class(change: tuple[bytes, bytes]) -> None:
    leaf, ca = LEAF_DER.replace(*change), CA_DER.replace(*change)
    assert (leaf, ca) != (LEAF_DER, CA_DER)
    for pair in ((leaf, CA_DER), (LEAF_DER, ca)):
        if pair != (LEAF_DER, CA_DER):
            with pytest.raises(Fault):
                judged(*pair)
    root, signer = ROOT_DER.replace(*change), SIGNER_DER.replace(*change)
    for octets in {leaf, ca, root} - {CA_DER, ROOT_DER}:
        with pytest.raises(Fault):
            trusting(octets)
    if signer != SIGNER_DER:
        for reader in (listed, pinned, partial(revoked, BELOW_DER)):
            with pytest.raises(Fault):
                reader(signer)


def test_a_root_with_an_unknown_key_keeps_no_other_away() -> None:
    strange = ROOT_DER.replace(*CURVE)
    for pair in ((strange, ROOT_DER), (ROOT_DER, strange)):
        roots = roots_of(pem(*pair))
        assert judge_chain(LEAF.path, Trust(roots), SECONDS).spc == ("1234",)
        assert read_crl(CRL_DER, roots, SECONDS).until
        octets = ROOT.trust_list(ROOT.roots)
        assert read_trust_list(octets, roots, SECONDS).sequence == 1


def test_lists_that_say_a_thing_twice_or_of_an_unknown_kind() -> None:
    reason, date = bytes.fromhex("0603551d15"), bytes.fromhex("0603551d18")
    more = [(x509.CRLReason(x509.ReasonFlags.superseded), False), (x509.InvalidityDate(NOW), False)]
    entry = ROOT.crl_entries((7, more))
    own = [
        INDIRECT,
        (x509.CRLNumber(1), False),
        (x509.IssuerAlternativeName([URI]), False),
    ]
    whole = ROOT.crl(extensions=own)
    number, other = bytes.fromhex("0603551d14"), bytes.fromhex("0603551d12")
    for good, change in ((entry, (reason, date)), (whole, (number, other))):
        assert revoked(good).until
        assert change[0] in good
        tbs = x509.load_der_x509_crl(good).tbs_certlist_bytes.replace(*change)
        with pytest.raises(Fault):
            revoked(resigned(tbs, ROOT.key))
