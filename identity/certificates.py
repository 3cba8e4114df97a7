"""What STIR says of a certificate: whose numbers it may sign for, and which claims.

Invariants
1. Extensions are read strictly: what is no DER, empty, of unknown form or with anything behind it
   is a Fault, never taken for less.
2. Nothing is read beyond PATH_OCTETS and PATH_MOST certificates.
"""

from typing import Annotated, Any, Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.asn1 import (
    Explicit,
    IA5String,
    Size,
    Variant,
    decode_der,
    sequence,
)
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from .model import FAILED, Constraints, Fault
from .ranges import Range, ordered

__all__ = [
    "PATH_MOST",
    "PATH_OCTETS",
    "TN_AUTH_LIST",
    "Authority",
    "authority_of",
    "certificate_fault",
    "constraints_of",
    "fingerprint",
    "p256_key",
    "read_authority",
    "read_path",
    "readable",
]

PATH_OCTETS = 64 * 1024  # of an answer that holds a path
PATH_MOST = 10  # certificates of a path
ENTRIES_MOST = 10_000  # of a list inside an extension
TEXT_MOST = 255  # octets of a provider code
TN_AUTH_LIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")
CLAIM_CONSTRAINTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.27")
ENHANCED_CONSTRAINTS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.33")
NEVER_EXCLUDED = frozenset({"iat", "orig", "dest"})  # RFC 9118 section 4
NUMBER_CHARS = frozenset("0123456789#*")
NUMBER_CHARS_MOST = 15
RANGE_MOST = 10**NUMBER_CHARS_MOST  # numbers of a range
MANY = Size(1, ENTRIES_MOST)


@sequence
class _Range:
    start: Annotated[IA5String, Size(1, NUMBER_CHARS_MOST)]
    count: int


_Entry = (
    Annotated[Variant[IA5String, Literal["spc"]], Explicit(0)]
    | Annotated[Variant[_Range, Literal["range"]], Explicit(1)]
    | Annotated[Variant[IA5String, Literal["one"]], Explicit(2)]
)


@sequence
class _Entries:  # a SEQUENCE OF is read as the only field of another sequence
    entries: Annotated[list[_Entry], MANY]


@sequence
class _Values:
    claim: IA5String
    values: Annotated[list[str], MANY]


@sequence
class _Constraints:
    include: Annotated[list[IA5String] | None, Explicit(0)]
    permitted: Annotated[list[_Values] | None, Explicit(1)]


@sequence
class _Enhanced:
    include: Annotated[list[IA5String] | None, Explicit(0)]
    permitted: Annotated[list[_Values] | None, Explicit(1)]
    exclude: Annotated[list[IA5String] | None, Explicit(2)]


class Authority(NamedTuple):
    """A TNAuthList (RFC 8226 section 9): provider codes, and number ranges that are `ordered`."""

    spc: tuple[str, ...] = ()
    numbers: tuple[Range, ...] = ()


def certificate_fault(detail: str) -> Fault:
    """437: what is wrong with a certificate is wrong with all calls that it signs."""
    return Fault("certificate", 437, FAILED, detail)


class readable:  # noqa: N801 - it is used as a statement
    """Whatever `cryptography` raises within is a Fault.

    Its errors have no common class, and what it reads late it also refuses late: an extension,
    a name or a key of a certificate that was loaded.
    """

    __slots__ = ("_detail",)

    def __init__(self, detail: str) -> None:
        self._detail = detail

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Fault):
            raise certificate_fault(f"{self._detail}: {str(error)[:200]}") from error


def read_path(octets: bytes) -> list[x509.Certificate]:
    """Certificates of a PEM text, or the one of DER octets, leaf first. Raises Fault."""
    if len(octets) > PATH_OCTETS:
        raise certificate_fault(f"more than {PATH_OCTETS} octets")
    if octets.count(b"-----BEGIN") > PATH_MOST:
        raise certificate_fault(f"more than {PATH_MOST} certificates")
    with readable("no certificate"):
        if b"-----BEGIN" in octets:
            return x509.load_pem_x509_certificates(octets)
        return [x509.load_der_x509_certificate(octets)]


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the whole certificate, hexadecimal."""
    return certificate.fingerprint(SHA256()).hex()


def p256_key(certificate: x509.Certificate) -> EllipticCurvePublicKey:
    """The key that a token is verified with (RFC 8225 section 7: ES256). Raises Fault."""
    with readable("its key cannot be read"):
        key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise certificate_fault("its key is not on the curve P-256")
    return key


def authority_of(certificate: x509.Certificate) -> Authority | None:
    """The certificate's TNAuthList; None where it has none. Raises Fault."""
    octets = _extension(certificate, TN_AUTH_LIST)
    return None if octets is None else read_authority(octets)


def read_authority(octets: bytes) -> Authority:
    """A TNAuthorizationList in DER. Raises Fault."""
    found = _decoded(_Entries, _wrapped(octets), "TNAuthList")
    spc: list[str] = []
    numbers: list[Range] = []
    for entry in found.entries:
        if entry.tag == "spc":
            code = str(entry.value.as_str())
            if not 0 < len(code) <= TEXT_MOST or not code.isprintable():
                raise certificate_fault("TNAuthList: no provider code")
            spc.append(code)
        elif entry.tag == "one":
            number = _number(entry.value.as_str())
            numbers.append((number, number))
        else:
            numbers.append(_range(entry.value))
    return Authority(tuple(spc), ordered(numbers))


def constraints_of(certificate: x509.Certificate) -> Constraints | None:
    """The certificate's claim constraints (RFC 8226 section 8, RFC 9118 section 4); None without.

    Raises Fault: also for both extensions in one certificate.
    """
    plain = _extension(certificate, CLAIM_CONSTRAINTS)
    enhanced = _extension(certificate, ENHANCED_CONSTRAINTS)
    if plain is not None and enhanced is not None:
        raise certificate_fault("claim constraints of both kinds")
    if plain is not None:
        read: Any = _decoded(_Constraints, plain, "JWTClaimConstraints")
        exclude: tuple[str, ...] | None = None
    elif enhanced is not None:
        read = _decoded(_Enhanced, enhanced, "EnhancedJWTClaimConstraints")
        exclude = None if read.exclude is None else _texts(read.exclude)
    else:
        return None
    given = [each for each in (read.include, read.permitted, exclude) if each is not None]
    if not given or not all(given):
        raise certificate_fault("claim constraints that constrain nothing")
    if exclude and NEVER_EXCLUDED.intersection(exclude):
        return None  # the whole extension is ignored
    permitted = tuple(
        (str(each.claim.as_str()), tuple(each.values)) for each in read.permitted or ()
    )
    return Constraints(_texts(read.include), permitted, exclude or ())


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes | None:
    with readable("its extensions cannot be read"):
        extensions = certificate.extensions
    for extension in extensions:
        if extension.oid == oid:
            value = extension.value
            assert isinstance(value, x509.UnrecognizedExtension)
            return value.value
    return None


def _decoded(kind: type[Any], octets: bytes, name: str) -> Any:
    with readable(name):
        return decode_der(kind, octets)


def _wrapped(octets: bytes) -> bytes:
    """A sequence around octets."""
    size = len(octets)
    if size < 0x80:
        return bytes((0x30, size)) + octets
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x30, 0x80 | len(length))) + length + octets


def _texts(found: list[Any] | None) -> tuple[str, ...]:
    return tuple(str(each.as_str()) for each in found or ())


def _number(text: str) -> str:
    if not 0 < len(text) <= NUMBER_CHARS_MOST or not NUMBER_CHARS.issuperset(text):
        raise certificate_fault("TNAuthList: no telephone number")
    return text


def _range(found: Any) -> Range:
    """First and last number of a range, which must all have as many digits."""
    start = _number(found.start.as_str())
    if not 2 <= found.count <= RANGE_MOST or not start.isdecimal():
        raise certificate_fault("TNAuthList: no range of numbers")
    last = str(int(start) + found.count - 1).zfill(len(start))
    if len(last) > len(start):
        raise certificate_fault("TNAuthList: a range that grows by a digit")
    return start, last
