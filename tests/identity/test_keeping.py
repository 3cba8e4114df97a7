"""Certificates and trust that are kept: nothing fetched twice, nothing lost, nothing wrong."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity import keeping
from callscreen.identity.fetching import OCTETS_MOST, Fetched, Unfetched
from callscreen.identity.keeping import Certificates, Doubt
from callscreen.identity.model import Fault
from callscreen.identity.trusting import ADDRESSES_MOST, Sources, Trusts

from .authority import SECONDS, Authority

URL = "https://cert.example.org/a.pem"
DAY = 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now: float = SECONDS

    def __call__(self) -> float:
        return self.now


class Web:
    """Stands for the fetcher: answers by URL; an exception is raised, an event is waited for."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []

    async def get(self, url: str, most: int = OCTETS_MOST) -> Fetched:
        self.asked.append(url)
        answer = self.answers.get(url, Unfetched("answered 404", kind="bad"))
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            answer = self.answers[url + "!"]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Fetched) else Fetched(answer)


class Kept:
    """Certificates over a Web, with one root in a folder."""

    def __init__(self, tmp_path: Path, **sources: str) -> None:
        self.clock, self.web, self.root = Clock(), Web(), Authority("Root")
        self.folder, self.cache = tmp_path / "roots", tmp_path / "cache"
        self.folder.mkdir()
        (self.folder / "pa.pem").write_bytes(self.root.pem)
        self.sources = Sources(str(self.folder), **sources)
        self.again()

    def again(self) -> None:
        """As after a restart."""
        web: Any = self.web
        self.trusts = Trusts(self.sources, web, self.cache, self.clock)
        self.certificates = Certificates(web, self.trusts, self.cache, self.clock)

    async def want(self, *urls: str) -> None:
        await self.certificates.want(urls or (URL,), 5.0)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def refused(kept: Kept, url: str = URL, trust: str = "") -> Fault:
    with pytest.raises(Fault) as found:
        kept.certificates.chain_of(url, trust)
    return found.value


async def test_a_path_is_fetched_once_and_kept_whole(kept: Kept) -> None:
    leaf = kept.root.intermediate("One").intermediate("Two").leaf("709J")
    kept.web.answers[URL] = leaf.pem
    assert kept.certificates.lacks(URL)
    assert refused(kept).unknown
    await kept.want()
    first = kept.certificates.chain_of(URL, "")
    await kept.want()
    assert kept.certificates.chain_of(URL, "") is first
    kept.clock.now += 5
    assert kept.certificates.chain_of(URL, "pa").spc == ("709J",)  # judged from the whole path
    assert kept.web.asked == [URL]


async def test_many_callers_are_one_fetch(kept: Kept) -> None:
    kept.web.answers |= {URL: asyncio.Event(), URL + "!": kept.root.leaf().pem}
    waiting = [asyncio.ensure_future(kept.want()) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    kept.web.answers[URL].set()
    await asyncio.gather(*waiting)
    assert kept.web.asked == [URL]
    assert not kept.certificates.lacks(URL)


async def test_who_waits_no_longer_leaves_the_fetch_running(kept: Kept) -> None:
    kept.web.answers |= {URL: asyncio.Event(), URL + "!": kept.root.leaf().pem}
    await kept.certificates.want([URL], 0.0)
    assert refused(kept).code == 436
    kept.web.answers[URL].set()
    await kept.want()
    assert kept.certificates.chain_of(URL, "").spc == ("1234",)
    assert kept.web.asked == [URL]


@pytest.mark.parametrize(("max_age", "days"), [(0.0, 1), (60.0, 1), (3 * DAY, 3), (90 * DAY, 7)])
async def test_it_is_kept_a_day_at_least(kept: Kept, max_age: float, days: int) -> None:
    kept.web.answers[URL] = Fetched(kept.root.leaf().pem, max_age)
    await kept.want()
    kept.clock.now += days * DAY - 1
    assert not kept.certificates.lacks(URL)
    assert kept.certificates.chain_of(URL, "")
    kept.clock.now += 1
    assert kept.certificates.lacks(URL)
    assert refused(kept).unknown


async def test_it_is_fetched_anew_at_half_of_its_life_where_it_is_used(kept: Kept) -> None:
    other = "https://cert.example.org/other.pem"
    kept.web.answers |= {URL: kept.root.leaf().pem, other: kept.root.leaf().pem}
    await kept.want(URL, other)
    kept.clock.now += DAY / 2 - 1
    kept.certificates.chain_of(URL, "")
    await kept.certificates.refresh()
    assert len(kept.web.asked) == 2
    kept.clock.now += 1
    kept.web.answers[URL] = Unfetched("no connection", dead=True, kind="dead")
    await kept.certificates.refresh()
    await asyncio.sleep(0)
    assert kept.web.asked[2:] == [URL]
    assert kept.certificates.chain_of(URL, "").spc == ("1234",)  # the old one serves on


@pytest.mark.parametrize("body", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nx\n"])
async def test_what_is_no_certificate_is_not_kept(kept: Kept, body: bytes) -> None:
    kept.web.answers[URL] = body
    await kept.want()
    assert kept.certificates.count == 0
    assert refused(kept).unknown
    assert kept.certificates.fetches["bad"] == 1


async def test_the_least_recently_used_goes(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "URLS_MOST", 3)
    urls = [f"https://h{each}.example.org/a.pem" for each in range(4)]
    kept.web.answers |= dict.fromkeys(urls, kept.root.leaf().pem)
    for url in urls[:3]:
        kept.clock.now += 1
        await kept.want(url)
    kept.clock.now += 1
    kept.certificates.chain_of(urls[0], "")
    kept.clock.now += 1
    await kept.want(urls[3])
    assert [kept.certificates.lacks(url) for url in urls] == [False, True, False, False]
    assert len(list((kept.cache / "x5u").iterdir())) == 3


async def test_octets_are_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = kept.root.leaf().pem
    monkeypatch.setattr(keeping, "OCTETS_MOST", 2 * len(pem))
    urls = [f"https://h{each}.example.org/a.pem" for each in range(4)]
    kept.web.answers |= dict.fromkeys(urls, pem)
    for url in urls:
        await kept.want(url)
    assert (kept.certificates.count, kept.certificates.octets) == (2, 2 * len(pem))


async def test_what_was_kept_outlives_a_restart(kept: Kept) -> None:
    kept.web.answers[URL] = kept.root.intermediate().leaf("709J").pem
    await kept.want()
    (kept.cache / "x5u" / "junk").write_bytes(b"junk")
    kept.again()
    assert kept.certificates.chain_of(URL, "").spc == ("709J",)
    assert kept.web.asked == [URL]
    assert len(list((kept.cache / "x5u").iterdir())) == 1
    kept.clock.now += DAY
    kept.again()
    assert kept.certificates.count == 0


async def test_new_roots_judge_anew_and_bad_files_change_nothing(kept: Kept) -> None:
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    before = kept.trusts.snapshot
    assert kept.certificates.chain_of(URL, "")
    (kept.folder / "pa.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nhalf of it")
    kept.trusts.look()
    assert kept.certificates.chain_of(URL, "")
    assert kept.trusts.failing == 1
    (kept.folder / "pa.pem").write_bytes(Authority("Other").pem)
    kept.trusts.look()
    assert kept.trusts.snapshot is not before
    assert (refused(kept).code, refused(kept).unknown) == (437, False)
    assert kept.trusts.failing == 0


async def test_an_unknown_trust_is_nobody(kept: Kept) -> None:
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    assert refused(kept, trust="../pa").unknown
    assert refused(kept, trust="other").unknown


async def test_a_crl_rolls_over_without_a_wrong_verdict(tmp_path: Path) -> None:
    path = tmp_path / "crl"
    kept = Kept(tmp_path, crl=str(path))
    leaf = kept.root.leaf()
    kept.web.answers[URL] = leaf.pem
    await kept.want()
    assert refused(kept).unknown  # a CRL that was never had
    path.write_bytes(kept.root.crl())
    kept.trusts.look()
    assert kept.certificates.chain_of(URL, "")
    path.write_bytes(b"no CRL")
    kept.trusts.look()
    assert kept.certificates.chain_of(URL, "")
    path.write_bytes(kept.root.crl([leaf.certificate]))
    kept.trusts.look()
    assert (refused(kept).code, refused(kept).unknown) == (437, False)
    crl = kept.trusts.revocations
    assert crl is not None
    kept.clock.now = crl.until + 1
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    assert refused(kept).unknown  # a CRL that has ended clears nobody


async def test_a_trust_list_rolls_over_and_outlives_a_restart(tmp_path: Path) -> None:
    place, authority, new = "https://pa.example.org/list", Authority("PA"), Authority("New")
    (tmp_path / "pa-ca.pem").write_bytes(authority.pem)
    kept = Kept(tmp_path, trust_list=place, trust_list_ca=str(tmp_path / "pa-ca.pem"))
    kept.web.answers |= {URL: new.leaf().pem, place: authority.trust_list(new.roots, sequence=2)}
    await kept.want()
    assert refused(kept).code == 437
    await kept.trusts.refresh()
    assert kept.certificates.chain_of(URL, "")
    assert kept.certificates.chain_of(URL, place)
    kept.clock.now += 3_600
    kept.web.answers[place] = authority.trust_list((), sequence=3)
    await kept.trusts.refresh()
    kept.clock.now += 60
    kept.web.answers[place] = authority.trust_list(authority.roots, sequence=1)  # an old one
    await kept.trusts.refresh()
    assert kept.trusts.failing == 1
    assert kept.certificates.chain_of(URL, "")
    kept.again()
    assert kept.certificates.chain_of(URL, "")
    kept.clock.now = SECONDS + DAY  # the list ends, the folder's roots stay
    assert refused(kept, trust="").code == 436  # so does the path that was kept a day
    assert kept.trusts.trust("").roots == kept.root.roots


async def test_roots_of_a_url_are_fetched_and_bounded(kept: Kept) -> None:
    place, other = "https://roots.example.org/pa.pem", Authority("Other")
    kept.web.answers |= {place: other.pem, URL: other.leaf().pem}
    await kept.want()
    assert not kept.trusts.known(place)
    await kept.trusts.want(place)
    assert kept.trusts.known(place)
    assert kept.certificates.chain_of(URL, place)
    assert refused(kept).code == 437  # it is not among those of everyone
    for each in range(2 * ADDRESSES_MOST):
        await kept.trusts.want(f"https://roots.example.org/{each}.pem")
    assert len(kept.web.asked) == 1 + ADDRESSES_MOST


async def test_a_path_in_doubt_is_fetched_once_in_a_while(kept: Kept) -> None:
    kept.web.answers[URL] = kept.root.leaf("1").pem
    await kept.want()
    assert kept.certificates.doubt(URL, kept.clock.now) is Doubt.SETTLED
    kept.clock.now += 1
    kept.web.answers[URL] = kept.root.leaf("2").pem
    for _ in range(3):
        wanted = kept.certificates.doubt(URL, kept.clock.now)
        await kept.certificates.want([URL], 5.0, [URL])
        assert kept.certificates.chain_of(URL, "").spc == ("2",)
        kept.clock.now += keeping.DOUBT_SECONDS - 1
        assert kept.certificates.doubt(URL, kept.clock.now) is Doubt.SETTLED
        kept.clock.now += 1
        assert wanted is Doubt.WANTED
    assert len(kept.web.asked) == 4
