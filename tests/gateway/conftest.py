"""A core of its own for each file of tests, and the gateway in front of it, in one loop."""

import asyncio
from collections.abc import AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from callscreen.core.server import serve as serve_core
from callscreen.core.wiring import CoreConfig
from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.client import open_channel

from ..references import NUMBER, PROVIDER, SUBSCRIBER
from .examples import NUMBERS, SUBSCRIBERS, accepted

PASSWORD = "open sesame 42"


class Caller:
    """An integrator: one product, one token."""

    def __init__(self, http: httpx.AsyncClient, product: str, token: str = "") -> None:
        self.http = http
        self.product = product
        self.token = token

    @property
    def authorization(self) -> str:
        return f"Basic {self.token}" if self.token else ""

    async def send(
        self, method: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": self.authorization} if self.token else {}
        headers |= options.pop("headers", {})
        key = "content" if isinstance(body, bytes) else "json"
        if body is not None:
            options[key] = body
        return await self.http.request(
            method, f"/{self.product}/api/{path}", headers=headers, **options
        )

    async def get(self, path: str, **options: Any) -> dict[str, Any]:
        return self.json(await self.send("GET", path, **options))

    async def post(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        return self.json(await self.send("POST", path, body, **options))

    async def put(self, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        return self.json(await self.send("PUT", path, body, **options))

    async def delete(self, path: str, **options: Any) -> dict[str, Any]:
        return self.json(await self.send("DELETE", path, **options))

    async def attributes(self, path: str) -> dict[str, Any]:
        """The fields of the one object at a path."""
        rows = (await self.get(path))["data"]
        assert len(rows) == 1
        found: dict[str, Any] = rows[0]["attributes"]
        return found

    @staticmethod
    def json(response: httpx.Response) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        assert response.content.isascii()
        found: dict[str, Any] = response.json()
        return found


async def log_in(http: httpx.AsyncClient, product: str, username: str, password: str) -> Caller:
    caller = Caller(http, product)
    body = {"username": username, "password": password}
    caller.token = (await caller.post("authenticate", body))["data"][0]["token"]
    return caller


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def core(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Path]]:
    """The address of a fresh core, and its data folder."""
    data = tmp_path_factory.mktemp("data")
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    config = CoreConfig(data=data, grpc="127.0.0.1:0", admin_password=PASSWORD)
    task = asyncio.create_task(serve_core(config, ready.set_result, stop))
    await asyncio.wait((task, ready), return_when=asyncio.FIRST_COMPLETED)
    if not ready.done():
        await task
    yield ready.result(), data
    stop.set()
    await task


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def channel(core: tuple[str, Path]) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(core[0], GatewayConfig().limits) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def http(channel: grpc.aio.Channel) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", cookies=no_cookies
    ) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["pcs", "cin"])
async def owner(request: pytest.FixtureRequest, http: httpx.AsyncClient) -> Caller:
    """The platform owner of each product in turn."""
    return await log_in(http, request.param, f"{request.param}_administrator", PASSWORD)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def pcs(http: httpx.AsyncClient) -> Caller:
    """The platform owner of PCS."""
    return await log_in(http, "pcs", "pcs_administrator", PASSWORD)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def cin(http: httpx.AsyncClient) -> Caller:
    """The platform owner of CIN."""
    return await log_in(http, "cin", "cin_administrator", PASSWORD)


@pytest_asyncio.fixture(loop_scope="module")
async def provisioned(pcs: Caller, cin: Caller) -> None:
    """The examples' provider, subscriber and number, fresh in both products."""
    for caller in (pcs, cin):
        await caller.delete("service_provider/exampleserviceprovider")
        accepted(await caller.put("service_provider/exampleserviceprovider", PROVIDER))
        accepted(await caller.put(f"{SUBSCRIBERS}/examplesubscriber", SUBSCRIBER))
        accepted(await caller.put(f"{NUMBERS}/5851239876", NUMBER))
