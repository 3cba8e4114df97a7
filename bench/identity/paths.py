"""Certificates of the comparisons, made by CAs of their own."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

__all__ = ["Root", "certificate", "path_and_root"]

TN_AUTH_LIST = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
SPC_1234 = bytes.fromhex("3008a0061604") + b"1234"  # SEQUENCE OF [0] IA5String
DAYS = timedelta(days=60)
USAGE = x509.KeyUsage(True, *[False] * 8)  # digitalSignature
SIGNS = x509.KeyUsage(*[False] * 5, True, True, False, False)  # certificates and CRLs


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """PEM of a certificate for this key and the provider code 1234, which holds for a while."""
    authority, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    own = x509.UnrecognizedExtension(TN_AUTH_LIST, SPC_1234)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 1234")]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bench CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAYS)
        .not_valid_after(now + DAYS)
        .add_extension(own, critical=False)
        .add_extension(USAGE, critical=True)
        .sign(authority, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


class Root:
    """A CA that signs certificates for the provider code 1234, and lists of revoked ones."""

    def __init__(self, name: str = "SHAKEN Root") -> None:
        self.key, self.name = ec.generate_private_key(ec.SECP256R1()), _name("Bench", name)
        self.certificate = (
            self._builder(self.name, self.key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(SIGNS, critical=True)
            .sign(self.key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def leaf(self, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        """A certificate for this key, which holds for a while."""
        known = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(known)
        return (
            self._builder(_name("Bench Carrier", "SHAKEN 1234"), key.public_key())
            .add_extension(by, critical=False)
            .add_extension(x509.UnrecognizedExtension(TN_AUTH_LIST, SPC_1234), critical=False)
            .add_extension(USAGE, critical=True)
            .sign(self.key, SHA256())
        )

    def host(self, key: ec.EllipticCurvePrivateKey, address: str) -> x509.Certificate:
        """A certificate of TLS for the host at an address."""
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        return (
            self._builder(_name("Bench", address), key.public_key())
            .add_extension(names, critical=False)
            .sign(self.key, SHA256())
        )

    def crl(self, number: int, revoked: Sequence[x509.Certificate]) -> bytes:
        """The list of that number, for certificates of any CA, in DER."""
        now = datetime.now(UTC)
        scope = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.name)
            .last_update(now - timedelta(minutes=5))
            .next_update(now + DAYS)
            .add_extension(scope, critical=True)
            .add_extension(x509.CRLNumber(number), critical=False)
        )
        for each in revoked:
            issuer = x509.CertificateIssuer([x509.DirectoryName(each.issuer)])
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(each.serial_number)
                .revocation_date(now - timedelta(minutes=5))
                .add_extension(issuer, critical=True)
            )
            made = made.add_revoked_certificate(entry.build())
        return made.sign(self.key, SHA256()).public_bytes(Encoding.DER)

    def _builder(
        self, whose: x509.Name, public: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(whose)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAYS)
            .not_valid_after(now + DAYS)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        )


def path_and_root(key: ec.EllipticCurvePrivateKey) -> tuple[bytes, bytes]:
    """PEM of a path for this key, whole but for its root; and of that root."""
    root = Root()
    return root.leaf(key).public_bytes(Encoding.PEM), root.pem


def _name(organization: str, common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )
