"""Which paths are believed, until when, and what their signers may sign."""

from contextlib import nullcontext
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from callscreen.identity.chains import check_authority
from callscreen.identity.model import Fault
from callscreen.identity.revocation import read_crl
from callscreen.identity.trust import Trust

from .authority import (
    SECONDS,
    constraints_der,
    enhanced_der,
    ia5,
    tn_authority_der,
)
from .judged import CA, CLAIMS, DAY, ROOT, judge, refused
from .lists import der


class TestRevoked:
    def test_by_issuer_and_number(self) -> None:
        other = ROOT.intermediate("Other CA")
        gone, same_number = CA.leaf(serial=77), other.leaf(serial=77)
        trust = Trust(ROOT.roots, read_crl(ROOT.crl([gone.certificate]), ROOT.roots, SECONDS))
        assert "revoked" in refused(gone, trust)
        assert judge(same_number, trust).until == trust.revocations.until

    def test_ca(self) -> None:
        trust = Trust(ROOT.roots, read_crl(ROOT.crl([CA.certificate]), ROOT.roots, SECONDS))
        assert "revoked" in refused(CA.leaf(), trust)

    @pytest.mark.parametrize("text", ["issuing ca", "Issuing  CA"])
    @pytest.mark.parametrize("kind", [_ASN1Type.UTF8String, _ASN1Type.PrintableString])
    def test_under_another_spelling_of_its_issuer(self, text: str, kind: Any) -> None:
        gone = CA.leaf(serial=77)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, kind)])
        issuer = x509.CertificateIssuer([x509.DirectoryName(name)]), True
        crl = ROOT.crl_entries((77, [issuer]))
        assert "revoked" in refused(gone, Trust(ROOT.roots, read_crl(crl, ROOT.roots, SECONDS)))

    def test_a_list_of_one_issuer_is_silent_on_others(self) -> None:
        trust = Trust(ROOT.roots, read_crl(ROOT.crl(extensions=()), ROOT.roots, SECONDS))
        assert judge(ROOT.leaf(), trust).spc == ("1234",)
        with pytest.raises(Fault) as caught:
            judge(CA.leaf(), trust)
        assert (caught.value.code, caught.value.unknown) == (436, True)

    def test_list_that_has_ended(self) -> None:
        gone = CA.leaf()
        crl = read_crl(ROOT.crl([gone.certificate], ends=1), ROOT.roots, SECONDS)
        trust = Trust(ROOT.roots, crl)
        with pytest.raises(Fault) as caught:
            judge(CA.leaf(), trust, SECONDS + 2 * DAY)
        assert caught.value.unknown
        refused(gone, trust, SECONDS + 2 * DAY)


class TestClaims:
    @pytest.mark.parametrize(
        ("more", "allowed"),
        [
            ({"constraints": constraints_der(["attest"])}, True),
            ({"constraints": constraints_der(["confidence"])}, False),
            ({"constraints": constraints_der(permitted={"attest": ["A", "B"]})}, True),
            ({"constraints": constraints_der(permitted={"attest": ["B"]})}, False),
            ({"constraints": constraints_der(permitted={"orig": ["12155550121"]})}, True),
            ({"constraints": constraints_der(permitted={"dest": ["12155550100"]})}, False),
            ({"constraints": constraints_der(permitted={"absent": ["x"]})}, True),
            ({"enhanced": enhanced_der(exclude=["priority"])}, True),
            ({"enhanced": enhanced_der(exclude=["attest"])}, False),
            ({"enhanced": enhanced_der(exclude=["attest", "iat"])}, True),  # void
        ],
    )
    def test_of_leaf_and_of_ca(self, more: dict[str, Any], allowed: bool) -> None:
        for issued in (ROOT.leaf(**more), ROOT.intermediate(**more).leaf()):
            chain = judge(issued)
            if allowed:
                check_authority(chain, CLAIMS, "shaken")
                continue
            with pytest.raises(Fault) as caught:
                check_authority(chain, CLAIMS, "shaken")
            assert caught.value.code == 437

    def test_all_texts_of_a_claim(self) -> None:
        chain = judge(ROOT.leaf(constraints=constraints_der(permitted={"dest": ["1", "2"]})))
        check_authority(chain, CLAIMS | {"dest": {"tn": ["1", "2"]}}, "shaken")
        wrong: tuple[dict[str, Any], ...] = ({"tn": ["1", "3"]}, {"tn": []}, {}, {"tn": [True]})
        for dest in wrong:
            with pytest.raises(Fault):
                check_authority(chain, CLAIMS | {"dest": dest}, "shaken")

    @pytest.mark.parametrize(
        ("value", "allowed"),
        [
            ("1", True),
            (1, True),
            (["1"], True),
            ([["1"], {"x": [1]}], True),
            ({"x": [{"y": "1"}]}, True),
            ("2", False),
            ("", False),
            (None, False),
            (True, False),
            (1.5, False),
            ([], False),
            ({}, False),
            (["1", "2"], False),
            (["1", []], False),
            ([None], False),
        ],
    )
    def test_kinds_of_values(self, value: Any, allowed: bool) -> None:
        limits = enhanced_der(["k"], {"k": ["1", "None", "True", "1.5"]})
        chain = judge(ROOT.leaf(enhanced=limits))
        with nullcontext() if allowed else pytest.raises(Fault):
            check_authority(chain, CLAIMS | {"k": value}, "shaken")

    def test_a_claim_without_a_value_is_there_all_the_same(self) -> None:
        there = judge(ROOT.leaf(enhanced=enhanced_der(["k"])))
        away = judge(ROOT.leaf(enhanced=enhanced_der(exclude=["k"])))
        check_authority(there, CLAIMS | {"k": None}, "shaken")
        check_authority(away, CLAIMS, "shaken")
        for chain, claims in ((there, CLAIMS), (away, CLAIMS | {"k": None})):
            with pytest.raises(Fault):
                check_authority(chain, claims, "shaken")

    def test_values_of_one_claim_named_twice(self) -> None:
        pair = [
            der(0x30, ia5("k"), der(0x30, *(der(0x0C, each) for each in texts)))
            for texts in ((b"1", b"2"), (b"2", b"3"))
        ]
        chain = judge(ROOT.leaf(constraints=der(0x30, der(0xA1, der(0x30, *pair)))))
        check_authority(chain, CLAIMS | {"k": "2"}, "shaken")
        for value in ("1", "3"):
            with pytest.raises(Fault):
                check_authority(chain, CLAIMS | {"k": value}, "shaken")


class TestDelegates:
    PROVIDER = ROOT.intermediate("Provider", tn_authority=tn_authority_der(["1234"]))
    CUSTOMER = PROVIDER.intermediate(
        "Customer", tn_authority=tn_authority_der(numbers=[("12155550100", 100)])
    )

    def test_numbers_of_a_provider(self) -> None:
        chain = judge(self.PROVIDER.delegate("12155550121"))
        assert chain.numbers == (("12155550121", "12155550121"),)
        check_authority(chain, CLAIMS, "rcd")
        check_authority(chain, CLAIMS, "")
        with pytest.raises(Fault):
            check_authority(chain, CLAIMS, "shaken")
        with pytest.raises(Fault):
            check_authority(chain, CLAIMS | {"orig": {"tn": "12155550122"}}, "rcd")
        with pytest.raises(Fault):
            check_authority(chain, CLAIMS | {"orig": {"uri": "sip:a@example.org"}}, "rcd")

    def test_inside_its_parent(self) -> None:
        chain = judge(self.CUSTOMER.delegate(("12155550190", 10)))
        assert chain.numbers == (("12155550190", "12155550199"),)
        for number in (("12155550190", 11), "12155550099", "121555501", "121555501210"):
            assert "parent" in refused(self.CUSTOMER.delegate(number))

    def test_other_characters_are_in_no_range(self) -> None:
        for number in ("1215555012#", "121555501*0"):
            refused(self.CUSTOMER.delegate(number))
            chain = judge(self.PROVIDER.delegate(number, ("12155550100", 100)))
            check_authority(chain, CLAIMS | {"orig": {"tn": number}}, "rcd")
            chain = judge(self.PROVIDER.delegate(("12155550100", 100)))
            with pytest.raises(Fault):
                check_authority(chain, CLAIMS | {"orig": {"tn": number}}, "rcd")

    def test_numbers_make_no_provider(self) -> None:
        climber = self.CUSTOMER.intermediate("Climber", tn_authority=tn_authority_der(["9999"]))
        assert "parent" in refused(climber.delegate("19995550000"))
        refused(self.CUSTOMER.leaf("1234"))

    def test_nobody_delegated(self) -> None:
        assert "nobody" in refused(CA.delegate("12155550121"))

    def test_key_identifiers(self) -> None:
        assert "identifiers" in refused(self.PROVIDER.delegate("1", identifiers=False))
        assert "fit" in refused(self.PROVIDER.delegate("1", authority_identifier=b"another"))
