class Replays:
    """At most `limit` tokens."""

    def __init__(self, limit: int) -> None: ...
    def __len__(self) -> int: ...
    def again(
        self,
        digest: bytes,
        signature: bytes,
        call: bytes,
        now: float,
        seconds: float,
        tenant: bytes = b"",
    ) -> bool:
        """Whether a token came with another call of this tenant before; it is remembered with this
        one if not.

        `digest` is the SHA-256 of what was signed, `signature` r and s. `call` names the call: its
        Call-ID and From tag. A fork and a retransmission have the same. `seconds` is how long it
        must be known: as long as it may be taken for fresh.
        """
