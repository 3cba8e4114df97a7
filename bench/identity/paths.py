"""A signing certificate of the comparison, made by a CA of its own."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

__all__ = ["certificate", "path_and_root"]

TN_AUTH_LIST = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
SPC_1234 = bytes.fromhex("3008a0061604") + b"1234"  # SEQUENCE OF [0] IA5String
DAYS = timedelta(days=60)


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM of a certificate for this key and the provider code 1234, which holds for a while."""
    authority, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    own = x509.UnrecognizedExtension(TN_AUTH_LIST, SPC_1234)
    usage = x509.KeyUsage(True, *[False] * 8)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 1234")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAYS)
        .not_valid_after(now + DAYS)
        .add_extension(own, critical=False)
        .add_extension(usage, critical=True)
        .sign(authority, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def path_and_root(key: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """PEM of a path for this key, whole but for its root; and of that root."""
    authority, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bench"),
            x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN Root"),
        ]
    )
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bench Carrier"),
            x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 1234"),
        ]
    )
    known = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())

    def builder(whose: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(whose)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAYS)
            .not_valid_after(now + DAYS)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )

    signs = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root = (
        builder(name, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(signs, critical=True)
        .sign(authority, SHA256())
    )
    leaf = (
        builder(subject, key.public_key())
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known), critical=False
        )
        .add_extension(x509.UnrecognizedExtension(TN_AUTH_LIST, SPC_1234), critical=False)
        .add_extension(x509.KeyUsage(True, *[False] * 8), critical=True)
        .sign(authority, SHA256())
    )
    return leaf.public_bytes(Encoding.PEM), root.public_bytes(Encoding.PEM)
