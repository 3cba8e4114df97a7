"""A core that speaks TLS: who is answered over real sockets, who is not, and a certificate that is
replaced while it runs."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from callscreen.core.errors import Unavailable
from callscreen.core.server import serve
from callscreen.core.wiring import CoreConfig
from callscreen.ops import Instruments
from callscreen.ops.grpc_tls import ClientTls, ServerTls
from callscreen.ops.transport import open_channel
from callscreen.v1 import provisioning_pb2, provisioning_pb2_grpc

from ..grpc_files import Files
from .conftest import Running, running

NAME = "pcs/settings/"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "tls")


async def asked(core: Running, tls: ClientTls) -> str:
    """What a caller is answered with: a name, or why there is no answer."""
    alone = [("grpc.use_local_subchannel_pool", 1)]  # connects for itself
    async with open_channel(core.address, tls, alone) as channel:
        stub = provisioning_pb2_grpc.ProvisioningStub(channel)
        metadata = (("authorization", f"Bearer {core.token}"),)
        request = provisioning_pb2.GetRequest(name=NAME)
        try:
            return str((await stub.Get(request, metadata=metadata, timeout=20)).name)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"


async def test_who_knows_the_authority_is_answered_and_nobody_else(
    tmp_path: Path, files: Files
) -> None:
    stranger = Files(tmp_path / "other")
    tls = ServerTls(*files.write("core", "127.0.0.1", "core.example"))
    async with running(tmp_path / "data", tls=tls) as core:
        good = ClientTls(str(files.authorities))
        assert await asked(core, good) == NAME
        named = ClientTls(str(files.authorities), name="core.example")
        assert await asked(core, named) == NAME
        for bad in (
            ClientTls(str(stranger.authorities)),
            ClientTls(str(files.authorities), name="other.example"),
            ClientTls(),
        ):
            assert (await asked(core, bad)).startswith("UNAVAILABLE"), bad


async def test_clients_show_certificates_where_their_authority_is_given(
    tmp_path: Path, files: Files
) -> None:
    clients, strangers = Files(tmp_path / "clients"), Files(tmp_path / "strangers")
    tls = ServerTls(*files.write("core", "127.0.0.1"), str(clients.authorities))
    async with running(tmp_path / "data", tls=tls) as core:

        async def with_(*pair: str) -> str:
            return await asked(core, ClientTls(str(files.authorities), *pair))

        assert await with_(*clients.write("edge", "edge-1")) == NAME
        assert (await with_()).startswith("UNAVAILABLE")
        assert (await with_(*strangers.write("edge", "edge-1"))).startswith("UNAVAILABLE")
        assert (await with_(*clients.expired("old", "edge-1"))).startswith("UNAVAILABLE")


async def test_a_certificate_is_replaced_without_a_restart(tmp_path: Path, files: Files) -> None:
    instruments = Instruments("core", "1")
    tls = ServerTls(*files.expired("core", "127.0.0.1"))
    good = ClientTls(str(files.authorities))
    async with running(tmp_path / "data", tls=tls, instruments=instruments) as core:
        assert (await asked(core, good)).startswith("UNAVAILABLE")
        files.write("core", "127.0.0.1")
        assert await asked(core, good) == NAME
        (files.folder / "core.pem").write_bytes(b"nothing")
        assert await asked(core, good) == NAME
        lines = instruments.text().decode().splitlines()
    assert "callscreen_core_certificate_failures_total 1.0" in lines
    (ends,) = [each for each in lines if each.startswith("callscreen_core_certificate_expiry")]
    assert float(ends.split()[1]) > 0


@pytest.mark.parametrize(
    ("address", "tls", "why"),
    [
        ("0.0.0.0:0", {}, "--grpc-in-clear"),
        ("127.0.0.1:0", {"certificate": "/none.pem", "key": "/none.key"}, "/none"),
        ("127.0.0.1:0", {"certificate": "/none.pem"}, "its key"),
    ],
)
async def test_what_cannot_be_served_is_told_at_the_start(
    tmp_path: Path, address: str, tls: dict[str, Any], why: str
) -> None:
    config = CoreConfig(tmp_path / "data", address, tls=ServerTls(**tls))
    with pytest.raises(Unavailable, match=why):
        await serve(config, print, asyncio.Event())
    assert not (tmp_path / "data").exists(), "nothing was begun"
