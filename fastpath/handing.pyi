from collections.abc import Sequence

from .counts_types import Counted
from .handing_types import Handed

__all__ = ["Replies", "key_of", "read_handed"]

def key_of(host: str, port: int, request: bytes, secret: bytes = ...) -> bytes:
    """What a call and its repetitions have in common: SipHash-2-4 of 128 bits over host, NUL, port
    as two octets, request; by a secret of 16 octets, this process's own if none is given."""

def read_handed(entries: bytes) -> list[Handed]:
    """Calls out of entries of a worker's ring. Raises ValueError where one is none."""

class Replies:
    """Sends the answers of calls that were handed over, many at a time. Not for two threads."""

    def __init__(self) -> None: ...
    def send(
        self,
        file: int,
        v6: bool,
        segmenting: bool,
        answers: Sequence[tuple[bytes, str, int, bytes]],
    ) -> None:
        """Sends answers by a socket, which has IPv6 or not: octets, host, port, and packet
        information of what each answers. What cannot be sent at once is counted and given up."""

    def counts(self) -> Counted: ...
