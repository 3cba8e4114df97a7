"""The edge process: sockets, the clock and randomness stand here, and everything is put together.

Invariants
1. `ready` is called once: the socket answers and the first snapshot is in.
2. From its start until its stop the socket answers, whatever becomes of the core.
3. A stop takes at most `STOP_SECONDS`; call records that the core takes within them are not lost.
"""

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc

from ..ops import Instruments
from .calls import PRODUCTS, Screener
from .cdr import TEXT_LIMIT, record_fields
from .ids import RecordIds
from .listener import UdpListener, format_address, open_udp, parse_address
from .metrics import Metrics
from .records import RecordsOut
from .replica import Replica
from .shown import FAMILIES, Shown
from .uas import Uas
from .view import ScreeningView

__all__ = ["EdgeConfig", "serve"]

log = logging.getLogger("callscreen.edge")

STOP_SECONDS = 2.0
LAG_SECONDS = 300.0  # an edge that has followed no core for longer says that it is not ready
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 256 * 1024 * 1024),  # octets: a list of a million entries
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 10_000),  # a core that vanished without a word is noticed
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass
class EdgeConfig:
    """`sip` and `grpc` are HOST:PORT, port 0 of `sip` any free one; `product` is both, pcs or cin.

    `token` is shown to the core; `name` stands in call records, the host's name by default.
    """

    sip: str = "127.0.0.1:5060"
    grpc: str = "127.0.0.1:50051"
    token: str = ""
    name: str = ""
    product: str = "both"
    lag_seconds: float = LAG_SECONDS
    instruments: Instruments = field(default_factory=Instruments)


def jitter() -> float:
    """The share of a pause that is waited: edges of one core do not come back all at once."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


async def serve(config: EdgeConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Answers calls until `stop` is set; `ready` gets the address bound.

    Raises ValueError for a bad configuration, OSError where the socket cannot be bound.
    """
    if config.product not in PRODUCTS:
        raise ValueError(f"product is one of {', '.join(PRODUCTS)}: {config.product!r}")
    host, port = parse_address(config.sip)
    metrics = Metrics()
    metadata = (("authorization", f"Bearer {config.token}"),) if config.token else ()
    async with grpc.aio.insecure_channel(config.grpc, CHANNEL_OPTIONS) as channel:
        replica = Replica(
            channel, ScreeningView, metrics, clock=time.time, jitter=jitter, metadata=metadata
        )
        records = RecordsOut(
            channel, metrics, fields=record_fields, jitter=jitter, metadata=metadata
        )
        screener = Screener(
            lambda: replica.view,
            PRODUCTS[config.product],
            (config.name or socket.gethostname())[:TEXT_LIMIT],
            RecordIds(os.urandom),
            metrics.calls,
        )
        shown = Shown(metrics, replica, records, config.lag_seconds)
        config.instruments.declare(FAMILIES, shown)
        config.instruments.health.check(shown.ready)
        uas = Uas(screener, replica.ready.is_set, os.urandom(32), metrics)
        listener = UdpListener(uas, metrics, records.put, time.time)
        sock = await open_udp(host, port)
        address = format_address(sock.getsockname())
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: listener, sock=sock)
        tasks = [asyncio.create_task(replica.run()), asyncio.create_task(records.run())]
        try:
            await first_of(tasks, replica.ready, stop)
            if not stop.is_set():
                log.info("ready sip=%s product=%s", address, config.product)
                config.instruments.health.serving()
                ready(address)
            await first_of(tasks, stop)
        finally:
            config.instruments.health.stopping()
            transport.close()
            await records.close(STOP_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    log.info("stopped after %d datagrams", metrics.received)


async def first_of(tasks: list[asyncio.Task[None]], *events: asyncio.Event) -> None:
    """Returns when one of the events is set; raises what one of the tasks died of."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait([*tasks, *waits], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for wait in waits:
            wait.cancel()
