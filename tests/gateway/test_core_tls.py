"""A gateway whose core speaks TLS: it restarts, or is asked amiss, and the log stays short."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import httpx
import pytest

from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.client import open_channel
from callscreen.gateway.config import Limits
from callscreen.ops.grpc_tls import ClientTls, ServerTls
from callscreen.ops.serving_tls import TlsFiles

from ..grpc_files import Files

URL = "/pcs/api/service_provider/acme"
TOKEN = {"Authorization": "Basic secret"}


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("tls"))


@asynccontextmanager
async def core(port: int, tls: ServerTls | None) -> AsyncIterator[int]:
    """One that knows no method, which a gateway answers with 500."""
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    address = f"127.0.0.1:{port}"
    if tls is None:
        port = server.add_insecure_port(address)
    else:
        port = server.add_secure_port(address, TlsFiles(tls).credentials)
    await server.start()
    yield port
    await server.stop(None)


@asynccontextmanager
async def gateway(port: int, tls: ClientTls) -> AsyncIterator[httpx.AsyncClient]:
    async with open_channel(f"127.0.0.1:{port}", Limits(), tls) as channel:
        transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield http


async def code(http: httpx.AsyncClient) -> int:
    found: int = (await http.get(URL, headers=TOKEN)).json()["meta"]["code"]
    return found


async def reached(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while await code(http) == 503:
            pass


async def test_it_goes_on_after_the_core_s_restart_with_another_certificate(files: Files) -> None:
    async with core(0, ServerTls(*files.write("core", "127.0.0.1"))) as port:
        pass
    async with gateway(port, ClientTls(str(files.authorities))) as http:
        assert await code(http) == 503
        for _ in range(2):
            async with core(port, ServerTls(*files.write("core", "127.0.0.1"))):
                await reached(http)


@pytest.mark.parametrize(
    ("serving", "asking", "advice"),
    [
        (False, True, "speaks no TLS"),
        (True, False, "--grpc-ca"),
    ],
)
async def test_tls_on_one_side_alone_is_one_line_that_says_what_to_do(
    files: Files, caplog: pytest.LogCaptureFixture, serving: bool, asking: bool, advice: str
) -> None:
    good = ServerTls(*files.write("core", "127.0.0.1"))
    caplog.set_level(logging.INFO, "callscreen.gateway")
    async with core(0, good if serving else None) as port:
        tls = ClientTls(str(files.authorities)) if asking else ClientTls()
        async with gateway(port, tls) as http:
            assert [await code(http) for _ in range(20)] == [503] * 20
            (line,) = caplog.messages
            assert advice in line


async def test_a_core_that_is_away_is_told_once_and_that_it_answers_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "callscreen.gateway")
    async with core(0, None) as port:
        pass
    async with gateway(port, ClientTls()) as http:
        for _ in range(2):
            caplog.clear()
            for _ in range(3):
                assert await code(http) == 503
            assert len(caplog.messages) == 1
            async with core(port, None):
                await reached(http)
            assert "the core answers again" in caplog.messages
