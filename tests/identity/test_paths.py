"""Which paths of certificates are believed, and until when (RFC 5280 section 6.1)."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from callscreen.identity.certificates import PATH_MOST
from callscreen.identity.chains import check_authority, judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.paths import is_path
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
from .judged import CA, CLAIMS, DAY, NOBODY, ROOT, TRUST, judge, refused
from .lists import der, der_parts, resigned


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


def test_names_many_times_are_not_searched() -> None:
    key = new_key()
    round_ = Authority("Round", key=key)
    others = [Authority("Round", above=round_, key=key).certificate for _ in range(PATH_MOST - 1)]
    issued = round_.leaf()
    assert "no path" in refused(Issued(issued.key, (issued.certificate, *others)))
    twice = [ROOT.intermediate(f"CA {place // 2}").certificate for place in range(PATH_MOST)]
    issued = CA.leaf()
    crowded = Issued(issued.key, (issued.certificate, CA.certificate, *twice[: PATH_MOST - 2]))
    assert judge(crowded).spc == ("1234",)
    below = ROOT.intermediate("CA 4")
    crowded = Issued(issued.key, (issued.certificate, *twice[: PATH_MOST - 1]))
    assert "no path" in refused(crowded)
    many = [below.intermediate(f"CA {place % 3}").certificate for place in range(PATH_MOST - 1)]
    assert "too many" in refused(Issued(issued.key, (issued.certificate, *many)))


class TestWays:
    """One CA that two others have certified, or a CA with a new key: one name, several ways up."""

    OTHER = Authority("Other root")
    KEY = new_key()
    OURS = ROOT.intermediate("Crossed", key=KEY)
    THEIRS = OTHER.intermediate("Crossed", key=KEY)
    RENEWED = ROOT.intermediate("Crossed")

    @pytest.mark.parametrize("first", [True, False])
    @pytest.mark.parametrize("other", [THEIRS, RENEWED], ids=["cross-certified", "new key"])
    def test_either_order(self, other: Authority, first: bool) -> None:
        leaf = self.OURS.leaf()
        above = [self.OURS.certificate, other.certificate]
        path = (leaf.certificate, *(above if first else above[::-1]))
        assert judge(Issued(leaf.key, path)).spc == ("1234",)
        assert "no path" in refused(Issued(leaf.key, (path[0], other.certificate)))

    def test_one_way_that_was_revoked_or_may_not(self) -> None:
        both = (*ROOT.roots, *self.OTHER.roots)
        weak = self.OTHER.intermediate("Crossed", key=self.KEY, usage=("crl_sign",))
        leaf = self.OURS.leaf()
        for bad in (self.THEIRS, weak):
            crl = read_crl(ROOT.crl([self.THEIRS.certificate]), ROOT.roots, SECONDS)
            trust = Trust(both, crl)
            path = (leaf.certificate, bad.certificate, self.OURS.certificate)
            assert judge(Issued(leaf.key, path), trust).spc == ("1234",)
            refused(Issued(leaf.key, path[:2]), trust)
        crl = read_crl(ROOT.crl([leaf.certificate]), ROOT.roots, SECONDS)
        path = (leaf.certificate, self.THEIRS.certificate, self.OURS.certificate)
        assert "revoked" in refused(Issued(leaf.key, path), Trust(both, crl))

    def test_roots_of_one_name(self) -> None:
        new = Authority()
        trust = Trust((*new.roots, *ROOT.roots))
        for root in (ROOT, new):
            assert judge(root.intermediate().leaf(), trust).spc == ("1234",)


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
        ROOT.intermediate(usage=False).leaf(),
        ROOT.intermediate(usage=("crl_sign", "digital_signature")).leaf(),
        ROOT.leaf(usage=("key_cert_sign",)),
        ROOT.intermediate(beside=[NOBODY]).leaf(),
        ROOT.intermediate(beside=[(NOBODY[0], False)]).leaf(),
        ROOT.intermediate(beside=[(x509.PolicyConstraints(0, None), True)]).leaf(),
        ROOT.intermediate(beside=[(x509.InhibitAnyPolicy(0), True)]).leaf(),
        ROOT.leaf(beside=[(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), True)]),
        ROOT.intermediate(days=-1).leaf(),
        ROOT.intermediate(begins=1).leaf(),
        ROOT.intermediate(key=rsa.generate_private_key(65537, 1024)).leaf(),
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
        "CA without keyUsage",
        "CA of another use",
        "leaf of another use",
        "names constrained",
        "names constrained, not critical",
        "policies constrained",
        "policies inhibited",
        "for TLS alone",
        "CA that has ended",
        "CA that has not begun",
        "RSA of 1024 bits",
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


def test_roots_that_do_not_do() -> None:
    for root in (
        Authority(path_length=0),
        Authority(days=-1),
        Authority(begins=1),
        Authority(usage=("crl_sign",)),
        Authority(key=new_key("P-384")),
        Authority(key=rsa.generate_private_key(65537, 1024)),
    ):
        refused(root.intermediate().leaf(), Trust(root.roots))


def test_version_1() -> None:
    whole = der_parts(CA.certificate)
    assert resigned(der(0x30, *whole), ROOT.key) != CA.certificate.public_bytes(Encoding.DER)
    path = [CA.leaf().certificate]
    for parts, good in ((whole, True), (whole[1:-1], False), (whole[:-1], False)):
        ca = x509.load_der_x509_certificate(resigned(der(0x30, *parts), ROOT.key))
        if good:
            assert judge_chain([*path, ca], TRUST, SECONDS).spc == ("1234",)
        else:
            with pytest.raises(Fault):
                judge_chain([*path, ca], TRUST, SECONDS)


def test_leaf_issues_no_leaf() -> None:
    first = ROOT.leaf()
    forger = Authority("SHAKEN 1234", above=ROOT, key=first.key)
    forged = forger.leaf("9999")
    refused(Issued(forged.key, (forged.certificate, first.certificate)))


def test_old_ca_with_rsa() -> None:
    assert judge(ROOT.intermediate(key=new_key("RSA")).leaf()).spc == ("1234",)


def test_a_path_is_signed_link_by_link() -> None:
    issued = CA.leaf()
    whole = [*issued.path, ROOT.certificate]
    for count in range(4):
        assert is_path(whole[:count])
    other = ROOT.intermediate()  # of the same name
    leaf = ROOT.leaf()
    forger = Authority("SHAKEN 1234", above=ROOT, key=leaf.key)
    for bad in (
        [whole[0], other.certificate, whole[2]],
        [whole[1], whole[0]],
        [whole[0], whole[2]],
        [*whole[:2], Authority().certificate],
        [forger.leaf("9999", name="Forged").certificate, leaf.certificate, ROOT.certificate],
    ):
        assert not is_path(bad)
    idle = ROOT.intermediate("Idle", usage=("crl_sign",))
    assert not is_path([*idle.leaf().path, ROOT.certificate])
