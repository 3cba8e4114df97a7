"""What a stranger's URL may reach, and what it may answer, with https servers on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme

from callscreen.identity.fetching import (
    OCTETS_MOST,
    Fetched,
    Fetcher,
    Unfetched,
    is_reachable,
    read_url,
)

BODY = b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "0.0.0.0",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_reached(address: str) -> None:
    assert not is_reachable(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_that_are_reached(address: str) -> None:
    assert is_reachable(address)


def test_private_prefixes_are_reached_where_they_are_named() -> None:
    named = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]
    assert is_reachable("10.1.2.3", named)
    assert is_reachable("::ffff:10.1.2.3", named)
    assert is_reachable("fd00::1", named)
    assert not is_reachable("10.2.0.1", named)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/c.pem",
        "HTTPS://a.example/c.pem",
        "https://a.example:80/c.pem",
        "https://a.example:8444/c.pem",
        "https://user@a.example/c.pem",
        "https://user:word@a.example/c.pem",
        "https://a.example/c.pem?x=1",
        "https://a.example/c.pem#x",
        "https://a.example/c d.pem",
        "https:///c.pem",
        "https://2130706433/c.pem",
        "https://0177.0.0.1/c.pem",
        "https://0x7f.0.0.1/c.pem",
        "https://0x7f000001/c.pem",
        "https://127.1/c.pem",
        "https://127.0.0.1./c.pem",
        "https://[::1/c.pem",
        "https://[1::2::3]/c.pem",
        "https://a.example\\@b.example/",
        "file:///etc/passwd",
        "https://a.example/" + "a" * 2048,
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(Unfetched) as refused:
        read_url(url)
    assert (refused.value.code, refused.value.unknown) == (436, True)


def test_urls_that_are_taken() -> None:
    assert read_url("https://A.example/c.pem") == ("a.example", 443)
    assert read_url("https://a.example:8443") == ("a.example", 8443)
    assert read_url("https://[2606:4700:0::1]/c") == ("2606:4700::1", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
async def test_an_address_that_is_not_reached_is_not_tried(host: str) -> None:
    fetcher = Fetcher()
    with pytest.raises(Unfetched, match="may not be reached"):
        await fetcher.get(f"https://{host}/c.pem")
    await fetcher.close()


@asynccontextmanager
async def served(
    tmp_path: Path, handle: Handle, *, addresses: list[str] | None = None, **how: object
) -> AsyncIterator[tuple[Fetcher, str, list[str]]]:
    """A server on loopback for the name a.test; the fetcher, its URL and the requests it got."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("a.test").configure_cert(context)
    (tmp_path / "ca.pem").write_bytes(authority.cert_pem.bytes())
    heads: list[str] = []

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            heads.append("ended")
        finally:
            writer.close()

    async def resolve(host: str, port: int) -> list[str]:
        return addresses or ["127.0.0.1"]

    server = await asyncio.start_server(taken, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    options = {"private": ("127.0.0.1/32",), "ports": (443, 8443, port), "resolve": resolve, **how}
    fetcher = Fetcher(ca=str(tmp_path / "ca.pem"), **options)  # type: ignore[arg-type]
    try:
        yield fetcher, f"https://a.test:{port}/c.pem", heads
    finally:
        await fetcher.close()
        server.close()


def answer(head: str, body: bytes = BODY) -> Handle:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(text.encode() + body)
        await writer.drain()

    return handle


async def test_a_body_is_fetched_with_how_long_it_holds(tmp_path: Path) -> None:
    head = "200 OK\r\nCache-Control: public, max-age=100000\r\nAge: 40"
    async with served(tmp_path, answer(head)) as (fetcher, url, heads):
        assert await fetcher.get(url) == Fetched(BODY, 99_960.0)
    assert "Accept-Encoding: identity" in heads[0]
    assert "Cookie" not in heads[0]


async def test_the_proxy_of_the_environment_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with served(tmp_path, answer("200 OK")) as (fetcher, url, _):
        assert (await fetcher.get(url)).octets == BODY


async def test_a_name_that_resolves_to_what_may_not_be_reached(tmp_path: Path) -> None:
    async with served(tmp_path, answer("200 OK"), private=()) as (fetcher, url, heads):
        with pytest.raises(Unfetched, match="no address that may be reached"):
            await fetcher.get(url)
        assert heads == []


async def test_of_mixed_addresses_only_the_checked_one_is_connected_to(tmp_path: Path) -> None:
    mixed = ["10.0.0.1", "::1", "127.0.0.1", "169.254.169.254"]
    async with served(tmp_path, answer("200 OK"), addresses=mixed) as (fetcher, url, heads):
        assert (await fetcher.get(url)).octets == BODY
        assert len(heads) == 1


async def test_a_name_that_changes_its_address_is_resolved_once_a_fetch(tmp_path: Path) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    async with served(tmp_path, answer("200 OK"), resolve=rebinding) as (fetcher, url, _):
        assert (await fetcher.get(url)).octets == BODY
        assert asked == ["a.test"]
        with pytest.raises(Unfetched, match="no address that may be reached"):
            await fetcher.get(url)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
async def test_no_redirect_is_followed(tmp_path: Path, status: str) -> None:
    head = f"{status}\r\nLocation: /other.pem"
    async with served(tmp_path, answer(head)) as (fetcher, url, heads):
        with pytest.raises(Unfetched, match="answered 30") as refused:
            await fetcher.get(url)
        assert not refused.value.dead
        assert len(heads) == 1


@pytest.mark.parametrize("head", ["404 None", "500 Error", "204 Empty", "206 Partial"])
async def test_other_answers_are_refused(tmp_path: Path, head: str) -> None:
    async with served(tmp_path, answer(head, b"")) as (fetcher, url, _):
        with pytest.raises(Unfetched, match="answered") as refused:
            await fetcher.get(url)
        assert not refused.value.dead


async def test_an_encoded_answer_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path, answer("200 OK\r\nContent-Encoding: gzip")) as (fetcher, url, _):
        with pytest.raises(Unfetched, match="encoded"):
            await fetcher.get(url)


async def test_an_answer_without_end_ends_at_the_limit(tmp_path: Path) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(bytes(OCTETS_MOST))
            await writer.drain()

    async with served(tmp_path, endless) as (fetcher, url, _):
        with pytest.raises(Unfetched, match="more than 65536 octets"):
            await fetcher.get(url)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nslow"])
async def test_slow_answers_end_in_time(tmp_path: Path, first: bytes) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await reader.read()  # until the other side ends it

    async with served(tmp_path, slow, seconds=0.2) as (fetcher, url, _):
        with pytest.raises(Unfetched, match="in time") as refused:
            await fetcher.get(url)
        assert refused.value.kind == "timeout"


async def test_no_http_at_all_is_refused(tmp_path: Path) -> None:
    async def other(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SIP/2.0 200 OK\r\n\r\n")

    async with served(tmp_path, other) as (fetcher, url, _):
        with pytest.raises(Unfetched):
            await fetcher.get(url)


async def test_a_server_without_a_trusted_certificate_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path, answer("200 OK")) as (fetcher, url, heads):
        with pytest.raises(Unfetched, match="no connection") as refused:
            await fetcher.get(url.replace("a.test", "b.test"))
        assert refused.value.dead
        assert heads == []


async def test_a_host_that_is_not_there_is_dead() -> None:
    async def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    fetcher = Fetcher(resolve=nowhere)
    with pytest.raises(Unfetched, match="no connection") as refused:
        await fetcher.get("https://nowhere.test/c.pem")
    assert refused.value.dead
    await fetcher.close()
