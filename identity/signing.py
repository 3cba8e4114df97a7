"""Signs calls: the value of an Identity header field for one token (RFC 8224 section 6.1).

Invariants
1. A token is always in full form, its octets canonical (RFC 8225 section 9); what is the same for
   every call of a certificate is written once.
2. Nothing is signed that a verifier must refuse: the claims have the shape of their `ppt`, and the
   certificate is in date and allows each of them.
"""

from binascii import b2a_base64
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from .canonical import canonical_json, written
from .composing import APART_MOST, NoSignature, composed, fresh_uuid
from .header import is_certificate_url
from .model import Chain, Fault, Signed, SignRequest
from .signatures import raw_signature
from .tokens import identity_value, shaken_octets

__all__ = ["PPTS", "Authority", "Key", "NoSignature", "Signer", "SoftwareKey"]

PPTS = ("shaken", "div", "rph", "rcd")  # what is signed; div always in full form
# (certificate, claims, ppt): raises Fault where the certificate does not allow the claims.
Authority = Callable[[Chain, dict[str, Any], str], None]
URL_SAFE = bytes.maketrans(b"+/", b"-_")
# A digest that is there already costs less than one that `cryptography` has to make.
PREHASHED = ECDSA(Prehashed(SHA256()))


class Key(Protocol):
    """A private key of P-256, wherever it is kept."""

    def sign(self, octets: bytes) -> bytes:
        """r and s, 32 octets each, over the SHA-256 of the octets (RFC 7518 section 3.4)."""


class SoftwareKey:
    """A private key in memory."""

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        """ValueError unless it is one of P-256."""
        if not isinstance(key.curve, SECP256R1):
            raise ValueError(f"a key of {key.curve.name}, not of P-256")
        self._sign = key.sign

    def sign(self, octets: bytes) -> bytes:
        return raw_signature(self._sign(sha256(octets).digest(), PREHASHED))


class Signer:
    """Signs with one certificate. Threads may share it where they may share its key."""

    def __init__(
        self, key: Key, certificate: Chain, x5u: str, *, authority: Authority | None = None
    ) -> None:
        """`authority` is asked only where a certificate says more than service provider codes.

        ValueError where the URL is none that verifiers take, or a certificate with limits has
        nobody to ask.
        """
        if not is_certificate_url(x5u):
            raise ValueError(f"no https URL of a certificate: {x5u[:100]}")
        limited = bool(certificate.constraints or certificate.numbers)
        if limited and authority is None:
            raise ValueError("a certificate with constraints, and nothing that reads them")
        self.certificate = certificate
        self.x5u = x5u
        self._authority = authority if limited else None
        self._until = certificate.until or float("inf")
        self._fingerprint = certificate.fingerprint
        self._key_sign = key.sign
        self._fixed = {ppt: fixed(ppt, x5u) for ppt in PPTS}
        self._shaken_head, self._shaken_tail = self._fixed["shaken"]

    def sign(self, request: SignRequest, now: float) -> Signed:
        """The Identity value of one token, as `composed` has it; `now` in seconds.

        Raises NoSignature, with the reason.
        """
        made = None  # most by far are plain: a shaken token to one number, and no more
        beside = request.div or request.rph or request.sph or request.rcd
        if not beside and len(request.dest) == 1:
            made = self._plain(
                request.attest, request.orig, request.dest[0], request.origid, request.iat, now
            )
        value, origid, iat = made or self._general(request, now)
        return Signed(value.decode("ascii"), origid, iat, self._fingerprint)

    def sign_plain(
        self, attest: str, orig: str, dest: str, origid: str, iat: int, now: float
    ) -> tuple[bytes, str, int]:
        """As `sign`, of a shaken token to one number: octets of the value, its origid and iat."""
        made = self._plain(attest, orig, dest, origid, iat, now)
        return made or self._general(SignRequest("", attest, orig, (dest,), origid, iat), now)

    def _plain(
        self, attest: str, orig: str, dest: str, origid: str, iat: int, now: float
    ) -> tuple[bytes, str, int] | None:
        """The same in one pass; None where there is more to look at than its form."""
        iat = iat or int(now)
        if (
            self._authority is not None
            or now >= self._until
            or not now - APART_MOST <= iat <= now + APART_MOST
        ):
            return None
        origid = origid or fresh_uuid()
        signed = shaken_octets(self._shaken_head, attest, dest, iat, orig, origid)
        if signed is None:
            return None
        return identity_value(signed, self._key_sign(signed), self._shaken_tail), origid, iat

    def _general(self, request: SignRequest, now: float) -> tuple[bytes, str, int]:
        if now >= self._until:
            raise NoSignature("the certificate has expired")
        ppt, claims, origid, iat = composed(request, now)
        if self._authority is not None:
            self._allowed(claims, ppt)
        head, tail = self._fixed[ppt]
        signed = head + base64url(written(claims))
        return identity_value(signed, self._key_sign(signed), tail), origid, iat

    def _allowed(self, claims: dict[str, Any], ppt: str) -> None:
        assert self._authority is not None
        try:
            self._authority(self.certificate, claims, ppt)
        except Fault as fault:
            raise NoSignature(f"the certificate does not allow it: {fault}") from fault


def fixed(ppt: str, x5u: str) -> tuple[bytes, bytes]:
    """What stands before the claims, and behind the signature, of every token of a kind."""
    protected = {"alg": "ES256", "ppt": ppt, "typ": "passport", "x5u": x5u}
    head = base64url(canonical_json(protected)) + b"."
    return head, f";info=<{x5u}>;alg=ES256;ppt={ppt}".encode("ascii")


def base64url(octets: bytes) -> bytes:
    """Without padding (RFC 7515 section 2)."""
    return b2a_base64(octets, newline=False).translate(URL_SAFE).rstrip(b"=")
