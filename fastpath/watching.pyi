from collections.abc import Sequence

from .index import Index

__all__ = ["Watch"]

WatchedCall = tuple[int, str, str, bool, str]  # product, called, calling, anonymous, source address

class Watch:
    """Decides on pairs of calls, over and over, as a thread without lock and GIL does."""

    rounds: int
    differing: int  # pairs of which the two ended differently
    repeated: int  # decisions made again, for a transaction came between
    sums: int

    def __init__(self, index: Index, pairs: Sequence[tuple[WatchedCall, WatchedCall]]) -> None: ...
    def run(self) -> None:
        """Until `stop` is called in another thread."""

    def stop(self) -> None: ...
    def enter(self) -> None:
        """Begins to read, and goes on until `leave`: nothing given up meanwhile is freed."""

    def leave(self) -> None: ...
    def treatments(self) -> list[int]:
        """Places in model.TREATMENTS of the treatments that were given."""
