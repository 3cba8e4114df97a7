"""HEP packets, read back by a decoder of their own, and those of a running edge."""

import asyncio
import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.capturing import CaptureConfig
from callscreen.edge.hep import PAYLOAD_MOST, Endpoint, call_id, encode
from callscreen.edge.streaming import StreamConfig
from callscreen.ops import Instruments

from .messages import request
from .running import edge, phone, provision
from .test_shown import values

UDP_MOST = 65_535 - 40 - 8  # octets that a datagram carries over IPv6, the header of which is 40
A, B = Endpoint("192.0.2.1", 5070), Endpoint("192.0.2.2", 5060)


def decoded(packet: bytes) -> dict[int, bytes]:
    """Chunks by type; fails where a length does not fit."""
    assert packet[:4] == b"HEP3"
    assert int.from_bytes(packet[4:6], "big") == len(packet)
    found: dict[int, bytes] = {}
    at = 6
    while at < len(packet):
        vendor, kind, size = (int.from_bytes(packet[at + i : at + i + 2], "big") for i in (0, 2, 4))
        assert vendor == 0
        assert kind not in found
        assert at + size <= len(packet)
        found[kind] = packet[at + 6 : at + size]
        at += size
    return found


def test_all_chunks_of_a_packet():
    found = decoded(
        encode(
            b"INVITE",
            A,
            B,
            now_ns=1_700_000_001_234_567_890,
            capture=77,
            key="sesame",
            correlation=b"abc@host",
        )
    )
    numbers = {kind: int.from_bytes(found[kind], "big") for kind in (1, 2, 7, 8, 9, 10, 11, 12)}
    assert numbers == {1: 2, 2: 17, 7: 5070, 8: 5060, 9: 1_700_000_001, 10: 234_567, 11: 1, 12: 77}
    assert (found[3], found[4]) == (bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)))
    assert (found[14], found[15], found[17]) == (b"sesame", b"INVITE", b"abc@host")
    assert {5, 6}.isdisjoint(found)


@pytest.mark.parametrize(
    ("source", "target", "family", "first"),
    [
        ("2001:db8::1", "2001:db8::2", 10, "2001:db8::1"),
        ("fe80::1%eth0", "2001:db8::2", 10, "fe80::1"),
        ("192.0.2.1", "::", 10, "::ffff:192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.2", 2, "192.0.2.1"),
    ],
)
def test_families(source, target, family, first):
    found = decoded(encode(b"x", Endpoint(source, 1), Endpoint(target, 2), now_ns=0))
    assert found[1] == bytes([family])
    assert found[5 if family == 10 else 3] == ipaddress.ip_address(first).packed
    assert {14, 17}.isdisjoint(found)


def test_a_long_message_is_cut_and_a_stream_is_tcp():
    found = decoded(encode(b"x" * 70_000, A, B, now_ns=0, transport="tls"))
    assert len(found[15]) == PAYLOAD_MOST
    assert found[2] == b"\x06"
    with pytest.raises(ValueError, match="carrier"):
        encode(b"x", Endpoint("carrier.example", 1), B, now_ns=0)


@given(
    payload=st.integers(0, 70_000),
    call=st.binary(max_size=3_000),
    key=st.text(max_size=600),
    hosts=st.tuples(*[st.ip_addresses().map(str)] * 2),
)
def test_lengths_fit_whatever_is_sent(payload, call, key, hosts):
    first, second = (Endpoint(host, 65_535) for host in hosts)
    packet = encode(bytes(payload), first, second, now_ns=0, key=key, correlation=call)
    assert len(packet) <= UDP_MOST
    assert len(decoded(packet)[15]) == min(payload, PAYLOAD_MOST)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (b"INVITE x SIP/2.0\r\nCALL-ID : a@b \r\n\r\n", b"a@b"),
        (b"INVITE x SIP/2.0\r\nTo: x\r\ni: c\r\n\r\nCall-ID: body", b"c"),
        (b"INVITE x SIP/2.0\r\nTo: x\r\n\r\nCall-ID: body", b""),
    ],
)
def test_the_call_id_is_found(message, found):
    assert call_id(message) == found


class Server(asyncio.DatagramProtocol):
    """A capture server."""

    def __init__(self) -> None:
        self.got: asyncio.Queue[dict[int, bytes]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.got.put_nowait(decoded(data))

    async def next(self) -> dict[int, bytes]:
        return await asyncio.wait_for(self.got.get(), 20)


async def test_an_edge_sends_what_it_gets_and_what_it_answers(core):
    provision(core)
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    capture = CaptureConfig(f"127.0.0.1:{port}", 9, "sesame")
    instruments = Instruments("edge", "1")
    async with (
        edge(core, capture=capture, instruments=instruments, streams=StreamConfig()) as address,
        phone(address) as caller,
    ):
        own = int(address.rpartition(":")[2])
        theirs = caller.transport.get_extra_info("sockname")[1]
        for method, answer in (("INVITE", b"SIP/2.0 603"), ("OPTIONS", b"SIP/2.0 200")):
            await caller.call("+15550001111", method)
            asked, answered = await server.next(), await server.next()
            assert asked[15].startswith(method.encode())
            assert answered[15].startswith(answer)
            for found, source, target in ((asked, theirs, own), (answered, own, theirs)):
                ports = int.from_bytes(found[7], "big"), int.from_bytes(found[8], "big")
                assert ports == (source, target)
                assert found[3] == found[4] == bytes((127, 0, 0, 1))
                assert found[17] == f"{theirs}-{caller.calls}".encode()
                assert (found[12], found[14]) == (bytes((0, 0, 0, 9)), b"sesame")
        reader, writer = await asyncio.open_connection("127.0.0.1", own)
        writer.write(request("OPTIONS", via="SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK1"))
        assert (await reader.readline()).startswith(b"SIP/2.0 200")
        assert {(await server.next())[2] for _ in range(2)} == {b"\x06"}
        writer.close()
        found = values(instruments)
        assert found["callscreen_edge_hep_packets_sent_total"][()] == 6
        assert found["callscreen_edge_taps_lost_total"][()] == 0
    transport.close()


async def test_a_server_that_is_not_there_holds_up_nothing(core, eventually):
    provision(core)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
    instruments = Instruments("edge", "1")
    capture = CaptureConfig(nobody)
    async with (
        edge(core, capture=capture, instruments=instruments) as address,
        phone(address) as caller,
    ):
        for _ in range(5):
            assert (await caller.call("+15550001111")).status == 603

        def told() -> float:
            found = values(instruments)
            return sum(
                found[f"callscreen_edge_hep_packets_{what}_total"][()] for what in ("sent", "lost")
            )

        await eventually(lambda: told() == 10)
        assert values(instruments)["callscreen_edge_hep_packets_lost_total"][()] > 0


async def test_a_server_that_comes_back_is_sent_to_again(core, eventually):
    provision(core)
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.1", 0))
    place = transport.get_extra_info("sockname")
    instruments = Instruments("edge", "1")
    capture = CaptureConfig(f"127.0.0.1:{place[1]}")
    async with (
        edge(core, capture=capture, instruments=instruments) as address,
        phone(address) as caller,
    ):
        await caller.call("+15550001111")
        assert {(await server.next())[15][:6] for _ in range(2)} == {b"INVITE", b"SIP/2."}
        transport.close()
        await asyncio.sleep(0)  # its socket is closed by now

        def lost() -> float:
            return values(instruments)["callscreen_edge_hep_packets_lost_total"][()]

        async with asyncio.timeout(20):
            while not lost():
                await caller.call("+15550001111")
        transport, server = await loop.create_datagram_endpoint(Server, local_addr=place)
        async with asyncio.timeout(20):
            while server.got.empty():
                await caller.call("+15550001111")
    transport.close()
