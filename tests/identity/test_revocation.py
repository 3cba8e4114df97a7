"""Lists of revoked certificates: whose they are, what they say, and by whom they are signed."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ObjectIdentifier

from callscreen.identity.model import Fault
from callscreen.identity.names import name_key
from callscreen.identity.revocation import Revocations, read_crl

from .authority import NOW, SECONDS, Authority, Issued, new_key
from .lists import DAY, INDIRECT, crl_of, der, distribution_point, resigned

PA = Authority("STI-PA")
SIGNER = PA.leaf((), name="STI-PA CRL", usage=("crl_sign",))
FIRST, SECOND = Authority("First CA"), Authority("Second CA")
SECONDS_A_DAY = 86_400
UTF8, PRINTABLE = _ASN1Type.UTF8String, _ASN1Type.PrintableString
BMP = _ASN1Type.BMPString


def read(octets: bytes, now: float = SECONDS, issued: Issued | None = None) -> Revocations:
    held = PA.roots if issued is None else (*PA.roots, issued.certificate)
    return read_crl(octets, held, now)


def refusal(octets: bytes, issued: Issued | None = None, now: float = SECONDS) -> str:
    with pytest.raises(Fault) as caught:
        read(octets, now, issued)
    assert caught.value.code == 437
    return caught.value.detail


def signed_by(issued: Issued, *entries: Any, **more: Any) -> bytes:
    more = {"updated": NOW - DAY, "ends": NOW + DAY} | more
    return crl_of(issued.certificate.subject, issued.key, entries, **more)


def issuer_of(*names: x509.GeneralName) -> Any:
    return x509.CertificateIssuer(names), True


class TestEntries:
    def test_issuer_is_carried_on(self) -> None:
        revoked = [
            PA.leaf(serial=1).certificate,
            FIRST.leaf(serial=1).certificate,
            FIRST.leaf(serial=2).certificate,
            SECOND.leaf(serial=3).certificate,
            SECOND.leaf(serial=4).certificate,
        ]
        found = read(PA.crl(revoked))
        assert all(found.holds(each.issuer, each.serial_number) for each in revoked)
        assert len(found.revoked) == len(revoked)
        assert not found.holds(FIRST.name, 3)
        assert found.until == SECONDS + 7 * SECONDS_A_DAY

    def test_entries_without_issuer_are_the_lists_own(self) -> None:
        found = read(PA.crl([FIRST.leaf(serial=5).certificate], named=False))
        assert found.revoked == {(name_key(PA.name), 5)}

    def test_empty_and_pem(self) -> None:
        octets = PA.crl()
        assert read(octets).revoked == frozenset()
        assert read(x509.load_der_x509_crl(octets).public_bytes(Encoding.PEM)) == read(octets)

    def test_every_name_of_an_issuer_counts(self) -> None:
        names = [x509.DirectoryName(FIRST.name), x509.DirectoryName(SECOND.name)]
        uri = x509.UniformResourceIdentifier("https://ca.example.org/")
        octets = PA.crl_entries((7, [issuer_of(uri, *names)]), (8, []))
        found = read(octets)
        for name in (FIRST.name, SECOND.name):
            assert found.holds(name, 7)
            assert found.holds(name, 8)
        assert not found.holds(PA.name, 8)

    def test_an_issuer_without_a_name_is_not_guessed(self) -> None:
        uri = x509.UniformResourceIdentifier("https://ca.example.org/")
        refusal(PA.crl_entries((7, [issuer_of(uri)])))

    def test_reasons_and_dates_change_nothing(self) -> None:
        for reason in x509.ReasonFlags:
            if reason is not x509.ReasonFlags.unspecified:
                more = [(x509.CRLReason(reason), False), (x509.InvalidityDate(NOW), False)]
                assert read(PA.crl_entries((7, more))).holds(PA.name, 7)

    def test_an_entry_that_must_be_understood(self) -> None:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\5\0")
        assert read(PA.crl_entries((7, [(unknown, False)]))).holds(PA.name, 7)
        refusal(PA.crl_entries((7, [(unknown, True)])))


class TestScope:
    @pytest.mark.parametrize(
        "extensions",
        [
            [INDIRECT, (x509.DeltaCRLIndicator(1), True)],
            [INDIRECT, (x509.DeltaCRLIndicator(1), False)],
            [distribution_point(indirect_crl=True, only_contains_user_certs=True)],
            [distribution_point(indirect_crl=True, only_contains_ca_certs=True)],
            [distribution_point(only_contains_attribute_certs=True)],
            [
                distribution_point(
                    indirect_crl=True,
                    only_some_reasons=frozenset([x509.ReasonFlags.key_compromise]),
                )
            ],
            [distribution_point(full_name=[x509.UniformResourceIdentifier("http://ca/1")])],
            [INDIRECT, (x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), b"\5\0"), True)],
        ],
        ids=[
            "delta",
            "delta that is not critical",
            "leaves alone",
            "CAs alone",
            "attributes",
            "some reasons",
            "one of several parts",
            "unknown",
        ],
    )
    def test_part_of_a_list_is_none(self, extensions: Any) -> None:
        refusal(PA.crl(extensions=extensions))

    def test_what_need_not_be_understood(self) -> None:
        unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3"), b"\5\0")
        uri = x509.UniformResourceIdentifier("http://pa/crl")
        point = distribution_point(indirect_crl=True, full_name=[uri])
        number = x509.CRLNumber(7), False
        assert read(PA.crl(extensions=[point, (unknown, False), number])).number == 7

    def test_a_plain_list_is_of_its_own_issuer(self) -> None:
        found = read(PA.crl([PA.leaf(serial=9).certificate], extensions=()))
        assert found.holds(PA.name, 9)
        assert found.covers(PA.name)
        assert not found.covers(FIRST.name)
        assert read(PA.crl()).covers(FIRST.name)

    def test_a_plain_list_has_no_entries_of_others(self) -> None:
        refusal(PA.crl([FIRST.leaf(serial=9).certificate], extensions=()))


class TestSigner:
    def test_a_root(self) -> None:
        assert read(PA.crl()).since == SECONDS - SECONDS_A_DAY

    def test_below_a_root(self) -> None:
        number = (7, [issuer_of(x509.DirectoryName(FIRST.name))])
        assert read(signed_by(SIGNER, number), issued=SIGNER).holds(FIRST.name, 7)

    def test_alone_it_is_nobody(self) -> None:
        with pytest.raises(Fault):
            read_crl(signed_by(SIGNER), [SIGNER.certificate], SECONDS)

    def test_another(self) -> None:
        refusal(Authority("STI-PA").crl())
        refusal(signed_by(SIGNER))
        with pytest.raises(Fault):
            read_crl(PA.crl(), (), SECONDS)

    @pytest.mark.parametrize(
        "issued",
        [
            PA.leaf((), name="Other", usage=("digital_signature",)),
            PA.leaf((), name="Other", usage=False),
            PA.leaf((), name="Other", usage=("crl_sign",), days=-1),
            PA.leaf((), name="Other", usage=("crl_sign",), begins=1),
            PA.leaf("1234", name="Other", usage=("crl_sign",)),
            FIRST.leaf((), name="Other", usage=("crl_sign",)),
        ],
        ids=["use", "no use", "ended", "not begun", "provider", "other root"],
    )
    def test_who_may_not(self, issued: Issued) -> None:
        refusal(signed_by(issued), issued)

    def test_below_a_root_that_may_not_certify(self) -> None:
        for root in (
            Authority("STI-PA", usage=("crl_sign",)),
            Authority("STI-PA", key=new_key("P-384")),
        ):
            issued = root.leaf((), name="STI-PA CRL", usage=("crl_sign",))
            with pytest.raises(Fault):
                read_crl(signed_by(issued), [*root.roots, issued.certificate], SECONDS)

    def test_a_root_that_may_not_or_has_ended(self) -> None:
        for root in (
            Authority("STI-PA", usage=("key_cert_sign",)),
            Authority("STI-PA", days=-2),
            Authority("STI-PA", begins=2),
        ):
            with pytest.raises(Fault):
                read_crl(root.crl(), root.roots, SECONDS)

    def test_under_the_name_of_another(self) -> None:
        octets = crl_of(FIRST.name, SIGNER.key, updated=NOW - DAY, ends=NOW + DAY)
        refusal(octets, SIGNER)

    @pytest.mark.parametrize("digest", [SHA384(), SHA512()])
    def test_algorithm(self, digest: Any) -> None:
        refusal(signed_by(SIGNER, digest=digest), SIGNER)

    def test_key_of_another_curve(self) -> None:
        key = new_key("P-384")
        issued = PA.leaf((), name="Other", usage=("crl_sign",), key=key)
        refusal(signed_by(issued), issued)

    def test_it_holds_no_longer_than_its_signer(self) -> None:
        issued = PA.leaf((), name="Other", usage=("crl_sign",), days=0.5)
        assert read(signed_by(issued), issued=issued).until == SECONDS + SECONDS_A_DAY / 2


class TestTimes:
    def test_of_a_time_to_come(self) -> None:
        refusal(PA.crl(updated=1))

    def test_that_has_ended_is_still_read(self) -> None:
        now = SECONDS + 30 * SECONDS_A_DAY
        assert read(PA.crl(), now).until < now

    def test_without_an_end(self) -> None:
        name = PA.name.public_bytes()
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")
        ends = der(0x17, b"260302000000Z")
        whole = [der(0x02, b"\1"), algorithm, name, der(0x17, b"260228000000Z"), ends]
        whole.append(der(0xA0, der(0x30, bytes.fromhex("300f0603551d1c0101ff040530038401ff"))))
        assert read(resigned(der(0x30, *whole), PA.key)).until == SECONDS + SECONDS_A_DAY
        whole.remove(ends)
        assert "until when" in refusal(resigned(der(0x30, *whole), PA.key))

    def test_an_older_one(self) -> None:
        def of(updated: float, number: int | None, authority: Authority = PA) -> Revocations:
            more = [] if number is None else [(x509.CRLNumber(number), False)]
            octets = authority.crl(updated=updated, extensions=[INDIRECT, *more])
            return read_crl(octets, authority.roots, SECONDS)

        newer = of(-1, 8)
        assert of(-2, 8).is_older_than(newer)
        assert of(-2, None).is_older_than(newer)
        assert of(-1, 7).is_older_than(newer)
        assert of(-0.5, 7).is_older_than(newer)
        for other in (newer, of(-0.5, 8), of(-1, 9), of(-1, None), of(-0.5, 7, FIRST)):
            assert not other.is_older_than(newer)


class TestForm:
    @pytest.mark.parametrize(
        "octets", [b"", b"nothing", FIRST.pem, PA.crl()[:-1], PA.crl() + b"\0", PA.pem + PA.pem]
    )
    def test_no_list(self, octets: bytes) -> None:
        refusal(octets)

    def test_two_lists_in_one_file(self) -> None:
        octets = x509.load_der_x509_crl(PA.crl()).public_bytes(Encoding.PEM)
        assert "one" in refusal(octets * 2)

    def test_signed_over_other_octets(self) -> None:
        changed = bytearray(PA.crl())
        changed[-1] ^= 1
        refusal(bytes(changed))

    def test_keys_of_kinds_that_sign_nothing_here(self) -> None:
        key: Any = ec.generate_private_key(ec.SECP521R1())
        root = Authority("STI-PA", key=key)
        with pytest.raises(Fault):
            read_crl(root.crl(), root.roots, SECONDS)
