"""Certificate authorities of tests: roots, paths below them, CRLs and lists of trust, made here.

pa = Authority("Root")
signer = pa.leaf("1234")            # Issued: key, certificate, path without the root, pem
trust = Trust(pa.roots)
ca = pa.intermediate("Issuer")      # an Authority of its own
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from .extensions import Number, constraints_der, enhanced_der, ia5, tn_authority_der
from .lists import Entry, Extension, crl_of, der

__all__ = [
    "NOW",
    "POLICY",
    "SECONDS",
    "Authority",
    "Issued",
    "compact",
    "constraints_der",
    "der",
    "enhanced_der",
    "ia5",
    "new_key",
    "pem_of",
    "tn_authority_der",
]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = NOW.timestamp()
POLICY = ObjectIdentifier("2.16.840.1.114569.1.1.3")
TN_AUTH_LIST = ObjectIdentifier("1.3.6.1.5.5.7.1.26")
CLAIM_CONSTRAINTS = ObjectIdentifier("1.3.6.1.5.5.7.1.27")
ENHANCED_CONSTRAINTS = ObjectIdentifier("1.3.6.1.5.5.7.1.33")
DAY = timedelta(days=1)
USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def new_key(kind: str = "P-256") -> Any:
    """A private key: "P-256", "P-384" or "RSA"."""
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    curve = ec.SECP384R1() if kind == "P-384" else ec.SECP256R1()
    return ec.generate_private_key(curve)


def pem_of(*certificates: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def name_of(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def compact(head: Mapping[str, Any], body: Mapping[str, Any], key: Any) -> bytes:
    """A JWT in compact form, signed with ES256."""
    texts = (json.dumps(part).encode() for part in (head, body))
    parts = [base64.urlsafe_b64encode(text).rstrip(b"=") for text in texts]
    signed = b".".join(parts)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
    value = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return signed + b"." + value.rstrip(b"=")


@dataclass(frozen=True)
class Issued:
    """A certificate with its key; `path` goes leaf first and leaves the root out."""

    key: Any
    path: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        return self.path[0]

    @property
    def pem(self) -> bytes:
        return pem_of(*self.path)

    @property
    def key_pem(self) -> bytes:
        octets: bytes = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return octets


class Authority:
    """A CA: a root, or below the one it was made by. Days count from NOW."""

    def __init__(
        self, name: str = "Root", *, above: "Authority | None" = None, key: Any = None, **more: Any
    ) -> None:
        self.key = key or new_key()
        self.above = above
        self.name = name_of(name)
        issuer = above or self
        more = {"begins": -400.0, "days": 3650.0, "ca": True} | more
        self.certificate = issuer.signed(self.key.public_key(), self.name, **more)

    @property
    def path(self) -> tuple[x509.Certificate, ...]:
        """This CA's certificates up to the root, which is left out."""
        return () if self.above is None else (self.certificate, *self.above.path)

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate,) if self.above is None else self.above.roots

    @property
    def pem(self) -> bytes:
        return pem_of(self.certificate)

    def intermediate(self, name: str = "Issuing CA", **more: Any) -> "Authority":
        """A CA below this one; `more` as of `signed`."""
        return Authority(name, above=self, **more)

    def leaf(
        self,
        spc: str | Sequence[str] = "1234",
        *,
        numbers: Sequence[Number] = (),
        key: Any = None,
        name: str = "",
        **more: Any,
    ) -> Issued:
        """An STI certificate for provider codes, and numbers; `more` as of `signed`."""
        codes = (spc,) if isinstance(spc, str) and spc else tuple(spc)
        key = key or new_key()
        if "tn_authority" not in more and (codes or numbers):
            more["tn_authority"] = tn_authority_der(codes, numbers)
        subject = name_of(name or f"SHAKEN {' '.join(codes)}".strip())
        return Issued(key, (self.signed(key.public_key(), subject, **more), *self.path))

    def delegate(self, *numbers: Number, **more: Any) -> Issued:
        """A certificate of numbers alone (RFC 9060)."""
        return self.leaf((), numbers=numbers, **more)

    def signed(
        self,
        public_key: Any,
        subject: x509.Name,
        *,
        days: float = 365.0,
        begins: float = -30.0,
        ca: bool = False,
        basic: bool = True,
        usage: bool | Sequence[str] = True,
        path_length: int | None = None,
        serial: int | None = None,
        tn_authority: bytes | None = None,
        constraints: bytes | None = None,
        enhanced: bytes | None = None,
        policy: bool = True,
        identifiers: bool = True,
        authority_identifier: bytes | None = None,
        critical: ObjectIdentifier | None = None,
        beside: Sequence[Extension] = (),
        digest: SHA256 | SHA384 | None = None,
    ) -> x509.Certificate:
        """A certificate by this CA; the DER of extensions goes in as it is."""
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(NOW + begins * DAY)
            .not_valid_after(NOW + days * DAY)
        )
        for value, is_critical in self._standard(public_key, ca, basic, usage, path_length):
            builder = builder.add_extension(value, is_critical)
        if identifiers:
            subject_id = x509.SubjectKeyIdentifier.from_public_key(public_key)
            octets = authority_identifier or self.identifier
            builder = builder.add_extension(subject_id, False)
            builder = builder.add_extension(x509.AuthorityKeyIdentifier(octets, None, None), False)
        if policy:
            known = x509.CertificatePolicies([x509.PolicyInformation(POLICY, None)])
            builder = builder.add_extension(known, critical=not ca)
        own = {TN_AUTH_LIST: tn_authority, CLAIM_CONSTRAINTS: constraints}
        for oid, der_octets in (own | {ENHANCED_CONSTRAINTS: enhanced}).items():
            if der_octets is not None:
                builder = builder.add_extension(x509.UnrecognizedExtension(oid, der_octets), False)
        if critical is not None:
            builder = builder.add_extension(x509.UnrecognizedExtension(critical, b"\5\0"), True)
        for value, is_critical in beside:
            builder = builder.add_extension(value, is_critical)
        return builder.sign(self.key, digest or SHA256())

    @property
    def identifier(self) -> bytes:
        return x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest

    @staticmethod
    def _standard(
        public_key: Any, ca: bool, basic: bool, usage: bool | Sequence[str], path_length: int | None
    ) -> Iterable[tuple[x509.ExtensionType, bool]]:
        if basic:
            yield x509.BasicConstraints(ca, path_length), True
        if usage is True:
            usage = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
        if usage:
            yield x509.KeyUsage(**{each: each in usage for each in USES}), True

    def crl(
        self,
        revoked: Iterable[x509.Certificate] = (),
        *,
        updated: float = -1.0,
        ends: float = 7.0,
        named: bool = True,
        **more: Any,
    ) -> bytes:
        """An indirect CRL in DER, by this CA: certificates of whatever issuer.

        `named`: CertificateIssuer where an entry's issuer is another than that before it; `more`
        as of `crl_of`.
        """
        entries: list[Entry] = []
        last = self.name
        for certificate in revoked:
            other = named and certificate.issuer != last
            last = certificate.issuer if other else last
            value = x509.CertificateIssuer([x509.DirectoryName(last)])
            entries.append((certificate.serial_number, [(value, True)] if other else []))
        return self.crl_entries(*entries, updated=updated, ends=ends, **more)

    def crl_entries(
        self, *entries: Entry, updated: float = -1.0, ends: float = 7.0, **more: Any
    ) -> bytes:
        """As `crl`, of entries as they are given."""
        times = {"updated": NOW + updated * DAY, "ends": NOW + ends * DAY}
        return crl_of(self.name, self.key, entries, **times, **more)

    def trust_list(
        self,
        roots: Iterable[x509.Certificate],
        *,
        sequence: int = 1,
        expires: float = SECONDS + 86400,
        signer: Issued | None = None,
        head: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> bytes:
        """A JWT of roots, signed by this CA, or by `signer` whose path is then its x5c."""
        top: dict[str, Any] = {"alg": "ES256", "typ": "JWT"}
        if signer is not None:
            octets = (each.public_bytes(Encoding.DER) for each in signer.path)
            top["x5c"] = [base64.b64encode(each).decode() for each in octets]
        listed = [pem_of(root).decode() for root in roots]
        claims = {"version": 1, "sequence": sequence, "exp": int(expires), "trustList": listed}
        key = self.key if signer is None else signer.key
        return compact(top | dict(head or {}), claims | dict(body or {}), key)
