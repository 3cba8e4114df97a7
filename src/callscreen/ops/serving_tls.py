"""The core's TLS for gRPC: certificate, key and clients' authorities, read anew where they changed.

Invariants
1. Files that changed are taken for the connections to come (see `renewed`); those that stand are
   left alone.
2. The end of the certificate in use is told 30, 7 and 1 days before, and once it came.
3. Where clients' authorities are given, who shows no certificate of theirs is not answered.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import grpc

from .ending import CertificateEnd
from .grpc_tls import ServerTls
from .metrics import Add, Family
from .pem import read_authorities, read_pair
from .renewed import Renewed
from .transport import check_clear, is_loopback

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
    if not is_loopback(address):
        log.warning("gRPC at %s goes in the clear: who listens there has tokens and calls", address)
    return None


class TlsFiles:
    """Gives the credentials of a server. gRPC asks from a thread of its own at each handshake."""

    def __init__(self, tls: ServerTls, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time. Raises OSError, ValueError."""
        self._tls = tls
        self._clock = clock
        self._end = CertificateEnd(Path(tls.certificate), log, clock)
        names = filter(None, (tls.certificate, tls.key, tls.client_authorities))
        self._files = Renewed([*map(Path, names)], self._make, log)
        self.fetch = self._files.look  # what the next handshake is done with
        self.credentials = grpc.dynamic_ssl_server_credentials(
            self.fetch(), self.fetch, require_client_authentication=bool(tls.client_authorities)
        )

    @property
    def failures(self) -> int:
        """Of reloads."""
        return self._files.failures

    async def look(self) -> None:
        """Takes files that changed, and tells of an end that comes close."""
        await asyncio.to_thread(self.fetch)
        self._end.tell()

    def show(self, add: Add) -> None:
        """Of FAMILIES."""
        if self._end.until is not None:
            add("callscreen_core_certificate_expiry_seconds", self._end.until - self._clock())
        add("callscreen_core_certificate_failures_total", self.failures)

    def _make(self) -> grpc.ServerCertificateConfiguration:
        """Raises OSError, ValueError. gRPC would say nothing of files that do not fit."""
        tls = self._tls
        pair = read_pair(Path(tls.certificate), Path(tls.key))
        authorities = None
        if tls.client_authorities:
            authorities = read_authorities(Path(tls.client_authorities))
        self._end.set(pair.until)
        return grpc.ssl_server_certificate_configuration([(pair.key, pair.chain)], authorities)
