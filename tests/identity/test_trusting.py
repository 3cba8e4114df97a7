"""Who may sign the trust list and the CRL, and that neither goes back."""

from pathlib import Path

import pytest
from cryptography import x509

from callscreen.identity.revocation import Revocations
from callscreen.identity.trusting import Trusts

from .authority import NOW, Authority, Issued, pem_of
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


def test_roots_of_callers_sign_no_lists(files: Files) -> None:
    for authority in (LISTED, files.kept.root):
        root = Issued(authority.key, authority.roots)
        files.put_crl(root, number=6, updated=-0.5)
        assert (files.trusts.failing, files.revocations.number) == (1, 5)
        files.put_crl(REVOKER, number=7, updated=-0.5)
        assert (files.trusts.failing, files.revocations.number) == (0, 7)
        files.put_crl(REVOKER, number=5, updated=-0.5)
        assert (files.trusts.failing, files.revocations.number) == (1, 7)
        files.kept.again()


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
