"""A platform that signs: certificates in force now, and administrators of providers."""

from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from ..identity import signing_certificates as made
from .conftest import Platform

ORIGID = "123e4567-e89b-12d3-a456-426655440000"
OWN_PASSWORD = "long enough 7!"


def stir_options(folder: Path, name: str) -> tuple[str, ...]:
    """Makes a certificate of that name, its key and their root; the options that name them."""
    (folder / "keys").mkdir()
    with mock.patch.object(made, "NOW", datetime.now(UTC)):
        made.put(folder / "keys", name)
        (folder / "root.pem").write_bytes(made.pem(made.root()))
    return "--stir-keys", str(folder / "keys"), "--stir-roots", str(folder / "root.pem")


def provision(platform: Platform, name: str, cert_name: str = "") -> None:
    """A provider and its administrator of one name, and what it signs with, if anything."""
    platform.ok("PUT", f"service_provider/{name}", {})
    platform.ok("PUT", f"administrator/service_provider:{name}/{name}", {})
    if cert_name:
        source = {"orig_id": ORIGID, "attest": "B", "cert_name": cert_name}
        platform.ok("PUT", f"origination_source/{name}/main", source)


def token(platform: Platform, name: str) -> str:
    """A token of the administrator of a provider."""
    role = f"service_provider:{name}"
    reset = platform.ok("POST", f"administrator/{role}/{name}/reset")[0]["token"]
    platform.ok("POST", "password", {"token": reset, "password": OWN_PASSWORD})
    login = {"username": name, "password": OWN_PASSWORD}
    found: str = platform.ok("POST", "authenticate", login)[0]["token"]
    return found
