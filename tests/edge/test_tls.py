"""Calls over TLS: handshakes, peers that hold them up, and clients that show their own."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from callscreen.edge.connection import Limits
from callscreen.edge.tls import TlsConfig, TlsContext

from .listening import Later, awaiting, call, issue, listening, peer, trusting


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_a_call_over_tls_is_answered(authority: trustme.CA, tmp_path: Path) -> None:
    context = TlsContext(issue(authority, tmp_path))
    async with listening(context=context) as edge, peer(edge.port, ssl=trusting(authority)) as sbc:
        assert (await sbc.ask(call(1))).status == 302
        assert edge.streams.transport == "tls"


async def test_what_is_no_tls_is_closed_and_keeps_nobody_waiting(
    authority: trustme.CA, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    context = TlsContext(issue(authority, tmp_path))
    limits = Limits(handshake_seconds=0.3)
    async with (
        listening(context=context, limits=limits) as edge,
        peer(edge.port) as silent,
        peer(edge.port) as plain,
    ):
        plain.writer.write(call(1))
        async with peer(edge.port, ssl=trusting(authority)) as sbc:
            assert (await sbc.ask(call(2))).status == 302
        await plain.ended()
        await silent.ended()
        await eventually(lambda: edge.closed == {"handshake": 2})


async def test_clients_show_a_certificate_where_that_is_asked(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    clients = trustme.CA()
    clients.cert_pem.write_to_path(str(tmp_path / "clients.pem"))
    context = TlsContext(TlsConfig(config.certificate, config.key, tmp_path / "clients.pem"))
    known, unknown = trusting(authority), trusting(authority)
    clients.issue_cert("sbc.example").configure_cert(known)
    async with listening(context=context) as edge:
        async with peer(edge.port, ssl=known) as sbc:
            assert (await sbc.ask(call(1))).status == 302
        with pytest.raises((ssl.SSLError, asyncio.IncompleteReadError, ConnectionError)):
            async with peer(edge.port, ssl=unknown) as sbc:
                await sbc.ask(call(2))
        assert edge.streams.counts.opened == 1


async def test_peers_over_tls_that_do_not_read_or_stop_midway_leave_nothing_behind(
    authority: trustme.CA, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    context = TlsContext(issue(authority, tmp_path))
    limits = Limits(
        message_seconds=0.3, unread_octets=4_096, unread_seconds=0.3, handshake_seconds=0.5
    )
    async with (
        listening(context=context, limits=limits) as edge,
        peer(edge.port) as silent,
        peer(edge.port) as hello,
        peer(edge.port, ssl=trusting(authority)) as slow,
        peer(edge.port, ssl=trusting(authority)) as refused,
        peer(edge.port, ssl=trusting(authority), limit=1_024) as deaf,
    ):
        hello.writer.write(b"\x16\x03\x01\x02\x00\x01\x00")  # a handshake that does not go on
        slow.writer.write(call(1)[:40])
        refused.writer.write(call(2).replace(b"Content-Length: 0\r\n", b""))
        assert (await refused.answer()).status == 400
        await eventually(lambda: len(edge.streams.open) >= 2)
        for number in range(400):
            deaf.writer.write(call(number, "OPTIONS") * 200)
            if edge.closed.get("unread"):
                break
            await asyncio.sleep(0.01)
        await silent.ended()
        await eventually(lambda: not edge.streams.open and not edge.streams._hosts)
        assert edge.closed == {"handshake": 2, "slow": 1, "no_length": 1, "unread": 1}


async def test_an_answer_that_is_awaited_comes_before_the_end_over_tls(
    authority: trustme.CA, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    later = Later()
    context = TlsContext(issue(authority, tmp_path))
    async with (
        listening(context=context, wait=later) as edge,
        peer(edge.port, ssl=trusting(authority)) as sbc,
    ):
        awaiting(edge)
        sbc.writer.write(call(1) + call(2, "OPTIONS").replace(b"Content-Length: 0\r\n", b""))
        assert (await sbc.answer()).status == 400
        later.answer()
        assert (await sbc.ended()).startswith(b"SIP/2.0 302")


async def test_a_session_of_before_opens_nothing_once_the_authority_is_another(
    authority: trustme.CA, tmp_path: Path
) -> None:
    config = issue(authority, tmp_path)
    clients, others = trustme.CA(), trustme.CA()
    listed = tmp_path / "clients.pem"
    listed.write_bytes(clients.cert_pem.bytes())
    context = TlsContext(TlsConfig(config.certificate, config.key, listed))
    known = trusting(authority)
    known.maximum_version = ssl.TLSVersion.TLSv1_2
    clients.issue_cert("sbc.example").configure_cert(known)

    def shake(port: int, session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool]:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
            known.wrap_socket(plain, server_hostname="127.0.0.1", session=session) as sock,
        ):
            return sock.session, bool(sock.session_reused)

    async with listening(context=context) as edge:
        session, again = await asyncio.to_thread(shake, edge.port, None)
        assert not again
        assert (await asyncio.to_thread(shake, edge.port, session))[1]
        listed.write_bytes(others.cert_pem.bytes())
        assert context.reload()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(shake, edge.port, session)
