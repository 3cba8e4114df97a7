def raw_signature(der: bytes) -> bytes:
    """r and s of a signature in DER, 32 octets each. ValueError where it is none of ES256."""

def der_signature(raw: bytes) -> bytes:
    """The DER of r and s, 32 octets each, whatever they are. ValueError unless there are 64."""
