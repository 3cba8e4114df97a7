"""Trust that is fetched: one order of what is published, kept over a restart, let go unused."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity import beliefs, trusting
from callscreen.identity.trust import Trust

from .authority import Authority
from .test_keeping import Kept

ROOTS = "https://roots.example.org/pa.pem"
OTHER = "https://other.example.org/pa.pem"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    found = Kept(tmp_path)
    found.web.answers |= {ROOTS: Authority("Abroad").pem, OTHER: Authority("Other").pem}
    return found


async def test_no_older_snapshot_follows_a_newer_one(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> Trust:
        if not begun.is_set():
            begun.set()
            go_on.wait(10)
        return Trust(*given)

    monkeypatch.setattr(beliefs, "Trust", slow)
    (kept.folder / "us.pem").write_bytes(Authority("US").pem)
    looking = asyncio.ensure_future(asyncio.to_thread(kept.trusts.look))
    await asyncio.to_thread(begun.wait, 10)
    wanting = asyncio.ensure_future(kept.trusts.want(ROOTS))
    for _ in range(20):  # the event loop does not wait
        await asyncio.sleep(0.001)
    assert not kept.trusts.known(ROOTS)
    go_on.set()
    await asyncio.gather(looking, wanting)
    assert {"pa", "us", ROOTS} <= kept.trusts.snapshot.names.keys()


async def test_who_asks_for_roots_that_are_being_fetched_waits_for_them(kept: Kept) -> None:
    kept.web.answers |= {ROOTS: asyncio.Event(), ROOTS + "!": Authority("Abroad").pem}
    waiting = [asyncio.ensure_future(kept.trusts.want(ROOTS)) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not kept.trusts.known(ROOTS)
    waiting[0].cancel()
    kept.web.answers[ROOTS].set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert kept.trusts.known(ROOTS)
    assert kept.web.asked == [ROOTS]


async def test_roots_of_a_url_outlive_a_restart_and_are_fetched_at_their_age(kept: Kept) -> None:
    await kept.trusts.want(ROOTS)
    kept.clock.now += trusting.FETCH_SECONDS - 1
    kept.again()
    assert kept.trusts.trust(ROOTS).roots
    assert kept.trusts.known(ROOTS)
    await kept.trusts.refresh()
    assert kept.web.asked == [ROOTS]
    kept.clock.now += 1
    await kept.trusts.refresh()
    assert kept.web.asked == [ROOTS, ROOTS]


async def test_a_list_that_was_kept_is_fetched_at_its_age(tmp_path: Path) -> None:
    authority = Authority("PA")
    (tmp_path / "pa-ca.pem").write_bytes(authority.pem)
    place, crl = "https://pa.example.org/list", "https://pa.example.org/crl"
    kept = Kept(tmp_path, trust_list=place, trust_list_ca=str(tmp_path / "pa-ca.pem"), crl=crl)
    kept.web.answers |= {place: authority.trust_list(authority.roots), crl: authority.crl()}
    await kept.trusts.refresh()
    kept.again()
    assert kept.trusts.trust_list is not None
    assert kept.trusts.revocations is not None
    await kept.trusts.refresh()
    assert sorted(kept.web.asked) == [crl, place]


@pytest.mark.parametrize("octets", [b"", b"junk", b"{}\nx", b'{"url":1,"fetched":[]}\n'])
async def test_what_is_kept_and_cannot_be_read_is_fetched(kept: Kept, octets: bytes) -> None:
    await kept.trusts.want(ROOTS)
    for path in kept.cache.glob("roots-*"):
        path.write_bytes(octets)
    (kept.cache / "roots-folder").mkdir()
    kept.again()
    assert not kept.trusts.known(ROOTS)
    await kept.trusts.want(ROOTS)
    assert kept.trusts.trust(ROOTS).roots


async def test_roots_that_no_rule_names_any_more_make_room(kept: Kept) -> None:
    await kept.trusts.want(ROOTS)
    await kept.trusts.want(OTHER)
    kept.clock.now += trusting.UNUSED_SECONDS - 1
    kept.trusts.trust(OTHER)
    kept.clock.now += 1
    await kept.trusts.refresh()
    assert not kept.trusts.known(ROOTS)
    assert kept.trusts.known(OTHER)
    assert len(list(kept.cache.glob("roots-*"))) == 1
