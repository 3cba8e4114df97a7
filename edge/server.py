"""The edge process: sockets, the clock and randomness stand here, and everything is put together.

Invariants
1. `ready` is called once: the sockets answer and the first snapshot is in.
2. From its start until its stop each socket answers, whatever becomes of the core.
3. A stop takes little more than `STOP_SECONDS` at most. Call records that the core takes within
   them are not lost, and with a folder none is.
"""

import asyncio
import logging
import os
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..fastpath.index import Index
from ..fastpath.peers import PeerTable
from ..fastpath.recent import RecentTable
from ..identity.service import FAMILIES as WHO_FAMILIES
from ..identity.service import Identities, IdentityConfig
from ..ops import Family, Instruments
from ..ops.grpc_tls import ClientTls
from ..ops.transport import open_channel
from .capturing import CAPTURE_FAMILIES, CaptureConfig, Capturing
from .identifying import Identifying
from .identity_shown import IDENTITY_FAMILIES
from .local import Local
from .metrics import Metrics
from .onward import ONWARD_FAMILIES, Onward, check_mode
from .peers import PEER_FAMILIES, PeerList
from .records import RecordsOut
from .replica import Replica
from .secrets import Secrets
from .shown import FAMILIES, Shown
from .sockets import check_buffer, format_address, open_udp, parse_address
from .spool import Spool
from .streaming import STREAM_FAMILIES, StreamConfig, Streaming
from .taps import TAP_FAMILIES, Taps
from .trace import trace_offer
from .view import PRODUCTS, ScreeningView
from .workers import WorkerConfig, Workers, total

__all__ = ["EdgeConfig", "serve"]

log = logging.getLogger("callscreen.edge")

MIB = 1024 * 1024  # octets
STOP_SECONDS = 2.0
PORT_ATTEMPTS = 50  # at a port that is free for UDP and TCP, where any will do
WORKERS_MOST = 64
TRANSACTION_LIMIT = 1_048_576  # transactions remembered, 8 octets each
REFRESH_SECONDS = 5.0  # until keys and trust are looked at again after a fault
LAG_SECONDS = 300.0  # an edge that has followed no core for longer says that it is not ready
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", 256 * 1024 * 1024),  # octets: a list of a million entries
    ("grpc.max_send_message_length", 16 * 1024 * 1024),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 2_000),  # it is the time to connect, too: TLS, far away
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 10_000),  # a core that vanished without a word is noticed
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass
class EdgeConfig:
    """`sip` and `grpc` are HOST:PORT, port 0 of `sip` any free one; `product` is both, pcs or cin.

    `tls` is spoken with the core, and `token` shown to it; `name` stands in call records, the
    host's name by default. `state` is the folder in which a replica and call records are kept, ""
    for none; `memory_limit` the MiB that indexes may hold, 0 for any. `workers` is the number of
    threads that answer; `segmentation` lets the kernel take apart answers that were sent together;
    `spin` is the microseconds that one looks for the next datagram before it sleeps, while they
    come as close together. `trust` and `peers`, a list and a file, say who is answered besides
    loopback; `ceiling` is in calls a second, 0 for any. `identity` says how callers are verified
    and calls signed, by so many threads of their own. `mode` is redirect or proxy, and `via` the
    HOST:PORT in a proxy's Via, `sip` by default; `branch_secret` is a file with the secret of its
    branches, "" for one of its own.
    """

    sip: str = "127.0.0.1:5060"
    grpc: str = "127.0.0.1:50051"
    tls: ClientTls = field(default_factory=ClientTls)
    token: str = ""
    name: str = ""
    product: str = "both"
    state: str = ""
    memory_limit: int = 0
    workers: int = 1
    segmentation: bool = True
    spin: int = 50
    trust: str = ""
    peers: str = ""
    ceiling: int = 0
    mode: str = "redirect"
    via: str = ""
    branch_secret: str = ""
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    identity_threads: int = 2
    streams: StreamConfig = field(default_factory=StreamConfig)
    capture: CaptureConfig = field(default_factory=CaptureConfig)
    lag_seconds: float = LAG_SECONDS
    instruments: Instruments = field(default_factory=Instruments)


def jitter() -> float:
    """The share of a pause that is waited: edges of one core do not come back all at once."""
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing


async def serve(config: EdgeConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Answers calls until `stop` is set; `ready` gets the address bound.

    Raises ValueError for a bad configuration, OSError where a socket cannot be bound or the folder
    not be used.
    """
    if config.product not in PRODUCTS:
        raise ValueError(f"product is one of {', '.join(PRODUCTS)}: {config.product!r}")
    if not 1 <= config.workers <= WORKERS_MOST:
        raise ValueError(f"there are 1 to {WORKERS_MOST} workers: {config.workers}")
    host, port = parse_address(config.sip)
    peers = PeerList(config.trust, config.peers, config.ceiling)
    check_mode(config.mode, config.via, config.sip, peers.table.given)
    secrets = Secrets.read(config.branch_secret)
    identities = Identities(config.identity)
    metrics = Metrics()
    metadata = (("authorization", f"Bearer {config.token}"),) if config.token else ()
    async with open_channel(config.grpc, config.tls, CHANNEL_OPTIONS) as channel:
        local = Local(Path(config.state) / "replica", ScreeningView) if config.state else None
        replica = Replica(
            channel,
            ScreeningView,
            metrics,
            clock=time.time,
            jitter=jitter,
            metadata=metadata,
            local=local,
            memory_limit=config.memory_limit * MIB,
        )

        def index() -> Index | None:
            return replica.view.index if replica.view else None

        spool = Spool(Path(config.state) / "records") if config.state else None
        records = RecordsOut(channel, metrics, jitter=jitter, metadata=metadata, spool=spool)
        alike = worker_config(config, secrets)
        identifying = Identifying(
            identities, index, alike, os.urandom, threads=config.identity_threads
        )
        sockets: list[socket.socket] = []
        capturing = None

        def table() -> PeerTable:
            return peers.table

        try:
            if config.capture.server:
                capturing = Capturing(config.capture, lambda: sockets[0].getsockname()[:2])
            taps = Taps(capturing)
            identifying.taps = taps
            streaming = Streaming(
                config.streams, alike, index, records.put, os.urandom, table, taps, identifying
            )
            opened = await open_all(sockets, streaming, host, port, config.workers)
        except (OSError, ValueError):
            records.leave()
            if capturing is not None:
                capturing.close()
            identifying.close()
            for sock in sockets:
                sock.close()
            raise
        onward = None
        if config.mode == "proxy":
            bound = format_address(sockets[0].getsockname())
            onward = Onward(config.via, secrets.branches, bound)
            alike = replace(alike, forwarding=onward.make)
            identifying.forward(onward.make, table)
            config.instruments.declare(ONWARD_FAMILIES, onward.show)
        workers = Workers(sockets, alike, os.urandom, identifying)
        shown = Shown(
            metrics,
            replica,
            records,
            workers,
            lambda: total([streaming.counts(), identifying.counts()]),
            config.lag_seconds,
        )
        config.instruments.declare(FAMILIES, shown)
        config.instruments.declare(STREAM_FAMILIES, streaming.show)
        config.instruments.declare(PEER_FAMILIES, peers.show)
        config.instruments.declare(
            IDENTITY_FAMILIES, lambda add: identifying.show(add, workers.counts())
        )
        config.instruments.declare([Family(*each) for each in WHO_FAMILIES], identities.show)
        config.instruments.declare(TAP_FAMILIES, lambda add: taps.show(add, workers.taps_lost()))
        if capturing is not None:
            config.instruments.declare(CAPTURE_FAMILIES, capturing.show)
        config.instruments.offer("/trace", trace_offer(taps, config.token, index))
        taps.attach(workers.tap)
        config.instruments.health.check(shown.ready)
        address = format_address(sockets[0].getsockname())
        check_buffer(sockets[0])
        workers.admit(peers.table)
        identifying.start()
        workers.start()

        coroutines = (
            replica.run(),
            records.run(),
            workers.run(index, table, records.put, taps.put),
            keep_fresh(identities),
            identifying.run(records.put),
        )
        every = (*coroutines, *streaming.coroutines(), peers.run(workers.strangers))
        tasks = [asyncio.create_task(coroutine) for coroutine in every]
        if onward is not None:
            takers = (workers.resolve, identifying.resolve)
            tasks.append(asyncio.create_task(onward.run(*takers)))
        try:
            await first_of(tasks, replica.ready, stop)
            if not stop.is_set():
                workers.answer_from(index())
                log.info("ready sip=%s product=%s", ",".join([address, *opened]), config.product)
                config.instruments.health.serving()
                ready(address)
            await first_of(tasks, stop)
        finally:
            config.instruments.health.stopping()
            await workers.stop(records.put)
            await identifying.stop(records.put)
            await records.close(STOP_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            records.leave()
            if capturing is not None:
                capturing.close()
    log.info("stopped after %d datagrams", workers.counts().received)


async def open_all(
    sockets: list[socket.socket], streaming: Streaming, host: str, port: int, workers: int
) -> list[str]:
    """Puts UDP sockets into `sockets`, and opens the streams beside them, whose addresses it gives.

    Of port 0 it is one that TCP has free too. Raises OSError, ValueError.
    """
    for left in range(0 if port else PORT_ATTEMPTS - 1, -1, -1):
        sockets[:] = await open_udp(host, port, workers)
        try:
            return await streaming.open(host, sockets[0].getsockname()[1])
        except OSError:
            for sock in sockets:
                sock.close()
            sockets.clear()
            if not left:
                raise
    raise AssertionError("the last attempt returns or raises")


def worker_config(config: EdgeConfig, secrets: Secrets) -> WorkerConfig:
    """What the workers have alike."""
    return WorkerConfig(
        secrets.tags,
        RecentTable(TRANSACTION_LIMIT),
        edge=config.name or socket.gethostname(),
        product=PRODUCTS[config.product],
        segmenting=config.segmentation,
        spin_us=config.spin,
    )


async def keep_fresh(identities: Identities) -> None:
    """Keeps keys and trust fresh until cancelled; a fault of ours in it ends no edge."""
    while True:
        try:
            await identities.run()
        except Exception:
            log.exception("keys and trust are not refreshed")
        await asyncio.sleep(REFRESH_SECONDS)


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
