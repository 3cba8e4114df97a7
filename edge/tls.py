"""The TLS context of the moment: certificate, key and clients' authorities from files.

Invariants
1. A context that was given is used as it is: connections that stand are never touched.
2. Files that changed are taken for the handshakes to come (see `renewed`).
3. The end of the certificate in use is told 30, 7 and 1 days before, and once it came.
4. No key has a pass phrase: nobody is there who could be asked for it.
5. Where clients' authorities are given, a client without a certificate of theirs gets no answer.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography import x509

from ..ops.ending import CertificateEnd
from ..ops.renewed import Renewed

__all__ = ["LOOK_SECONDS", "TlsConfig", "TlsContext"]

log = logging.getLogger("callscreen.edge")

LOOK_SECONDS = 5.0  # between two looks at the files


@dataclass(frozen=True)
class TlsConfig:
    """Files in PEM: a certificate with its chain, its key, and who signs clients' certificates,
    None where clients need none."""

    certificate: Path
    key: Path
    client_authorities: Path | None = None


class TlsContext:
    """Gives the context for the next handshake."""

    def __init__(self, config: TlsConfig, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives Unix time. Raises OSError or ValueError where the files cannot be used."""
        self.config = config
        self.end = CertificateEnd(config.certificate, log, clock)
        names = (config.certificate, config.key, config.client_authorities)
        self._files = Renewed([name for name in names if name is not None], self._make, log)

    def __call__(self) -> ssl.SSLContext:
        return self._files.made

    @property
    def failures(self) -> int:
        """Of reloads."""
        return self._files.failures

    async def run(self) -> None:
        """Looks for changed files, and at the end of what is in use, until cancelled."""
        while True:
            self.end.tell()
            await asyncio.sleep(LOOK_SECONDS)
            await asyncio.to_thread(self.reload)

    def reload(self) -> bool:
        """Takes the files where they changed; whether they were taken."""
        before = self._files.made
        return self._files.look() is not before

    def _make(self) -> ssl.SSLContext:
        config = self.config
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(config.certificate, config.key, no_pass_phrase)
        if config.client_authorities is not None:
            context.load_verify_locations(config.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
        self.end.set(self._read_end())
        return context

    def _read_end(self) -> float | None:
        """When the first certificate of the file ends, which is the one that is shown."""
        name = self.config.certificate
        try:
            found = x509.load_pem_x509_certificate(name.read_bytes())
        except (OSError, ValueError) as error:  # OpenSSL takes it all the same
            log.warning("the end of the TLS certificate of %s is not known: %s", name, error)
            return None
        return found.not_valid_after_utc.timestamp()


def no_pass_phrase() -> NoReturn:
    """Without it OpenSSL would ask at the terminal, and all would wait."""
    raise ValueError("the key has a pass phrase")
