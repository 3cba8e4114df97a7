"""Which parts the core is made of, on a data folder or on stores of a test.

Invariants:
1. The only place that builds the core's objects, and the only one that names the LMDB stores.
2. Writers close before the stores that they write to.
"""

import asyncio
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from argon2 import PasswordHasher

from ..identity.service import Identities as Who
from ..identity.service import IdentityConfig
from ..ops import Instruments
from ..ops.grpc_tls import ServerTls
from .audio import AudioFolder
from .audit.files import PREFIX, AuditFiles, log_duration
from .buckets import Buckets
from .bulk.jobs import Jobs
from .commands.context import Core, Identities, Means
from .committer import Committer, Published
from .engine import Engine
from .errors import Unavailable
from .feed import Feed
from .files import checked_hex, secret, write_secret
from .limits import (
    LISTS_AT_ONCE,
    LISTS_WAITING,
    LOGIN_NAMES,
    MAIL_KEY_BYTES,
    PEPPER_BYTES,
    REDEEMS,
    REDEEMS_SECONDS,
    RESETS,
    RESETS_ADDRESS,
    RESETS_SECONDS,
    SIGNATURES_EACH,
    TOKEN_BYTES,
)
from .logins import Logins
from .mail import Mailer
from .passwords import Passwords
from .recorder import Recorder
from .sessions import Sessions
from .signings import Signings
from .store.contract import Store
from .store.lmdb import LmdbStore
from .store.lmdb_records import LmdbRecords
from .store.records import RecordStore
from .threads import Threads
from .upkeep.restore import check_finished


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
    tls: ServerTls = field(default_factory=ServerTls)  # of gRPC
    sign_rate: int = SIGNATURES_EACH  # signatures a second of one who asks; 0: any


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
    signings = Signings(config.sign_rate)
    stack.push_async_callback(signings.close)
    recorder = Recorder(records)
    stack.push_async_callback(recorder.close)
    pepper = octets(config.data / "pepper", PEPPER_BYTES)
    mail_key = octets(config.data / "mail.key", MAIL_KEY_BYTES)
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
        mail=Mailer(config.public_url),
        means=Means(pepper, secrets.token_bytes, mail_key),
        identities=config.identities or who(config.identity),
        signings=signings,
        clock=config.clock,
        ticks=time.monotonic,
    )


def who(config: IdentityConfig) -> Who:
    """What signs and verifies. Raises Unavailable where a file of it cannot be used."""
    try:
        return Who(config)
    except (ValueError, OSError) as error:
        raise Unavailable(f"Calls cannot be signed or verified: {error}") from error


def octets(path: Path, size: int) -> bytes:
    """A key that is in its file, where it is made once. Raises OSError, Unavailable."""
    return checked_hex(path, secret(path, lambda: secrets.token_hex(size)), size)


def service_token(config: CoreConfig) -> str:
    """The token of internal services: given, or made once; either way it is in its file."""
    path = config.data / "service.token"
    given = (config.service_token or "").strip()
    token = secret(path, lambda: given or secrets.token_urlsafe(TOKEN_BYTES))
    if given and given != token:
        write_secret(path, given)
        return given
    return token


__all__ = ["CoreConfig", "build", "service_token", "wire"]
