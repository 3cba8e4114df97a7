"""Certificates that may sign calls, made here, and the folder that they are kept in."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID, ObjectIdentifier

URL = "https://certificates.example.org/shaken.pem"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = NOW.timestamp()
TN_AUTH_LIST = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
JWT_CONSTRAINTS = ObjectIdentifier("1.3.6.1.5.5.7.1.27")
SPC_1234 = bytes.fromhex("3008a0061604") + b"1234"  # SEQUENCE OF [0] IA5String
ROOT_KEY = ec.derive_private_key(0xABCDEF, ec.SECP256R1())


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(key: Any, subject: str, days: float, ca: bool, more: Any, begins: float) -> Any:
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named("Root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ROOT_KEY.public_key()), False
        )
        .add_extension(
            x509.KeyUsage(not ca, False, False, False, False, ca, False, False, False), True
        )
    )
    for oid, value in more.items():
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(ROOT_KEY, SHA256())


def root() -> Any:
    return made(ROOT_KEY, "Root", 3650, True, {}, -30)


def leaf(
    key: Any, *, days: float = 365, spc: bytes = SPC_1234, constraints: bytes = b"", begins: float
) -> Any:
    more = {TN_AUTH_LIST: spc} if spc else {}
    if constraints:
        more[JWT_CONSTRAINTS] = constraints
    return made(key, "SHAKEN 1234", days, False, more, begins)


def pem(*certificates: Any) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def private(key: Any) -> bytes:
    octets: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return octets


def put(folder: Path, name: str, key: Any = None, *, begins: float = -30, **more: Any) -> Any:
    """Writes the three files of a name; its key."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    (folder / f"{name}.pem").write_bytes(pem(leaf(key, begins=begins, **more), root()))
    (folder / f"{name}.url").write_text(URL + "\n")
    put_key(folder, name, key)
    return key


def put_key(folder: Path, name: str, key: Any, mode: int = 0o600) -> None:
    path = folder / f"{name}.key"
    path.write_bytes(private(key))
    path.chmod(mode)
