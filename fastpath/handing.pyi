from collections.abc import Sequence

from .counts_types import Counted

__all__ = ["Replies"]

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
