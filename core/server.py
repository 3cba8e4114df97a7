"""The core as a process: opens the data, wires everything, serves gRPC, stops in order.

Invariants:
1. The only place that builds objects, and the only one that names the LMDB stores.
2. `ready` is called once, when every service answers.
3. At a stop nothing new is taken, what was taken is committed and answered, then the data closes.
"""

import asyncio
import logging
import secrets
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

import grpc
from argon2 import PasswordHasher
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]
from grpc_reflection.v1alpha import reflection

from ..identity.service import FAMILIES as WHO_FAMILIES
from ..identity.service import Identities as Who
from ..identity.service import IdentityConfig
from ..ops import Family, Instruments
from ..v1 import (
    audio_files_pb2,
    authentication_pb2,
    identity_pb2,
    jobs_pb2,
    maintenance_pb2,
    provisioning_pb2,
    records_pb2,
    replication_pb2,
    screening_pb2,
)
from .audio import AudioFolder
from .audit.files import PREFIX, AuditFiles, log_duration
from .buckets import Buckets
from .bulk.jobs import Jobs
from .bulk.limits import RETENTION_SECONDS
from .chores import Chore, Chores
from .commands import audio_collect
from .commands.bootstrap import bootstrap, lacks_owner
from .commands.clean_tokens import clean_tokens
from .commands.context import Core, Identities, Means
from .commands.expire_records import expire_records
from .commands.purge import purge_expired
from .commands.set_password import SHORTEST
from .committer import Committer, Published
from .ending import ended
from .engine import Engine
from .errors import InvalidInput, Unavailable
from .feed import Feed
from .files import checked_hex, secret, write_secret
from .indexing import make_complete
from .limits import (
    COLLECT_SECONDS,
    KEEPALIVE_MS,
    KEEPALIVE_TIMEOUT_MS,
    LISTS_AT_ONCE,
    LISTS_WAITING,
    LOGIN_NAMES,
    MESSAGE_BYTES,
    PASSWORD_CHARS,
    PEPPER_BYTES,
    PING_INTERVAL_MS,
    PURGE_SECONDS,
    READER_CHECK_SECONDS,
    READER_SECONDS,
    RECORDS_EXPIRED_SECONDS,
    REDEEMS,
    REDEEMS_SECONDS,
    RESETS,
    RESETS_ADDRESS,
    RESETS_SECONDS,
    RPCS_AT_ONCE,
    STOP_SECONDS,
    SWITCH_SECONDS,
    TOKEN_BYTES,
    TOKENS_CLEANED_SECONDS,
)
from .logins import Logins
from .mail import Mailer
from .passwords import Passwords
from .recorder import Recorder
from .services.audio_files import AudioFiles
from .services.authentication import Authentication
from .services.identity import CallerIdentity
from .services.jobs import Jobs as JobsService
from .services.maintenance import Maintenance
from .services.observed import Calls
from .services.provisioning import Provisioning
from .services.records import Records
from .services.registry import Streams, handler
from .services.replication import Replication
from .services.screening import Screening
from .sessions import Sessions
from .shown import Shown
from .store.contract import Store
from .store.lmdb import LmdbStore
from .store.lmdb_records import LmdbRecords
from .store.records import RecordStore
from .threads import Threads
from .upkeep.restore import check_finished

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # a second core on the same port is refused, not given half the calls
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS),
)
SERVICES: Final = (
    (provisioning_pb2.DESCRIPTOR.services_by_name["Provisioning"], Provisioning),
    (audio_files_pb2.DESCRIPTOR.services_by_name["AudioFiles"], AudioFiles),
    (authentication_pb2.DESCRIPTOR.services_by_name["Authentication"], Authentication),
    (screening_pb2.DESCRIPTOR.services_by_name["Screening"], Screening),
    (replication_pb2.DESCRIPTOR.services_by_name["Replication"], Replication),
    (records_pb2.DESCRIPTOR.services_by_name["Records"], Records),
    (maintenance_pb2.DESCRIPTOR.services_by_name["Maintenance"], Maintenance),
    (jobs_pb2.DESCRIPTOR.services_by_name["Jobs"], JobsService),
    (identity_pb2.DESCRIPTOR.services_by_name["CallerIdentity"], CallerIdentity),
)
PASSWORD_LENGTH: Final = (
    f"CALLSCREEN_ADMIN_PASSWORD must have {SHORTEST} to {PASSWORD_CHARS} characters."
)

log = logging.getLogger("callscreen.core")


@dataclass
class CoreConfig:
    """`clock` (Unix seconds) and `hasher` are there to be replaced in tests."""

    data: Path
    grpc: str = "127.0.0.1:50051"  # port 0: any
    admin_password: str | None = None  # of the first administrators; None: made and printed
    service_token: str | None = None  # of internal services; None: the one in the data folder
    public_url: str = "http://127.0.0.1:8080"  # of the gateway, as people reach it: for mails
    clock: Callable[[], float] = time.time
    hasher: PasswordHasher | None = None
    # Whose word on the callers they pass on counts: networks of gateways.
    gateways: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    instruments: Instruments = field(default_factory=Instruments)
    identity: IdentityConfig = field(default_factory=IdentityConfig)  # keys, roots and cache
    identities: Identities | None = None  # what signs and verifies; None: made of `identity`


async def serve(config: CoreConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set; `ready` gets the address bound.

    Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed, OSError, Unavailable (the address, a
    secret's file that is damaged, or keys and roots that cannot be read), InvalidInput (the first
    administrators' password).
    """
    async with AsyncExitStack() as stack:
        core = build(config, stack)
        await asyncio.to_thread(make_complete, core.store, stop.is_set)
        if stop.is_set():
            return
        await first_start(core, config.admin_password)
        await core.jobs.start(core)
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=RPCS_AT_ONCE)
        calls = Calls()
        status = await register(server, core, believing(config.gateways), calls)
        address = bind(server, config.grpc)
        await server.start()
        stack.enter_context(switching(SWITCH_SECONDS))
        checking = asyncio.create_task(check_readers(core))
        stack.callback(checking.cancel)
        stack.push_async_callback(Chores(chores(core)).close)
        Shown(core, calls, config.data).declare(config.instruments)
        if isinstance(core.identities, Who):
            config.instruments.declare(
                [Family(*each) for each in WHO_FAMILIES], core.identities.show
            )
            refreshing = asyncio.create_task(core.identities.run())
            stack.push_async_callback(ended_task, refreshing)
        config.instruments.health.serving()
        log.info("core serves grpc=%s revision=%d", address, core.store.revision)
        ready(address)
        try:
            await ended(stop, (core.store, core.records))
            log.info("core stops revision=%d", core.store.revision)
        finally:
            config.instruments.health.stopping()
            await status.enter_graceful_shutdown()
            core.feed.close()
            await server.stop(STOP_SECONDS)


@contextmanager
def switching(seconds: float) -> Iterator[None]:
    """Lets threads take turns so often: the event loop must not wait for a thread that computes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


async def check_readers(core: Core, seconds: float = READER_CHECK_SECONDS) -> None:
    """Warns, for as long as it runs, of a reader that is open too long: it pins pages."""
    while True:
        await asyncio.sleep(seconds)
        for name, store in (("objects", core.store), ("records", core.records)):
            age = store.oldest_reader_age()
            if age > READER_SECONDS:
                log.warning("a reader of %s has been open for %.0f seconds", name, age)


def chores(core: Core) -> list[Chore]:
    """What the core does by itself."""
    return [
        Chore("purge", PURGE_SECONDS, partial(purge_expired, core)),
        Chore("jobs", RETENTION_SECONDS, partial(core.jobs.sweep, core)),
        Chore("tokens", TOKENS_CLEANED_SECONDS, partial(clean_tokens, core)),
        Chore("audio", COLLECT_SECONDS, partial(audio_collect.collect, core)),
        Chore("records", RECORDS_EXPIRED_SECONDS, partial(expire_records, core)),
    ]


def build(config: CoreConfig, stack: AsyncExitStack) -> Core:
    """The core on its data folder; the stack closes it, writers before stores."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_finished(config.data)
    store = LmdbStore(config.data / "objects")
    stack.callback(store.close)
    records = LmdbRecords(config.data / "records", clock=config.clock)
    stack.callback(records.close)
    return wire(config, store, records, stack)


def wire(config: CoreConfig, store: Store, records: RecordStore, stack: AsyncExitStack) -> Core:
    """The core on these stores, be they on disk or in memory."""
    engine, feed = Engine(store), Feed(store)

    def publish(changes: Published) -> None:
        try:
            engine.publish(changes)
        finally:  # edges need not suffer what the core's own index does
            feed.publish(changes)

    mail = Mailer(config.public_url)
    passwords = Passwords(config.hasher)
    stack.callback(passwords.close)
    readers = Threads("lists", LISTS_AT_ONCE, LISTS_WAITING)
    stack.callback(readers.close)
    with store.read() as reader:
        lengths = list(reader.scan_private(PREFIX))
    audit = AuditFiles(config.data / "audit", lengths, log_duration(store), config.clock)
    stack.callback(audit.close)
    committer = Committer(store, publish, audit=audit)
    stack.push_async_callback(committer.close)
    stack.push_async_callback(mail.close)
    recorder = Recorder(records)
    stack.push_async_callback(recorder.close)
    pepper = secret(config.data / "pepper", lambda: secrets.token_hex(PEPPER_BYTES))
    jobs = Jobs(config.data / "jobs")
    stack.push_async_callback(jobs.close)
    return Core(
        data=config.data,
        backup=asyncio.Lock(),
        store=store,
        committer=committer,
        feed=feed,
        engine=engine,
        records=records,
        recorder=recorder,
        sessions=Sessions(store, service_token(config), config.clock),
        passwords=passwords,
        readers=readers,
        jobs=jobs,
        logins=Logins(),
        audio=AudioFolder(config.data / "audio", socket.gethostname() or "localhost", config.clock),
        resets=Buckets(RESETS, RESETS_SECONDS, LOGIN_NAMES),
        resets_here=Buckets(RESETS_ADDRESS, RESETS_SECONDS, LOGIN_NAMES),
        redeems=Buckets(REDEEMS, REDEEMS_SECONDS, LOGIN_NAMES),
        mail=mail,
        means=Means(checked_hex(config.data / "pepper", pepper, PEPPER_BYTES), secrets.token_bytes),
        identities=config.identities or who(config.identity),
        clock=config.clock,
        ticks=time.monotonic,
    )


def who(config: IdentityConfig) -> Who:
    """What signs and verifies. Raises Unavailable where a file of it cannot be used."""
    try:
        return Who(config)
    except (ValueError, OSError) as error:
        raise Unavailable(f"Calls cannot be signed or verified: {error}") from error


async def ended_task(task: "asyncio.Task[None]") -> None:
    """Cancels a task, and waits until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def service_token(config: CoreConfig) -> str:
    """The token of internal services: given, or made once; either way it is in its file."""
    path = config.data / "service.token"
    given = (config.service_token or "").strip()
    token = secret(path, lambda: given or secrets.token_urlsafe(TOKEN_BYTES))
    if given and given != token:
        write_secret(path, given)
        return given
    return token


async def first_start(core: Core, password: str | None) -> None:
    """Puts settings and first administrators in place; tells a password that it makes, once.

    It is told before it is in force: whatever happens in between, none is in force untold.
    Raises InvalidInput for a password that is needed and too short, or too long to log in with.
    """
    chosen = password or secrets.token_urlsafe(TOKEN_BYTES // 2)
    needed = lacks_owner(core)
    if needed and not SHORTEST <= len(chosen) <= PASSWORD_CHARS:
        raise InvalidInput(PASSWORD_LENGTH)
    if needed and not password:
        print(f"administrator password: {chosen}", flush=True)
    await bootstrap(core, core.passwords.hash_now(chosen) if needed else "")


def believing(networks: Sequence[str]) -> Callable[[str], bool]:
    """Whether a peer is a gateway, by its address. Raises ValueError for what is no network."""
    known = [ip_network(network) for network in networks]

    def believed(peer: str) -> bool:
        return bool(peer) and any(ip_address(peer) in network for network in known)

    return lru_cache(maxsize=1024)(believed)


async def register(
    server: grpc.aio.Server,
    core: Core,
    believed: Callable[[str], bool] = lambda peer: False,
    calls: Calls | None = None,
) -> health.HealthServicer:
    """Every service, health and reflection."""
    names = [descriptor.full_name for descriptor, _ in SERVICES]
    check, streams, calls = core.sessions.check, Streams(), calls or Calls()
    server.add_generic_rpc_handlers(
        tuple(
            handler(descriptor, make(core), check, streams, believed, calls)
            for descriptor, make in SERVICES
        )
    )
    status = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    for name in ("", *names):
        await status.set(name, health_pb2.HealthCheckResponse.SERVING)
    reflection.enable_server_reflection((*names, HEALTH, reflection.SERVICE_NAME), server)
    return status


def bind(server: grpc.aio.Server, address: str) -> str:
    """Binds; the address with its real port. Raises Unavailable."""
    host, _, _ = address.rpartition(":")
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise Unavailable(f"The address {address} cannot be bound.") from error
    return f"{host}:{port}"


__all__ = ["CoreConfig", "build", "first_start", "serve", "wire"]
