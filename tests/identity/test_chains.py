"""Which paths are believed, until when, and what their signers may sign."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.x509.oid import ObjectIdentifier

from callscreen.identity.certificates import PATH_MOST
from callscreen.identity.chains import check_authority, judge_chain
from callscreen.identity.model import FAILED, Fault
from callscreen.identity.revocation import read_crl
from callscreen.identity.trust import Trust

from .authority import (
    SECONDS,
    Authority,
    Issued,
    constraints_der,
    enhanced_der,
    new_key,
    tn_authority_der,
)

ROOT = Authority()
TRUST = Trust(ROOT.roots)
CA = ROOT.intermediate()
DAY = 86_400
CLAIMS: dict[str, Any] = {
    "attest": "A",
    "dest": {"tn": ["12155550131"]},
    "iat": int(SECONDS),
    "orig": {"tn": "12155550121"},
    "origid": "de305d54-75b4-431b-adb2-eb6b9e546014",
}


def judge(issued: Issued, trust: Trust = TRUST, now: float = SECONDS) -> Any:
    return judge_chain(issued.path, trust, now)


def refused(issued: Issued, trust: Trust = TRUST, now: float = SECONDS) -> str:
    with pytest.raises(Fault) as caught:
        judge(issued, trust, now)
    fault = caught.value
    assert (fault.code, fault.verstat, fault.unknown) == (437, FAILED, False)
    return fault.detail


@pytest.mark.parametrize("authority", [ROOT, CA], ids=["below the root", "below a CA"])
def test_good_path(authority: Authority) -> None:
    issued = authority.leaf("1234", days=30)
    chain = judge(issued)
    assert chain.spc == ("1234",)
    assert chain.numbers == ()
    assert chain.name == "CN=SHAKEN 1234"
    assert chain.until == SECONDS + 30 * DAY
    assert chain.key.public_numbers() == issued.key.public_key().public_numbers()
    check_authority(chain, CLAIMS, "shaken")


def test_path_that_brings_its_root() -> None:
    issued = CA.leaf()
    assert judge(Issued(issued.key, (*issued.path, *ROOT.roots))).spc == ("1234",)


def test_nothing_trusted_is_not_to_be_told() -> None:
    with pytest.raises(Fault) as caught:
        judge(ROOT.leaf(), Trust())
    assert caught.value.unknown
    assert caught.value.code == 436


def test_too_short() -> None:
    issued = CA.leaf()
    assert "no path" in refused(Issued(issued.key, issued.path[:1]))
    assert "empty" in refused(Issued(issued.key, ()))


def test_another_root_of_the_same_name() -> None:
    assert "no path" in refused(Authority().leaf())
    assert "no path" in refused(Authority().intermediate().leaf())


def test_too_long() -> None:
    authority = ROOT
    for place in range(PATH_MOST):
        authority = authority.intermediate(f"CA {place}")
    assert "more than" in refused(authority.leaf())


def test_looped() -> None:
    first = Authority("First")
    second = first.intermediate("Second")
    again = Authority("First", above=second, key=first.key)
    issued = again.leaf()
    assert "no path" in refused(Issued(issued.key, issued.path[:3]))


def test_one_name_many_times_is_not_searched() -> None:
    key = new_key()
    name = "Round"
    round_ = Authority(name, key=key)
    others = [Authority(name, above=round_, key=key).certificate for _ in range(PATH_MOST - 1)]
    issued = round_.leaf()
    assert "one name" in refused(Issued(issued.key, (issued.certificate, *others)))


def test_times() -> None:
    issued = ROOT.leaf(begins=-1, days=1)
    judge(issued, now=SECONDS - DAY)
    judge(issued, now=SECONDS + DAY)
    refused(issued, now=SECONDS - DAY - 1)
    refused(issued, now=SECONDS + DAY + 1)


def test_ca_that_ends_first() -> None:
    authority = ROOT.intermediate(days=3)
    issued = authority.leaf(days=30)
    assert judge(issued).until == SECONDS + 3 * DAY
    refused(issued, now=SECONDS + 4 * DAY)


@pytest.mark.parametrize(
    "issued",
    [
        ROOT.leaf(key=new_key("P-384")),
        ROOT.leaf(key=new_key("RSA")),
        ROOT.leaf(digest=SHA384()),
        ROOT.intermediate(digest=SHA384()).leaf(),
        ROOT.intermediate(key=new_key("P-384")).leaf(),
        ROOT.leaf(critical=ObjectIdentifier("1.2.3.4")),
        ROOT.intermediate(critical=ObjectIdentifier("1.2.3.4")).leaf(),
        ROOT.intermediate(ca=False).leaf(),
        ROOT.intermediate(basic=False).leaf(),
        ROOT.intermediate(path_length=0).intermediate("Below").leaf(),
        ROOT.leaf(ca=True),
        ROOT.leaf(()),
        ROOT.leaf(("1234",), numbers=["12155550121"]),
        ROOT.leaf(tn_authority=b"\x30\x00"),
        ROOT.intermediate(tn_authority=tn_authority_der(["1234"])).leaf(),
        ROOT.leaf(
            constraints=constraints_der(["attest"]), enhanced=enhanced_der(exclude=["priority"])
        ),
    ],
    ids=[
        "P-384",
        "RSA",
        "SHA-384",
        "SHA-384 of a CA",
        "P-384 of a CA",
        "unknown critical",
        "unknown critical of a CA",
        "CA that is none",
        "CA without basicConstraints",
        "CA below one that may have none",
        "CA as leaf",
        "no TNAuthList",
        "codes and numbers",
        "empty TNAuthList",
        "TNAuthList of a CA",
        "both constraints",
    ],
)
def test_refused(issued: Issued) -> None:
    refused(issued)


def test_leaf_issues_no_leaf() -> None:
    first = ROOT.leaf()
    forger = Authority("SHAKEN 1234", above=ROOT, key=first.key)
    forged = forger.leaf("9999")
    refused(Issued(forged.key, (forged.certificate, first.certificate)))


def test_old_ca_with_rsa() -> None:
    assert judge(ROOT.intermediate(key=new_key("RSA")).leaf()).spc == ("1234",)


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

    def test_numbers_make_no_provider(self) -> None:
        climber = self.CUSTOMER.intermediate("Climber", tn_authority=tn_authority_der(["9999"]))
        assert "parent" in refused(climber.delegate("19995550000"))
        refused(self.CUSTOMER.leaf("1234"))

    def test_nobody_delegated(self) -> None:
        assert "nobody" in refused(CA.delegate("12155550121"))

    def test_key_identifiers(self) -> None:
        assert "identifiers" in refused(self.PROVIDER.delegate("1", identifiers=False))
        assert "fit" in refused(self.PROVIDER.delegate("1", authority_identifier=b"another"))
