"""How often, and how many at once, strangers make us fetch: no one of them has it all."""

import asyncio
from pathlib import Path

import pytest

from callscreen.identity import keeping
from callscreen.identity.fetching import Unfetched
from callscreen.identity.keeping import Doubt
from callscreen.identity.limits import MINUTE, domain_of

from .authority import SECONDS
from .test_keeping import URL, Kept, refused


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


async def test_a_dead_host_is_left_alone_for_a_time_that_doubles(kept: Kept) -> None:
    kept.web.answers[URL] = Unfetched("no connection", dead=True, kind="dead")
    tried = []
    for _ in range(200):
        before = len(kept.web.asked)
        await kept.want()
        if len(kept.web.asked) > before:
            tried.append(kept.clock.now - SECONDS)
        kept.clock.now += 5
    assert tried == [0, 5, 15, 35, 75, 155, 315, 615, 915]
    assert not kept.certificates.lacks("https://cert.example.org/other.pem")
    assert kept.certificates.lacks("https://other.example.org/a.pem")
    assert "no connection" in refused(kept).detail


async def test_a_bad_url_keeps_no_other_url_of_the_host_away(kept: Kept) -> None:
    await kept.want("https://cert.example.org/none.pem")
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    assert kept.certificates.chain_of(URL, "")


async def test_a_host_is_asked_so_often_a_minute(kept: Kept) -> None:
    urls = [f"https://cert.example.org/{each}.pem" for each in range(30)]
    for url in urls:
        await kept.want(url)
    assert len(kept.web.asked) == keeping.HOST_FETCHES
    assert kept.certificates.fetches["limited"] == 10
    await kept.want("https://other.example.org/a.pem")
    assert len(kept.web.asked) == keeping.HOST_FETCHES + 1
    kept.clock.now += MINUTE
    await kept.want(urls[-1])
    assert kept.web.asked[-1] == urls[-1]


async def test_one_host_has_one_count_however_it_is_spelt(kept: Kept) -> None:
    spelt = [
        "cert.example.org",
        "CERT.example.org.",
        "cert.example.org:443",
        "Cert.Example.Org.:443",
    ]
    for each in range(keeping.HOST_FETCHES + 4):
        await kept.want(f"https://{spelt[each % 4]}/{each}.pem")
    assert len(kept.web.asked) == keeping.HOST_FETCHES


async def test_names_below_one_domain_take_no_more_than_its_share(kept: Kept) -> None:
    for each in range(2 * keeping.DOMAIN_FETCHES):
        await kept.want(f"https://h{each}.evil.example/a.pem")
    assert len(kept.web.asked) == keeping.DOMAIN_FETCHES
    for each in range(keeping.FETCHES - keeping.DOMAIN_FETCHES):
        await kept.want(f"https://cert.d{each}.example/a.pem")
    assert len(kept.web.asked) == keeping.FETCHES


async def test_hosts_that_hang_take_no_more_than_their_domain_s_room(kept: Kept) -> None:
    hanging = asyncio.Event()
    urls = [f"https://h{each}.evil.example/a.pem" for each in range(keeping.RUNNING_MOST)]
    kept.web.answers |= dict.fromkeys(urls, hanging)
    for url in urls:
        await kept.certificates.want([url], 0.0)
    kept.web.answers[URL] = kept.root.leaf().pem
    await kept.want()
    assert kept.certificates.chain_of(URL, "")
    assert len(kept.web.asked) == keeping.DOMAIN_RUNNING + 1
    await kept.certificates.close()


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("cert.example.org", "example.org"),
        ("a.b.Cert.Example.org.:8443", "example.org"),
        ("example.org", "example.org"),
        ("localhost", "localhost"),
        ("192.0.2.77:8443", "192.0.2.0/24"),
        ("[2001:db8:1:2::3]", "2001:db8:1::/48"),
        ("[2001:db8:1:2::3]:8443", "2001:db8:1::/48"),
    ],
)
def test_whose_a_host_is(host: str, domain: str) -> None:
    assert domain_of(host) == domain


async def test_doubts_have_their_own_limits(kept: Kept) -> None:
    urls = [f"https://cert.example.org/{each}.pem" for each in range(keeping.HOST_FETCHES)]
    kept.web.answers |= dict.fromkeys(urls, kept.root.leaf().pem)
    await kept.want(*urls[:5])
    kept.clock.now += keeping.DOUBT_SECONDS
    for url in urls[5:]:
        await kept.want(url)
    kept.clock.now += 1
    for url in urls:
        await kept.certificates.want([], 5.0, [url])
    assert len(kept.web.asked) == len(urls) + keeping.HOST_RENEWALS
    assert kept.certificates.doubt(urls[-1], kept.clock.now) is Doubt.FAILED
    await kept.want("https://cert.example.org/other.pem")  # others are fetched all the same
    assert kept.web.asked[-1] == "https://cert.example.org/other.pem"
