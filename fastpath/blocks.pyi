__all__ = ["checksum"]

def checksum(payload: bytes, kind: int, place: int) -> int:
    """Of a block's payload, whole words of 8 octets, and of its kind and place."""
