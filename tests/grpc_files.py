"""An authority, and the files of gRPC's TLS that it signs."""

import os
from datetime import UTC, datetime
from pathlib import Path

import trustme

__all__ = ["Files"]


class Files:
    """Writes certificates for one authority into a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.ca = trustme.CA()
        self.authorities = folder / "ca.pem"
        self.authorities.write_bytes(self.ca.cert_pem.bytes())

    def write(self, name: str, *identities: str, until: datetime | None = None) -> tuple[str, str]:
        """Paths of a certificate and its key; those of this name are replaced, the key first."""
        issued = self.ca.issue_cert(*identities, not_after=until)
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
        for path, octets in ((key, issued.private_key_pem.bytes()), (certificate, chain)):
            aside = path.with_suffix(".new")
            aside.touch(0o600)
            aside.write_bytes(octets)
            os.replace(aside, path)
        return str(certificate), str(key)

    def expired(self, name: str, *identities: str) -> tuple[str, str]:
        return self.write(name, *identities, until=datetime(2020, 1, 1, tzinfo=UTC))
