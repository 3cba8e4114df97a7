from .peers import PeerTable

__all__ = ["Forwarding", "NameTable", "OnwardTable"]

class OnwardTable:
    """Where calls went that were sent on within the last 300 seconds; shared by all workers."""

    def __init__(self, limit: int) -> None:
        """Room for `limit` or more, of 256 octets. ValueError: fewer than 1, or more than 2^24."""

    def __len__(self) -> int:
        """Calls there is room for."""

    def note(self, key: int, egress: str, uri: bytes, second: int) -> bool:
        """Remembers a call; whether it could be. ValueError: egress is no ADDRESS[:PORT]."""

    def find(self, key: int, second: int) -> tuple[str, int, bytes] | None:
        """The address and port a call went to, and its Request-URI."""

class NameTable:
    """What egress routes with names were resolved to; it never changes."""

    def __init__(self, names: dict[str, str]) -> None:
        """HOST[:PORT] to ADDRESS:PORT, or "" for none. ValueError: too many, or no address."""

class Forwarding:
    """Sends on what one worker has to, and tells its responses from those of strangers."""

    def __init__(self, via: str, secret: bytes, onwards: OnwardTable) -> None:
        """`via` is HOST:PORT of our Via. ValueError: it is not, or the secret is none."""

    def hop(
        self, egress: str, names: NameTable | None = None, peers: PeerTable | None = None
    ) -> tuple[str, int] | str:
        """Address and port of an egress route, or why a call is not sent there."""

    def forward(
        self,
        data: bytes,
        source: tuple[str, int],
        uri: bytes,
        more: bytes = b"",
        secret: bytes = b"secret",
        trusted: bool = False,
    ) -> bytes | str | None:
        """A request as it goes on, or why it does not; None: malformed. `secret`: of To tags."""

    def relay(self, data: bytes) -> tuple[bytes, tuple[str, int]] | str:
        """A response as it goes on, and where to, or why it does not."""

    @property
    def sent(self) -> int:
        """Requests sent on: calls, and what belongs to them."""
    @property
    def relayed(self) -> int:
        """Responses sent on."""
    @property
    def refused(self) -> dict[str, int]:
        """By REFUSALS, what was not sent on; what is 0 is left out."""
    @property
    def wanted(self) -> str:
        """The last egress route with a name that nothing was known of."""
