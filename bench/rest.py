"""REST requests a second through gateway and core, beside the same route with no core behind it.

The peer is the same gateway, whose calls to the core are answered at once with the same object:
what is left is HTTP, routing, JSON and envelope. One process sends, over connections kept open.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import uvloop

from callscreen.gateway.client import Client
from callscreen.gateway.server import GatewayConfig, serve
from callscreen.schema import TYPES
from callscreen.v1.object_pb2 import Object

from .platform import served
from .propagation import Rest

__all__ = ["main"]

CONNECTIONS = 32
SECONDS = 3.0  # a measurement
ROUNDS = 2  # the best of them counts: other work on the machine only slows
NUMBER: dict[str, Any] = {
    "number": "+15851239876",
    "subscriber_name": "alice",
    "service_provider_name": "acme",
    "nickname": "home",
    "whitelist": [f"+1585555{n:04}" for n in range(20)],
    "blacklist": [f"+1585666{n:04}" for n in range(20)],
}
PATH = "/pcs/api/number/acme/alice/%2B15851239876"


class Sender(asyncio.Protocol):
    """One connection: sends a request, and the next when the answer is whole."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answered = 0
        self.wanted = 0
        self.seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.seen += data
        if not self.wanted:
            head = self.seen.find(b"\r\n\r\n")
            if head < 0:
                return
            at = self.seen.index(b"content-length: ") + 16
            self.wanted = head + 4 + int(self.seen[at : self.seen.index(b"\r", at)])
        if len(self.seen) >= self.wanted:
            assert b'"code":200' in self.seen, self.seen
            self.answered += 1
            self.wanted, self.seen = 0, b""
            self.transport.write(self.request)


async def _rate(address: str, request: bytes) -> float:
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: Sender(request), host, int(port)))[1]
        for _ in range(CONNECTIONS)
    ]
    await asyncio.sleep(SECONDS / 4)
    before, started = sum(sender.answered for sender in senders), time.perf_counter()
    await asyncio.sleep(SECONDS)
    after, ended = sum(sender.answered for sender in senders), time.perf_counter()
    for sender in senders:
        sender.transport.abort()
    return (after - before) / (ended - started)


def _request(method: str, token: str, body: bytes = b"") -> bytes:
    return (
        f"{method} {PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


@contextlib.contextmanager
def _alone() -> Iterator[str]:
    """The address of a gateway with no core behind it, in a process of its own."""
    command = [sys.executable, "-m", "bench.rest", "--alone"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _serve_alone() -> None:
    stored = Object(name="pcs/number/acme/alice/%2B15851239876")
    message, _ = TYPES["number"].from_json(NUMBER, "pcs")
    stored.number.CopyFrom(message)
    data = stored.SerializeToString()

    async def at_once(*_: object) -> Object:
        return Object.FromString(data)

    Client.call = at_once  # type: ignore[method-assign, assignment]
    config = GatewayConfig(http="127.0.0.1:0", grpc="127.0.0.1:1")
    uvloop.run(serve(config, lambda address: print(address, flush=True), asyncio.Event()))


def main() -> None:
    with served() as where, _alone() as alone:
        rest = Rest(where)
        rest("POST", "service_provider", {"name": "acme"})
        rest("POST", "subscriber/acme", {"name": "alice"})
        rest("POST", "number/acme/alice", NUMBER)
        body = json.dumps({"nickname": "home"}).encode()
        for method, request in (
            ("GET", _request("GET", rest.token)),
            ("PUT", _request("PUT", rest.token, body)),
        ):
            peer, whole = 0.0, 0.0
            for _ in range(ROUNDS):
                peer = max(peer, uvloop.run(_rate(alone, request)))
                whole = max(whole, uvloop.run(_rate(where.http, request)))
            print(
                f"  {method}: {whole:,.0f}/s through gateway and core, {peer:,.0f}/s with no core:"
                f" {whole / peer:.2f} x"
            )


if __name__ == "__main__":
    if sys.argv[1:] == ["--alone"]:
        _serve_alone()
    else:
        main()
