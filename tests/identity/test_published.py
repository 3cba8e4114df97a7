"""Our own certificates at the URLs that our tokens name: one that is not there is told."""

from pathlib import Path
from typing import Any

import pytest

from callscreen.identity import published
from callscreen.identity.fetching import Unfetched
from callscreen.identity.keystore import KeyStore
from callscreen.identity.published import Published

from . import signing_certificates as made
from .test_keeping import Clock, Web


class Own:
    """A key store of one certificate, and what its URL serves."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.web = folder, Clock(), Web()
        made.put(folder, "acme")
        self.keys = KeyStore(str(folder), clock=self.clock)
        web: Any = self.web
        self.published = Published(self.keys, web, self.clock)
        self.serve()

    def serve(self) -> None:
        self.web.answers[made.URL] = (self.folder / "acme.pem").read_bytes()

    async def refresh(self, seconds: float = 0.0) -> int:
        self.clock.now += seconds
        await self.published.refresh()
        assert self.published._looking is not None
        await self.published._looking
        return self.published.amiss


@pytest.fixture
def own(tmp_path: Path) -> Own:
    return Own(tmp_path)


async def test_one_that_is_served_is_looked_at_once_a_day(own: Own) -> None:
    assert [await own.refresh(5.0) for _ in range(5)] == [0] * 5
    assert len(own.web.asked) == 1
    assert await own.refresh(published.GOOD_SECONDS) == 0
    assert len(own.web.asked) == 2


async def test_one_that_was_not_published_anew_is_told_until_it_is(
    own: Own, caplog: pytest.LogCaptureFixture
) -> None:
    await own.refresh()
    made.put(own.folder, "acme")
    own.keys.look()
    assert await own.refresh(5.0) == 1
    assert await own.refresh(published.BAD_SECONDS) == 1
    told = [each.message for each in caplog.records if "is not found at" in each.message]
    assert told == [
        f"the certificate acme is not found at {made.URL}: another certificate is served there"
    ]
    own.serve()
    assert await own.refresh(published.BAD_SECONDS) == 0
    assert own.keys.signer("acme")


@pytest.mark.parametrize("answer", [Unfetched("answered 404", kind="bad"), b"<html>", b""])
async def test_one_that_is_not_there(own: Own, answer: Any) -> None:
    own.web.answers[made.URL] = answer
    assert await own.refresh() == 1
    (own.folder / "acme.pem").unlink()
    own.keys.look()
    assert await own.refresh() == 0
