"""Paths that cost more than calls do: a stranger sends them, and they are looked at once."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from callscreen.identity import chains, paths
from callscreen.identity import kept as shelf
from callscreen.identity.chains import judge_chain
from callscreen.identity.model import Chain
from callscreen.identity.paths import is_strong
from callscreen.identity.trust import Trust

from .authority import SECONDS, Authority
from .test_keeping import DAY, URL, Kept, refused

ROOT = Authority()
TRUST = Trust(ROOT.roots)
CA = ROOT.intermediate()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


class TestCostlyKeys:
    """A stranger's path may hold keys that cost a hundred times what others do."""

    def ca(self, bits: int, exponent: int) -> x509.Certificate:
        modulus = (1 << (bits - 1)) | int.from_bytes(b"\xa5" * (bits // 8 - 8), "big") | 1
        key: Any = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        return CA.signed(key, CA.name, ca=True, begins=-400.0, days=3650.0)

    @pytest.mark.parametrize(("bits", "exponent"), [(16_384, 65_537), (3_000, (1 << 2_000) | 1)])
    def test_nothing_is_verified_with_them(
        self, monkeypatch: pytest.MonkeyPatch, bits: int, exponent: int
    ) -> None:
        asked: list[x509.Certificate] = []

        def path_to(store: Any, leaf: Any, others: Any, now: float) -> Any:
            asked.extend(others)
            return paths.path_to(store, leaf, others, now)

        monkeypatch.setattr(chains, "path_to", path_to)
        issued = CA.leaf()
        path = [issued.certificate, self.ca(bits, exponent), CA.certificate]
        found = judge_chain(path, TRUST, SECONDS)
        assert found.spc == ("1234",)
        assert asked == [CA.certificate]

    def test_a_root_may_have_a_large_one(self) -> None:
        assert is_strong(self.ca(8_192, 65_537))
        assert not is_strong(self.ca(8_200, 65_537))
        assert not is_strong(self.ca(2_048, 65_539))


async def test_a_fault_of_a_path_is_found_once_in_a_while(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[float] = []

    def counted(path: Any, trust: Any, now: float, lists: Any) -> Chain:
        judged.append(now)
        return chains.judge_chain(path, trust, now, lists)

    monkeypatch.setattr(shelf, "judge_chain", counted)
    soon = "https://cert.example.org/soon.pem"
    kept.web.answers |= {
        URL: Authority("Nobody").leaf().pem,
        soon: kept.root.leaf(begins=10 / DAY).pem,
    }
    await kept.want(URL, soon)
    for _ in range(5):
        assert refused(kept).code == refused(kept, soon).code == 437
        kept.clock.now += 1
    assert len(judged) == 2
    kept.clock.now = SECONDS + 10  # it begins
    assert kept.certificates.chain_of(soon, "")
    kept.clock.now = SECONDS + shelf.FAULT_SECONDS
    assert refused(kept).code == 437
    assert len(judged) == 4
    (kept.folder / "other.pem").write_bytes(Authority("Other").pem)
    kept.trusts.look()
    assert refused(kept).code == 437
    assert len(judged) == 5  # by other roots
