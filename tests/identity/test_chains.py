"""Which paths are believed, for which numbers and claims, and which are not."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from callscreen.identity.chains import check_authority, judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.revocation import Revocations, read_crl
from callscreen.identity.trust import Trust

from .authority import (
    CLAIM_CONSTRAINTS,
    DAY,
    ENHANCED_CONSTRAINTS,
    NOW,
    TN_AUTH_LIST,
    Authority,
    Issued,
    claim_constraints,
    der,
    ia5,
    tn_auth_list,
)

ROOT = Authority()
BELOW = ROOT.intermediate()
TRUST = Trust((ROOT.certificate,))
SHAKEN = {"attest": "A", "orig": {"tn": "12155551213"}, "dest": {"tn": ["12355551212"]}, "iat": 1}


def refused(issued: Issued, trust: Trust = TRUST, now: float = NOW) -> Fault:
    with pytest.raises(Fault) as caught:
        judge_chain(issued.path, trust, now)
    return caught.value


@pytest.mark.parametrize("authority", [ROOT, BELOW, BELOW.intermediate("Second")])
@pytest.mark.parametrize("policy", [True, False])
def test_a_path_to_a_root_is_believed(authority: Authority, policy: bool) -> None:
    leaf = authority.leaf("709J", policy=policy)
    chain = judge_chain(leaf.path, TRUST, NOW)
    assert (chain.spc, chain.numbers, chain.name) == (("709J",), (), "CN=SHAKEN 1234")
    assert chain.until == NOW + 90 * DAY
    assert chain.key == leaf.key.public_key()
    check_authority(chain, SHAKEN, "shaken")


def test_more_certificates_than_needed_in_any_order_do_no_harm() -> None:
    leaf = BELOW.leaf()
    path = [leaf.certificate, ROOT.certificate, Authority("Else").certificate, *leaf.above]
    assert judge_chain(path, TRUST, NOW).spc == ("1234",)


OTHER = Authority("Root")  # of the same name, with another key
WRONG: dict[str, Any] = {
    "root unknown": lambda: OTHER.leaf(),
    "too short": lambda: Issued(BELOW.leaf().certificate, None),
    "leaf expired": lambda: ROOT.leaf(not_after=NOW - 1),
    "leaf not yet valid": lambda: ROOT.leaf(not_before=NOW + 1, not_after=NOW + DAY),
    "CA expired": lambda: ROOT.intermediate(not_after=NOW - 1).leaf(),
    "CA is none": lambda: ROOT.intermediate(ca=False).leaf(),
    "curve": lambda: ROOT.leaf(curve=ec.SECP384R1()),
    "curve 256k1": lambda: ROOT.leaf(curve=ec.SECP256K1()),
    "no TNAuthList": lambda: ROOT.leaf(authority=b""),
    "empty TNAuthList": lambda: ROOT.leaf(authority=der(0x30)),
    "TNAuthList a text": lambda: ROOT.leaf(authority=ia5("1234")),
    "TNAuthList and more": lambda: ROOT.leaf(authority=tn_auth_list(("1234",)) + b"\0"),
    "TNAuthList implicit": lambda: ROOT.leaf(authority=der(0x30, der(0x80, b"1234"))),
    "TNAuthList of an unknown entry": lambda: ROOT.leaf(authority=der(0x30, der(0xA3, ia5("1")))),
    "TNAuthList with an empty code": lambda: ROOT.leaf(authority=der(0x30, der(0xA0, ia5("")))),
    "code and number": lambda: ROOT.leaf("1234", numbers=("12155551213",)),
    "TNAuthList in the CA": lambda: ROOT.intermediate(
        extensions=((TN_AUTH_LIST, tn_auth_list(("1234",)), False),)
    ).leaf(),
    "a CA signs": lambda: ROOT.leaf(ca=True),
    "unknown critical extension": lambda: ROOT.leaf(extensions=(("1.2.3.4", b"\5\0", True),)),
    "both constraints": lambda: ROOT.leaf(
        extensions=(
            (CLAIM_CONSTRAINTS, claim_constraints(("attest",)), False),
            (ENHANCED_CONSTRAINTS, claim_constraints(exclude=("rcd",)), False),
        )
    ),
    "empty constraints": lambda: ROOT.leaf(extensions=((CLAIM_CONSTRAINTS, der(0x30), False),)),
    "number that nobody delegated": lambda: ROOT.leaf("", numbers=("12155551213",)),
}


@pytest.mark.parametrize("what", WRONG)
def test_another_path_is_not_believed(what: str) -> None:
    fault = refused(WRONG[what]())
    assert (fault.code, fault.verstat, fault.unknown) == (437, "TN-Validation-Failed", False)


def test_an_empty_path_is_not_believed() -> None:
    with pytest.raises(Fault, match="empty"):
        judge_chain([], TRUST, NOW)


def test_a_path_that_goes_round_or_on_and_on_ends() -> None:
    one = ROOT.intermediate("One")
    two = one.intermediate("Two")
    again = Authority("One", two)
    again.__dict__["key"] = one.key
    leaf = two.leaf()
    path = [leaf.certificate, again.certificate, two.certificate] * 3
    with pytest.raises(Fault):
        judge_chain(path, Trust((Authority("Far").certificate,)), NOW)
    authority = ROOT
    for place in range(12):
        authority = authority.intermediate(f"CA {place}")
    assert refused(authority.leaf()).code == 437


def test_without_roots_nothing_can_be_told() -> None:
    fault = refused(ROOT.leaf(), Trust())
    assert (fault.code, fault.unknown) == (436, True)


# Revocation

REVOKER = Authority("STI-PA CRL")


def test_what_was_revoked_is_known_by_issuer_and_number() -> None:
    leaf, other = BELOW.leaf(), BELOW.leaf()
    stranger = Authority("Stranger")
    serial = leaf.certificate.serial_number
    for revoked, good in (
        (((stranger, serial),), True),
        (((BELOW, other.certificate.serial_number),), True),
        (((stranger, 5), (BELOW, 7), (BELOW, serial)), False),
        (((ROOT, BELOW.certificate.serial_number),), False),
    ):
        crl = read_crl(REVOKER.crl(revoked), [REVOKER.certificate], NOW)
        trust = Trust((ROOT.certificate,), crl)
        if good:
            assert judge_chain(leaf.path, trust, NOW).until == NOW + DAY
        else:
            assert "revoked" in str(refused(leaf, trust))


def test_a_list_that_has_ended_tells_nothing() -> None:
    trust = Trust((ROOT.certificate,), Revocations(until=NOW - 1))
    fault = refused(ROOT.leaf(), trust)
    assert (fault.code, fault.unknown) == (436, True)


# Numbers and claims


def delegating(**more: Any) -> Authority:
    return ROOT.intermediate("Provider", extensions=((TN_AUTH_LIST, tn_auth_list(**more), False),))


def signs_for(leaf: Issued, number: str, ppt: str = "") -> bool:
    chain = judge_chain(leaf.path, TRUST, NOW)
    try:
        check_authority(chain, {**SHAKEN, "orig": {"tn": number}}, ppt)
    except Fault:
        return False
    return True


def test_a_delegate_signs_for_its_own_numbers_alone() -> None:
    leaf = delegating(spc=("1234",)).leaf(
        "", numbers=("12155551213",), ranges=(("12155550000", 100),)
    )
    assert signs_for(leaf, "12155551213")
    assert signs_for(leaf, "12155550000")
    assert signs_for(leaf, "12155550099")
    assert not signs_for(leaf, "12155550100")
    assert not signs_for(leaf, "1215555000")
    assert not signs_for(leaf, "12155551213", "shaken")


def test_a_delegate_has_no_number_that_its_parent_does_not_have() -> None:
    parent = delegating(ranges=(("12155550000", 100),))
    assert signs_for(parent.leaf("", numbers=("12155550050",)), "12155550050")
    assert refused(parent.leaf("", numbers=("12155550100",))).code == 437
    assert refused(parent.leaf("", ranges=(("12155550050", 51),))).code == 437


def test_a_delegate_path_has_key_identifiers_that_fit() -> None:
    leaf = delegating(spc=("1234",)).leaf("", numbers=("12155551213",), identifiers=False)
    assert "identifiers" in str(refused(leaf))


@pytest.mark.parametrize(
    ("limits", "claims", "good"),
    [
        (claim_constraints(("attest",)), {}, True),
        (claim_constraints(("rcd",)), {}, False),
        (claim_constraints(permitted={"attest": ("A", "B")}), {}, True),
        (claim_constraints(permitted={"attest": ("B",)}), {}, False),
        (claim_constraints(permitted={"orig": ("12155551213",)}), {}, True),
        (claim_constraints(permitted={"dest": ("12155551213",)}), {}, False),
        (claim_constraints(permitted={"rcd": ("x",)}), {}, True),
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_claims_are_constrained_by_every_certificate_of_the_path(
    limits: bytes, claims: dict[str, Any], good: bool, above: bool
) -> None:
    extensions = ((CLAIM_CONSTRAINTS, limits, False),)
    if above:
        leaf = ROOT.intermediate(extensions=extensions).leaf()
    else:
        leaf = ROOT.leaf(extensions=extensions)
    chain = judge_chain(leaf.path, TRUST, NOW)
    if good:
        check_authority(chain, {**SHAKEN, **claims}, "shaken")
    else:
        with pytest.raises(Fault, match="claim"):
            check_authority(chain, {**SHAKEN, **claims}, "shaken")


def test_excluded_claims_and_those_that_cannot_be() -> None:
    def chain_of(*exclude: str) -> Any:
        octets = claim_constraints(("attest",), exclude=exclude)
        leaf = ROOT.leaf(extensions=((ENHANCED_CONSTRAINTS, octets, False),))
        return judge_chain(leaf.path, TRUST, NOW)

    check_authority(chain_of("rcd"), SHAKEN, "shaken")
    with pytest.raises(Fault, match="may not be there"):
        check_authority(chain_of("rcd", "attest"), SHAKEN, "shaken")
    assert chain_of("rcd", "iat").constraints == ()  # the whole extension is void
