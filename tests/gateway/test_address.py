"""The address that the gateway is told to listen at."""

import asyncio
import logging
import socket

import pytest

from callscreen.gateway import GatewayConfig, serve
from callscreen.gateway.address import listen, shown


async def test_an_address_is_listened_at() -> None:
    for host in ("127.0.0.1", "localhost"):
        with listen(f"{host}:0") as listener:
            assert not shown(listener).endswith(":0")
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            writer.close()


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 on this host")
async def test_an_ipv6_address_is_shown_in_brackets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "callscreen.gateway")
    stop = asyncio.Event()
    said: list[str] = []

    def ready(address: str) -> None:
        said.append(address)
        stop.set()

    await asyncio.wait_for(serve(GatewayConfig(http="[::1]:0"), ready, stop), 20)
    assert said[0].startswith("[::1]:")
    assert f"listening at http://{said[0]}, core at 127.0.0.1:50051" in caplog.messages


@pytest.mark.parametrize(
    "address",
    [
        "",
        ":",
        "46080",
        ":8080",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:http",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        "127.0.0.1:99999",
        "127.0.0.1: 8080",
        "127.0.0.1:٨٠٨٠",
        "::1:8080",
        "[]:8080",
        "[::1]",
        "[::1:8080",
        "a b:8080",
        "a\0b:8080",
        f"{'a' * 64}.net:8080",
        "127.0.0.1:8080\n",
    ],
)
async def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"^--http must be") as caught:
        await serve(GatewayConfig(http=address), print, asyncio.Event())
    assert str(caught.value) == f"--http must be HOST:PORT, not {address!r}"


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match="in use") as caught:
            await serve(GatewayConfig(http=address), print, asyncio.Event())
    assert str(caught.value) == f"The address {address} cannot be bound: Address already in use"


async def test_an_address_of_another_host_is_named() -> None:
    address = "192.0.2.1:8080"
    with pytest.raises(OSError, match=r"^The address 192\.0\.2\.1:8080 cannot be bound: "):
        await serve(GatewayConfig(http=address), print, asyncio.Event())


def test_a_host_that_has_no_address_is_named() -> None:
    with pytest.raises(OSError, match=r"^The address \[:::\]:0 cannot be bound: \w"):
        listen("[:::]:0")
