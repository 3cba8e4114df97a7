"""What is said when the core refuses, fails, is slow or is gone: the one map of codes."""

import asyncio
import logging
from collections.abc import AsyncIterator

import grpc
import httpx
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.client import open_channel
from callscreen.gateway.config import Limits
from callscreen.gateway.errors import FIXED, REST_CODE
from callscreen.v1.object_pb2 import Object
from callscreen.v1.provisioning_pb2 import GetRequest
from callscreen.v1.provisioning_pb2_grpc import (
    ProvisioningServicer,
    add_ProvisioningServicer_to_server,
)

URL = "/pcs/api/service_provider/acme"
TOKEN = {"Authorization": "Basic secret"}


class Refusing(ProvisioningServicer):
    """A core that answers every Get with one status, and keeps what it was sent."""

    code = grpc.StatusCode.INTERNAL
    details = ""
    trailing: tuple[tuple[str, bytes], ...] = ()

    async def Get(self, request: GetRequest, context: grpc.aio.ServicerContext) -> Object:  # noqa: N802
        self.metadata = dict(context.invocation_metadata() or ())
        self.remaining = context.time_remaining()
        await context.abort(self.code, self.details, self.trailing)
        raise AssertionError

    Create = Update = Delete = List = Write = Get  # type: ignore[assignment]


@pytest.fixture
async def refusing() -> AsyncIterator[tuple[Refusing, httpx.AsyncClient]]:
    servicer = Refusing()
    server = grpc.aio.server()
    add_ProvisioningServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield servicer, http
    await server.stop(None)


@pytest.mark.parametrize("code", sorted(REST_CODE, key=lambda code: code.name))
async def test_each_code_has_its_answer(
    refusing: tuple[Refusing, httpx.AsyncClient], code: grpc.StatusCode
) -> None:
    servicer, http = refusing
    servicer.code, servicer.details = code, "A documented sentence."
    answer = (await http.get(URL, headers=TOKEN)).json()
    rest = REST_CODE[code]
    if rest == 404:  # reading what is not there is a success that found nothing
        assert (answer["meta"]["code"], answer["data"]) == (200, [])
    else:
        assert answer["meta"]["code"] == rest
        assert answer["meta"]["message"] == FIXED.get(rest, "A documented sentence.")


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS]
)
async def test_a_failure_of_the_core_stays_in_the_log(
    refusing: tuple[Refusing, httpx.AsyncClient],
    code: grpc.StatusCode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    servicer, http = refusing
    servicer.code, servicer.details = code, "Traceback: /usr/lib/secret.py"
    with caplog.at_level(logging.ERROR, "callscreen.gateway"):
        answer = await http.get(URL, headers=TOKEN)
    assert answer.json()["meta"]["code"] == 500
    assert "secret.py" not in answer.text
    assert "secret.py" in caplog.text


async def test_field_violations_become_errors(
    refusing: tuple[Refusing, httpx.AsyncClient],
) -> None:
    servicer, http = refusing
    bad = error_details_pb2.BadRequest()
    bad.field_violations.add(field="name", description="X(): too long.", reason="too_long")
    detail = any_pb2.Any()
    detail.Pack(bad)
    status = status_pb2.Status(code=3, message="X(): too long.", details=[detail])
    servicer.code, servicer.details = grpc.StatusCode.INVALID_ARGUMENT, "X(): too long."
    servicer.trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    meta = (await http.get(URL, headers=TOKEN)).json()["meta"]
    assert meta["errors"] == [{"field": "name", "code": "too_long", "message": "X(): too long."}]


async def test_the_caller_s_token_is_passed_on_with_a_deadline(
    refusing: tuple[Refusing, httpx.AsyncClient],
) -> None:
    servicer, http = refusing
    await http.get(URL, headers=TOKEN)
    assert servicer.metadata["authorization"] == "Bearer secret"
    # gRPC rounds a deadline up on its way.
    assert 0 < servicer.remaining <= 1.1 * Limits().call_seconds


async def test_without_a_core_the_answer_is_503() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = (await http.get(URL, headers=TOKEN)).json()
            assert answer["meta"]["code"] == 503
            assert answer["meta"]["message"] == FIXED[503]
            strict = await http.get(URL, headers=TOKEN | {"X-Strict-Status": "1"})
            assert strict.status_code == 503


async def test_a_core_that_comes_back_is_found_again() -> None:
    async def core(port: int) -> tuple[grpc.aio.Server, int]:
        server = grpc.aio.server()
        add_ProvisioningServicer_to_server(Refusing(), server)
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        return server, bound

    server, port = await core(0)
    async with open_channel(f"127.0.0.1:{port}", Limits()) as channel:
        transport = httpx.ASGITransport(create_app(channel, GatewayConfig()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:

            async def code() -> int:
                found: int = (await http.get(URL, headers=TOKEN)).json()["meta"]["code"]
                return found

            assert await code() == 500
            await server.stop(None)
            assert await code() == 503
            server, _ = await core(port)
            for _ in range(50):
                if await code() == 500:
                    break
                await asyncio.sleep(0.1)
            assert await code() == 500
    await server.stop(None)


async def test_what_nobody_foresaw_is_logged_and_answered(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        app = create_app(channel, GatewayConfig())
        monkeypatch.setattr(
            "callscreen.gateway.app.success", lambda *_: (_ for _ in ()).throw(KeyError("mischief"))
        )
        monkeypatch.setattr("callscreen.gateway.client.Client.call", _nothing)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.delete(URL, headers=TOKEN)
    assert answer.json()["meta"]["code"] == 500
    assert "mischief" not in answer.text
    assert "mischief" in caplog.text


async def _nothing(*_: object) -> None:
    return None


async def test_a_masked_token_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callscreen.gateway.client.Client.call", _nothing)
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        app = create_app(channel, GatewayConfig(mask_authorization=True))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            answer = await http.delete(URL, headers=TOKEN)
    assert answer.json()["meta"]["authorization"] == "********"
