"""Names that hang in the system's resolver: nobody else waits for them, or is blamed."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callscreen.identity.fetching import Fetcher, Unfetched
from callscreen.identity.resolving import DOMAIN_RESOLVERS, RESOLVERS, Names

from .test_keeping import Kept


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that were looked up; those in .test hang until the end."""
    asked: list[str] = []
    end = threading.Event()

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        if host.endswith(".test"):
            end.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield asked
    end.set()


async def refusal(fetcher: Fetcher, host: str) -> Unfetched:
    with pytest.raises(Unfetched) as found:
        await fetcher.get(f"https://{host}/a.pem")
    return found.value


async def test_names_of_one_domain_that_hang_hold_up_no_other(hanging: list[str]) -> None:
    names = Names().look_up
    fetcher, patient = Fetcher(seconds=0.05, resolve=names), Fetcher(resolve=names)
    hosts = [f"h{each}.evil.test" for each in range(2 * DOMAIN_RESOLVERS)]
    faults = await asyncio.gather(*(refusal(fetcher, name) for name in hosts))
    assert [each.kind for each in faults].count("timeout") == DOMAIN_RESOLVERS
    assert [each.kind for each in faults].count("limited") == DOMAIN_RESOLVERS
    assert not any(each.dead for each in faults if each.kind == "limited")
    other = await refusal(patient, "cert.example.org")
    assert "no address that may be reached" in other.detail  # it was looked up
    await fetcher.close()
    await patient.close()


async def test_who_finds_no_place_is_not_blamed(hanging: list[str], tmp_path: Path) -> None:
    fetcher: Any = Fetcher(seconds=0.05)
    kept = Kept(tmp_path)
    kept.certificates._fetcher = fetcher
    names = [f"cert.h{each}.test" for each in range(RESOLVERS)]
    faults = await asyncio.gather(*(refusal(fetcher, name) for name in names))
    assert {(each.kind, each.dead) for each in faults} == {("timeout", True)}
    url = "https://cert.example.org/a.pem"
    await kept.want(url)
    assert hanging.count("cert.example.org") == 0
    assert kept.certificates.lacks(url)  # it may be tried again at once
    assert kept.certificates.fetches["limited"] == 1
    await fetcher.close()
