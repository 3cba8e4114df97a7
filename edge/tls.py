"""The TLS context of the moment: certificate, key and clients' authorities from files.

Invariants
1. A context that was given is used as it is: connections that stand are never touched.
2. Files that changed are taken together or not at all; while they do not fit, the last good ones
   hold, and the log says so once.
3. Where clients' authorities are given, a client without a certificate of theirs gets no answer.
"""

import asyncio
import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LOOK_SECONDS", "TlsConfig", "TlsContext"]

log = logging.getLogger("callscreen.edge")

LOOK_SECONDS = 5.0  # between two looks at the files
Stamps = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TlsConfig:
    """Files in PEM: a certificate with its chain, its key, and who signs clients' certificates,
    None where clients need none."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class TlsContext:
    """Gives the context for the next handshake."""

    def __init__(self, config: TlsConfig) -> None:
        """Raises OSError or ssl.SSLError where the files cannot be used."""
        self._config = config
        self._stamps = self._look()
        self._context = self._make()
        self._refused: Stamps | None = None
        self.failures = 0  # of reloads

    def __call__(self) -> ssl.SSLContext:
        return self._context

    async def run(self) -> None:
        """Looks for changed files until cancelled; returns only so."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.reload()

    def reload(self) -> bool:
        """Takes the files where they changed; whether they were taken."""
        try:
            stamps = self._look()
            if stamps in (self._stamps, self._refused):
                return False
        except OSError as error:
            self._failed(error, ())
            return False
        try:
            self._context = self._make()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            self._failed(error, stamps)
            return False
        self._stamps, self._refused = stamps, None
        log.info("the certificate of %s is in use", self._config.certificate)
        return True

    def _failed(self, error: Exception, stamps: Stamps) -> None:
        if self._refused != stamps:
            self.failures += 1
            log.error("new TLS files are not taken, the last ones hold: %s", error)
        self._refused = stamps

    def _look(self) -> Stamps:
        """What tells that a file is another: when it was written, and its inode."""
        config = self._config
        paths = (config.certificate, config.key, config.client_authorities)
        stats = [path.stat() for path in paths if path is not None]
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)

    def _make(self) -> ssl.SSLContext:
        config = self._config
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(config.certificate, config.key)
        if config.client_authorities is not None:
            context.load_verify_locations(config.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        return context
