"""The core's TLS for gRPC: certificate, key and clients' authorities, read anew where they changed.

Invariants
1. Files that changed are taken together or not at all, for the connections to come; while they do
   not fit, the last good ones hold, and the log says so once.
2. The end of the certificate in use is told 30, 7 and 1 days before, and once it came.
3. Where clients' authorities are given, who shows no certificate of theirs is not answered.
"""

import asyncio
import logging
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
from cryptography import x509

from .ending import CertificateEnd
from .grpc_tls import ServerTls
from .metrics import Add, Family
from .transport import check_clear, read_key

__all__ = ["FAMILIES", "LOOK_SECONDS", "TlsFiles", "serving_files"]

log = logging.getLogger("callscreen.tls")

LOOK_SECONDS = 60.0  # between two looks at the files, where nobody connects
FAMILIES = (
    Family(
        "callscreen_core_certificate_expiry_seconds",
        "gauge",
        "Until the certificate ends that gRPC is served with.",
    ),
    Family(
        "callscreen_core_certificate_failures_total",
        "counter",
        "Changed files of gRPC's TLS that were not taken.",
    ),
)
Stamps = tuple[tuple[int, int, int], ...]


def serving_files(address: str, tls: ServerTls) -> "TlsFiles | None":
    """What gRPC at HOST:PORT is served with; None: in the clear.

    Raises ValueError for what does not go together or must not go in the clear, OSError for a file
    that cannot be read.
    """
    if bool(tls.certificate) != bool(tls.key):
        raise ValueError("a certificate of gRPC goes with its key")
    if tls.certificate:
        return TlsFiles(tls)
    if tls.client_authorities:
        raise ValueError("clients' certificates need TLS: a certificate of gRPC is missing")
    check_clear(address, tls.in_clear)
    return None


class TlsFiles:
    """Gives the credentials of a server. gRPC asks from a thread of its own at each handshake."""

    def __init__(self, tls: ServerTls, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time. Raises OSError, ValueError."""
        self._tls = tls
        self._clock = clock
        self._lock = threading.Lock()
        names = filter(None, (tls.certificate, tls.key, tls.client_authorities))
        self._paths = [*map(Path, names)]
        self._refused: Stamps | None = None
        self._end = CertificateEnd(Path(tls.certificate), log, clock)
        self.failures = 0  # of reloads
        self._stamps = self._stat()
        self._made = self._make()
        self.credentials = grpc.dynamic_ssl_server_credentials(
            self._made, self.fetch, require_client_authentication=bool(tls.client_authorities)
        )

    def fetch(self) -> grpc.ServerCertificateConfiguration:
        """What the next handshake is done with. Raises nothing."""
        with self._lock:
            stamps: Stamps = ()
            try:
                stamps = self._stat()
                if stamps == self._stamps:
                    self._refused = None  # those in use are back
                elif stamps != self._refused:
                    self._made = self._make()
                    self._stamps, self._refused = stamps, None
                    log.info("the certificate of %s is in use", self._tls.certificate)
            except (OSError, ValueError) as error:
                self._failed(error, stamps)
            return self._made

    async def look(self) -> None:
        """Takes files that changed, and tells of an end that comes close."""
        await asyncio.to_thread(self.fetch)
        self._end.tell()

    def show(self, add: Add) -> None:
        """Of FAMILIES."""
        if self._end.until is not None:
            add("callscreen_core_certificate_expiry_seconds", self._end.until - self._clock())
        add("callscreen_core_certificate_failures_total", self.failures)

    def _failed(self, error: Exception, stamps: Stamps) -> None:
        if self._refused != stamps:
            self.failures += 1
            log.error("%s: not taken, the last good one stays: %s", self._tls.certificate, error)
        self._refused = stamps

    def _stat(self) -> Stamps:
        """What tells that a file is another: when it was written, its inode and size."""
        stats = [path.stat() for path in self._paths]
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)

    def _make(self) -> grpc.ServerCertificateConfiguration:
        """Raises OSError, ValueError. gRPC would say nothing of files that do not fit."""
        tls = self._tls
        key, chain = read_key(Path(tls.key)), Path(tls.certificate).read_bytes()
        check_pair(Path(tls.certificate), Path(tls.key))
        authorities = None
        if tls.client_authorities:
            authorities = Path(tls.client_authorities).read_bytes()
            x509.load_pem_x509_certificates(authorities)
        self._end.set(x509.load_pem_x509_certificate(chain).not_valid_after_utc.timestamp())
        return grpc.ssl_server_certificate_configuration([(key, chain)], authorities)


def check_pair(certificate: Path, key: Path) -> None:
    """Raises ValueError unless both are there and fit."""

    def none() -> str:
        raise ValueError(f"the key of {key} has a pass phrase")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, none)
    except ssl.SSLError as error:
        raise ValueError(f"{certificate} and {key}: {error.reason or error}") from error
