"""Who may sign the trust list and the CRL, and that neither goes back."""

from pathlib import Path

import pytest
from cryptography import x509

from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Fault
from callscreen.identity.revocation import Revocations
from callscreen.identity.trusting import Trusts

from .authority import NOW, SECONDS, Authority, Issued, pem_of
from .lists import DAY, INDIRECT, crl_of
from .test_keeping import Kept

PA = Authority("STI-PA Root")
LIST = PA.leaf((), name="STI-PA CA List")
REVOKER = PA.leaf((), name="STI-PA CRL", usage=("crl_sign",))
LISTED = Authority("Listed")


class Files:
    """A verifier with all of its sources in files: a root, a trust list, its signers, a CRL."""

    def __init__(self, folder: Path) -> None:
        self.list, self.crl, self.signers = (folder / each for each in ("list", "crl", "pa.pem"))
        self.signers.write_bytes(pem_of(*PA.roots, LIST.certificate, REVOKER.certificate))
        self.put_list(LIST)
        self.put_crl(REVOKER)
        self.kept = Kept(
            folder, trust_list=str(self.list), trust_list_ca=str(self.signers), crl=str(self.crl)
        )

    def put_list(self, signer: Issued, *, sequence: int = 5, expires: float = 1.0) -> None:
        head = {"x5c": None}
        ends = (NOW + expires * DAY).timestamp()
        listed = PA.trust_list(
            LISTED.roots, sequence=sequence, expires=ends, signer=signer, head=head
        )
        self.list.write_bytes(listed)

    def put_crl(self, issued: Issued, number: int = 5, updated: float = -1.0) -> None:
        name, more = issued.certificate.subject, [INDIRECT, (x509.CRLNumber(number), False)]
        when = NOW + updated * DAY
        self.crl.write_bytes(
            crl_of(name, issued.key, updated=when, ends=NOW + DAY, extensions=more)
        )

    @property
    def trusts(self) -> Trusts:
        self.kept.trusts.look()
        return self.kept.trusts

    @property
    def revocations(self) -> Revocations:
        found = self.trusts.revocations
        assert found is not None
        return found


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_lists_of_signers_below_the_root(files: Files) -> None:
    assert files.trusts.failing == 0
    assert files.trusts.trust_list is not None
    assert files.trusts.trust("").roots == (*files.kept.root.roots, *LISTED.roots)
    assert files.revocations.number == 5


@pytest.mark.parametrize("listed", [True, False])
def test_roots_of_callers_sign_no_lists(files: Files, listed: bool) -> None:
    authority = LISTED if listed else files.kept.root
    root = Issued(authority.key, authority.roots)
    files.put_crl(root, number=6, updated=-0.5)
    assert (files.trusts.failing, files.revocations.number) == (1, 5)
    files.put_crl(REVOKER, number=7, updated=-0.5)
    assert (files.trusts.failing, files.revocations.number) == (0, 7)
    files.put_crl(REVOKER, number=5, updated=-0.5)
    assert (files.trusts.failing, files.revocations.number) == (1, 7)


def test_without_their_signers_lists_are_not_taken_from_others(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.signers.write_bytes(b"nothing")
    root = Issued(files.kept.root.key, files.kept.root.roots)
    files.put_list(root)
    files.put_crl(root)
    files.kept.again()
    assert files.trusts.failing == 3
    assert files.trusts.trust_list is files.trusts.revocations is None


def test_neither_goes_back(files: Files) -> None:
    files.put_crl(REVOKER, number=4)
    assert (files.trusts.failing, files.revocations.number) == (1, 5)
    files.put_crl(REVOKER, number=6, updated=-2.0)
    assert (files.trusts.failing, files.revocations.number) == (1, 5)
    files.put_crl(REVOKER)
    files.put_list(LIST, sequence=4)
    assert files.trusts.failing == 1
    files.put_list(LIST, sequence=5, expires=0.5)
    assert files.trusts.failing == 1
    found = files.trusts.trust_list
    assert found is not None
    assert (found.sequence, found.expires) == (5, (NOW + DAY).timestamp())
    files.put_list(LIST, sequence=6, expires=0.5)
    assert files.trusts.failing == 0


def test_neither_goes_back_over_a_restart(files: Files) -> None:
    files.put_list(LIST, sequence=6, expires=0.2)
    files.put_crl(REVOKER, number=6)
    assert files.trusts.failing == 0
    files.put_list(LIST, sequence=5)
    files.put_crl(REVOKER)
    files.kept.clock.now += 0.5 * 86_400  # the newer list has ended
    files.kept.again()
    assert (files.trusts.failing, files.trusts.trust_list, files.trusts.revocations) == (
        2,
        None,
        None,
    )
    files.put_list(LIST, sequence=7)
    files.put_crl(REVOKER, number=2**100)  # up to 20 octets
    assert files.trusts.failing == 0
    files.kept.again()
    assert files.trusts.failing == 0
    assert files.revocations.number == 2**100


@pytest.mark.parametrize(
    "octets", [b"", b"[]", b'{"crl":1}', b'{"crl":{"signers":[]}}', b"[" * 9_999]
)
def test_a_file_of_floors_that_cannot_be_read_is_as_none(files: Files, octets: bytes) -> None:
    (files.kept.cache / "floors.json").write_bytes(octets)
    files.kept.again()
    assert files.trusts.failing == 0


def test_lists_are_judged_anew_when_who_signs_them_changes(files: Files) -> None:
    other = Authority("Other PA")
    lister = other.leaf((), name="Other List")
    revoker = other.leaf((), name="Other CRL", usage=("crl_sign",))
    held = pem_of(*PA.roots, LIST.certificate, REVOKER.certificate)
    new = pem_of(*other.roots, lister.certificate, revoker.certificate)
    files.signers.write_bytes(held + new)  # rolled over: both for a while
    assert files.trusts.failing == 0
    assert LISTED.roots[0] in files.trusts.trust("").roots
    files.signers.write_bytes(new)
    assert files.trusts.failing == 2
    assert files.trusts.trust("").roots == files.kept.root.roots
    assert files.trusts.trust("").revocations.until == 0  # nobody is cleared
    files.put_list(lister, sequence=1)  # another authority's count begins anew
    files.put_crl(revoker, number=1, updated=-3.0)
    assert files.trusts.failing == 0
    assert LISTED.roots[0] in files.trusts.trust("").roots
    assert files.revocations.number == 1


def test_a_crl_is_of_its_own_domain(tmp_path: Path) -> None:
    files = Files(tmp_path)
    abroad = Authority("Abroad")
    ours, theirs = files.kept.root.leaf(), abroad.leaf()
    folder = files.kept.folder
    (folder / "fr.pem").write_bytes(abroad.pem)

    def told(leaf: Issued, name: str = "") -> tuple[int, bool]:
        try:
            judge_chain(leaf.path, files.trusts.trust(name), SECONDS)
        except Fault as fault:
            return fault.code, fault.unknown
        return 0, False

    assert told(theirs) == (0, False)  # without its own the common one is asked
    (folder / "fr.crl").write_bytes(b"nothing")
    assert (told(theirs), told(theirs, "fr"), told(ours)) == ((436, True), (436, True), (0, False))
    (folder / "fr.crl").write_bytes(abroad.crl())
    assert (told(theirs), told(theirs, "fr"), told(ours)) == ((0, False),) * 3
    (folder / "fr.crl").write_bytes(abroad.crl([theirs.certificate]))
    assert (told(theirs), told(theirs, "fr"), told(ours)) == (
        (437, False),
        (437, False),
        (0, False),
    )
    files.crl.unlink()
    (files.kept.cache / "floors.json").unlink()
    files.kept.again()
    assert told(ours) == (436, True)  # the common one is away: it keeps nobody else
    assert told(theirs, "fr") == (437, False)
    (folder / "fr.crl").unlink()
    assert told(theirs, "fr") == (437, False)  # it counts until it ends
    (folder / "fr.pem").unlink()
    assert told(theirs, "fr") == (436, True)  # nobody is trusted by that name


def test_a_crl_of_another_domain_is_not_taken(tmp_path: Path) -> None:
    files = Files(tmp_path)
    (files.kept.folder / "fr.pem").write_bytes(Authority("Abroad").pem)
    (files.kept.folder / "fr.crl").write_bytes(files.kept.root.crl())
    assert files.trusts.failing == 1
    assert files.trusts.trust("pa").revocations.number == 5


async def test_roots_that_a_rule_names_change_nothing_for_others(tmp_path: Path) -> None:
    files = Files(tmp_path)
    mine, url = Authority("Mine"), "https://roots.example.org/pa.pem"
    before = files.trusts.trust(""), files.trusts.trust("pa")
    files.kept.web.answers[url] = mine.pem
    await files.trusts.want(url)
    assert files.trusts.trust(url).roots == mine.roots
    assert (files.trusts.trust(""), files.trusts.trust("pa")) == before
    files.put_crl(Issued(mine.key, mine.roots), number=9, updated=-0.5)
    files.put_list(Issued(mine.key, mine.roots), sequence=9)
    assert files.trusts.failing == 2


async def test_a_list_of_a_url_is_had_anew_when_its_signers_change(tmp_path: Path) -> None:
    other, place, signers = Authority("Other PA"), "https://pa.example.org/list", tmp_path / "ca"
    signers.write_bytes(PA.pem)
    kept = Kept(tmp_path, trust_list=place, trust_list_ca=str(signers))
    kept.web.answers[place] = PA.trust_list(LISTED.roots)
    await kept.trusts.refresh()
    assert kept.trusts.trust_list is not None
    kept.web.answers[place] = other.trust_list(LISTED.roots, sequence=1)
    signers.write_bytes(other.pem)
    await kept.trusts.refresh()
    assert kept.web.asked == [place, place]
    assert (kept.trusts.failing, kept.trusts.trust_list and kept.trusts.trust_list.sequence) == (
        0,
        1,
    )
