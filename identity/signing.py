"""Signs calls: the value of an Identity header field for one token (RFC 8224 section 6.1).

Invariants
1. A token is always in full form, its octets canonical (RFC 8225 section 9); what is the same for
   every call of a certificate is written once.
2. Nothing is signed that a verifier must refuse: the claims have the shape of their `ppt`, and the
   certificate is in date and allows each of them.
"""

from binascii import b2a_base64
from collections.abc import Callable
from typing import Any, Protocol

from .canonical import canonical_json, written
from .composing import NoSignature, composed
from .model import Chain, Fault, SignRequest
from .signatures import SoftwareKey
from .urls import is_certificate_url
from .writing import PlainSigner, identity_value

__all__ = ["PPTS", "Authority", "Key", "NoSignature", "Signer", "SoftwareKey"]

PPTS = ("shaken", "div", "rph", "rcd")  # what is signed; div always in full form
# (certificate, claims, ppt): raises Fault where the certificate does not allow the claims.
Authority = Callable[[Chain, dict[str, Any], str], None]
URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Key(Protocol):
    """A private key of P-256, wherever it is kept."""

    def sign(self, octets: bytes) -> bytes:
        """r and s, 32 octets each, over the SHA-256 of the octets (RFC 7518 section 3.4)."""


class Signer(PlainSigner):
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
        self._key_sign = key.sign
        self._fixed = {ppt: fixed(ppt, x5u) for ppt in PPTS}
        head, tail = self._fixed["shaken"]
        plain_until = float("-inf") if limited else self._until  # what has limits is never plain
        super().__init__(key.sign, head, tail, plain_until, certificate.fingerprint)

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
