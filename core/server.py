"""The core as a process: opens the data, serves gRPC, stops in order.

Invariants:
1. `ready` is called once, when every service answers.
2. At a stop nothing new is taken, what was taken is committed and answered, then the data closes.
"""

import asyncio
import logging
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from functools import lru_cache, partial
from ipaddress import ip_address, ip_network
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health import aio as health  # type: ignore[attr-defined]
from grpc_reflection.v1alpha import reflection

from ..identity.service import FAMILIES as WHO_FAMILIES
from ..identity.service import Identities as Who
from ..ops import Family
from ..ops.serving_tls import FAMILIES as TLS
from ..ops.serving_tls import LOOK_SECONDS as FILES_SECONDS
from ..ops.serving_tls import TlsFiles, serving_files
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
from .bulk.limits import RETENTION_SECONDS
from .chores import Chore, Chores
from .commands import audio_collect
from .commands.bootstrap import bootstrap, lacks_owner
from .commands.clean_tokens import clean_tokens
from .commands.context import Core
from .commands.expire_records import expire_records
from .commands.purge import purge_expired
from .commands.send_mail import send_mail
from .commands.set_password import SHORTEST
from .ending import ended
from .errors import InvalidInput, Unavailable
from .indexing import make_complete
from .limits import (
    COLLECT_SECONDS,
    KEEPALIVE_MS,
    KEEPALIVE_TIMEOUT_MS,
    LOGINS_KEPT_SECONDS,
    MAIL_LOOK_SECONDS,
    MESSAGE_BYTES,
    PASSWORD_CHARS,
    PING_INTERVAL_MS,
    PURGE_SECONDS,
    READER_CHECK_SECONDS,
    READER_SECONDS,
    RECORDS_EXPIRED_SECONDS,
    RPCS_AT_ONCE,
    STOP_SECONDS,
    SWITCH_SECONDS,
    TOKEN_BYTES,
    TOKENS_CLEANED_SECONDS,
)
from .lockouts import LoginsFile
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
from .shown import Shown
from .wiring import CoreConfig, build

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


async def serve(config: CoreConfig, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serves until `stop` is set; `ready` gets the address bound.

    Raises StoreInUse, FormatTooNew, StoreFull, StoreFailed, OSError, Unavailable (the address, a
    secret's file that is damaged, or keys and roots that cannot be read, or what gRPC is to be
    served with), InvalidInput (the first
    administrators' password).
    """
    async with AsyncExitStack() as stack:
        files = files_of(config)
        core = build(config, stack)
        await asyncio.to_thread(make_complete, core.store, stop.is_set)
        if stop.is_set():
            return
        await first_start(core, config.admin_password)
        lockouts = LoginsFile(config.data / "lockouts.json", core.logins, core.ticks, core.clock)
        lockouts.load()
        stack.push_async_callback(lockouts.keep)
        await core.jobs.start(core)
        server = grpc.aio.server(options=OPTIONS, maximum_concurrent_rpcs=RPCS_AT_ONCE)
        calls = Calls()
        status = await register(server, core, believing(config.gateways), calls)
        address = bind(server, config.grpc, files)
        await server.start()
        stack.enter_context(switching(SWITCH_SECONDS))
        checking = asyncio.create_task(check_readers(core))
        stack.callback(checking.cancel)
        stack.push_async_callback(Chores(chores(core, files, lockouts)).close)
        Shown(core, calls, config.data).declare(config.instruments)
        if files is not None:
            config.instruments.declare(TLS, files.show)
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


def chores(core: Core, files: TlsFiles | None, lockouts: LoginsFile) -> list[Chore]:
    """What the core does by itself."""
    of_files = [] if files is None else [Chore("certificate", FILES_SECONDS, files.look)]
    return [
        *of_files,
        Chore("purge", PURGE_SECONDS, partial(purge_expired, core)),
        Chore("jobs", RETENTION_SECONDS, partial(core.jobs.sweep, core)),
        Chore("tokens", TOKENS_CLEANED_SECONDS, partial(clean_tokens, core)),
        Chore("lockouts", LOGINS_KEPT_SECONDS, lockouts.keep),
        Chore("mail", MAIL_LOOK_SECONDS, partial(send_mail, core)),
        Chore("audio", COLLECT_SECONDS, partial(audio_collect.collect, core)),
        Chore("records", RECORDS_EXPIRED_SECONDS, partial(expire_records, core)),
    ]


async def ended_task(task: "asyncio.Task[None]") -> None:
    """Cancels a task, and waits until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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


def files_of(config: CoreConfig) -> TlsFiles | None:
    """What gRPC is served with; None: in the clear. Raises Unavailable."""
    try:
        return serving_files(config.grpc, config.tls)
    except (OSError, ValueError) as error:
        raise Unavailable(str(error)) from error


def bind(server: grpc.aio.Server, address: str, files: TlsFiles | None = None) -> str:
    """Binds; the address with its real port. Raises Unavailable."""
    host, _, _ = address.rpartition(":")
    try:
        if files is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, files.credentials)
    except RuntimeError as error:
        raise Unavailable(f"The address {address} cannot be bound.") from error
    return f"{host}:{port}"


__all__ = ["bind", "check_readers", "first_start", "register", "serve", "switching"]
