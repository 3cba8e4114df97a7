from .rows_types import Batch, Limits

def read(data: bytes, key: bytes, limits: Limits) -> Batch | int:
    """A batch, its rows in the order of the records; or the place of the first that is refused.

    Raises ValueError for octets that are no message.
    """

def digest(key: bytes, text: bytes) -> bytes:
    """The first octets of SipHash-2-4 with 128 bits: what a name or number is found by."""
