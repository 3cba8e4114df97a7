"""A call signed by an edge and verified by it: real keys, certificates, https and SIP."""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import web

from callscreen.identity.service import IdentityConfig
from callscreen.ops import Instruments

from ..identity.authority import Authority, Issued
from .identity_double import provisioned, settings
from .messages import Response
from .objects import FRIEND
from .running import Phone, edge, phone
from .test_identifying import INSIDE, invite

Eventually = Callable[..., Any]
YEARS = 3650.0


class Signing:
    """A CA and a certificate of it, the host that serves it, and the folders of an edge."""

    def __init__(self, folder: Path, host: str) -> None:
        self.root = Authority("Root", days=2 * YEARS)
        self.own: Issued = self.root.intermediate(days=YEARS).leaf("709J", days=YEARS)
        self.host = host
        self.web = trustme.CA()
        self.asked = 0
        self.dead = False
        self.folder = folder
        for name in ("keys", "roots"):
            (folder / name).mkdir()
        (folder / "roots" / "sti.pem").write_bytes(self.root.pem)
        (folder / "web.pem").write_bytes(self.web.cert_pem.bytes())
        key = folder / "keys" / "acme-1.key"
        key.touch(0o600)
        key.write_bytes(self.own.key_pem)
        (folder / "keys" / "acme-1.pem").write_bytes(self.own.pem)
        (folder / "keys" / "acme-1.url").write_text(f"https://{host}:8443/acme-1.pem\n")

    @property
    def config(self) -> IdentityConfig:
        return IdentityConfig(
            keys=str(self.folder / "keys"),
            roots=str(self.folder / "roots"),
            ca=str(self.folder / "web.pem"),
            cache=str(self.folder / "cache"),
            private=("127.0.0.0/8",),
        )

    async def serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.dead:
            await asyncio.sleep(30)
        return web.Response(body=self.own.pem, content_type="application/pem-certificate-chain")


@pytest.fixture
async def signing(tmp_path: Path) -> AsyncIterator[Signing]:
    # x5u allows port 443 and 8443 alone: an address of our own, so that nobody is in the way.
    found = Signing(tmp_path, f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250 + 1}.9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.web.issue_cert(found.host).configure_cert(context)
    application = web.Application()
    application.router.add_get("/acme-1.pem", found.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, found.host, 8443, ssl_context=context).start()
    try:
        yield found
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(core: Any, signing: Signing, **more: Any) -> AsyncIterator[tuple[str, Phone]]:
    """An edge, and a phone whose calls are signed."""
    for each in provisioned():
        core.note(each.name, body=each)
    async with (
        edge(core, identity=signing.config, **more) as address,
        phone(address, INSIDE) as inside,
    ):
        yield address, inside


async def signed(inside: Phone) -> tuple[str, str]:
    """Identity and Date of a call that the edge signed."""
    answer = await inside.ask(invite(inside))
    assert answer.status == 302
    return answer.one("Identity"), answer.one("Date")


async def give(outside: Phone, identity: str, **parts: Any) -> Response:
    return await outside.ask(invite(outside, f"Identity: {identity}", **parts))


async def test_a_call_that_was_signed_here_is_valid_here(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    async with calling(core, signing) as (address, inside), phone(address) as outside:
        identity, _ = await signed(inside)
        answer = await give(outside, identity)
        assert answer.status == 302
        assert answer.one("P-Asserted-Identity") == (
            f"<sip:{FRIEND};verstat=TN-Validation-Passed@carrier.example;user=phone>"
        )
        await eventually(lambda: signing.asked == 2)  # who signs looks too whether it is served
        identity, _ = await signed(inside)
        assert (await give(outside, identity)).status == 302
        assert signing.asked == 2, "the certificate is kept"
        await eventually(lambda: len(core.kept) == 4)
    made = [each for each in core.kept if each.HasField("signature")]
    found = [each for each in core.kept if each.HasField("identity")]
    assert [each.signature.failure for each in made] == ["", ""]
    assert [each.identity.state for each in found] == ["valid", "valid"]
    assert found[0].identity.attest == "A"
    assert list(found[0].identity.spc) == ["709J"]
    assert found[0].identity.x5u_host == signing.host
    assert found[0].identity.iat == made[0].signature.iat


async def test_a_call_with_anothers_number_and_a_token_again_are_turned_away(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    async with calling(core, signing) as (address, inside), phone(address) as outside:
        identity, _ = await signed(inside)
        forged = await give(outside, identity, caller="<sip:+15550009999@carrier.example>;tag=abc")
        assert (forged.status, forged.reason) == (438, "Invalid Identity Header")
        assert forged.one("Reason").startswith("STIR;cause=438;")
        assert (await give(outside, identity)).status == 302
        again = await give(outside, identity)
        assert again.status == 438, "its token came with another call"
        broken = identity[:40] + ("A" if identity[40] != "A" else "B") + identity[41:]
        assert (await give(outside, broken)).status == 438
        await eventually(lambda: len(core.kept) == 5)
    assert sum(each.identity.replayed for each in core.kept) == 1


async def test_a_dead_host_keeps_nobody_waiting_beyond_the_budget(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    signing.dead = True
    core.note("pcs/settings/", body=settings("pcs"))
    async with calling(core, signing) as (address, inside), phone(address) as outside:
        identity, _ = await signed(inside)
        waiting = asyncio.create_task(give(outside, identity))
        await eventually(lambda: signing.asked == 1)
        async with phone(address) as other:
            assert (await other.call(FRIEND)).status == 302
        assert not waiting.done(), "it waits, and an unsigned one does not"
        answer = await waiting
        assert answer.status == 302
        assert "verstat=No-TN-Validation" in answer.one("P-Asserted-Identity")
        assert answer.one("Reason").startswith("STIR;cause=436;")
        await eventually(lambda: len(core.kept) == 3)
    states = [each.identity.state for each in core.kept if each.HasField("identity")]
    assert states == ["unknown"]


async def test_without_a_key_a_call_goes_on_unsigned(
    core: Any, signing: Signing, eventually: Eventually
) -> None:
    (signing.folder / "keys" / "acme-1.key").unlink()
    async with calling(core, signing) as (_, inside):
        answer = await inside.ask(invite(inside))
        assert answer.status == 302
        assert "Identity" not in answer.headers
        await eventually(lambda: core.kept)
    assert core.kept[0].signature.failure


async def test_over_tcp_too(core: Any, signing: Signing) -> None:
    async with calling(core, signing) as (address, inside):
        identity, _ = await signed(inside)
        host, _, port = address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        message = invite(
            inside, f"Identity: {identity}", via="SIP/2.0/TCP sbc.example;branch=z9hG4bK-t"
        )
        writer.write(message)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        assert b"verstat=TN-Validation-Passed" in head
        writer.close()


async def test_what_was_done_is_counted(core: Any, signing: Signing) -> None:
    instruments = Instruments("edge", "1")
    async with (
        calling(core, signing, instruments=instruments) as (address, inside),
        phone(address) as outside,
    ):
        identity, _ = await signed(inside)
        await give(outside, identity)
        lines = instruments.text().decode().splitlines()
    assert 'callscreen_edge_identity_handed_total{where="workers"} 2.0' in lines
    assert 'callscreen_edge_identity_overflow_total{where="workers"} 0.0' in lines
    assert 'callscreen_identity_fetches_total{outcome="good"} 1.0' in lines
    decided = [line for line in lines if line.startswith("callscreen_edge_calls_total{")]
    assert sum(float(line.split()[-1]) for line in decided) == 2
