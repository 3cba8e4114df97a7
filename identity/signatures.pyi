from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

def raw_signature(der: bytes) -> bytes:
    """r and s of a signature in DER, 32 octets each. ValueError where it is none of ES256."""

def der_signature(raw: bytes) -> bytes:
    """The DER of r and s, 32 octets each, whatever they are. ValueError unless there are 64."""

def verified_digest(key: EllipticCurvePublicKey, signed: bytes, signature: bytes) -> bytes:
    """The SHA-256 of what was signed. Raises Fault unless the key has signed it with these r and s;
    ValueError unless they have 64 octets."""

class SoftwareKey:
    """A private key in memory."""

    def __init__(self, key: EllipticCurvePrivateKey) -> None:
        """ValueError unless it is one of P-256."""

    def sign(self, octets: bytes) -> bytes:
        """r and s, 32 octets each, over the SHA-256 of the octets (RFC 7518 section 3.4)."""
