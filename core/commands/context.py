"""What a command works with: made once by the server, handed to every command.

Invariants:
1. Time, randomness and the pepper come from the outer layer; no command reads a clock itself.
2. Every write of an object, a credential or a token passes `write`, and so the committer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..buckets import Buckets
from ..committer import Committer, Grouper
from ..engine import Engine
from ..feed import Feed
from ..passwords import Passwords
from ..sessions import Sessions
from ..store.contract import Batch, Reader, Store
from ..store.records import Record, RecordStore
from ..threads import Threads
from .draft import Draft

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Means:
    """What preparing an object needs: the pepper of PINs, and random bytes."""

    pepper: bytes
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Core:
    """`clock` gives Unix seconds, `ticks` seconds that never go back."""

    store: Store
    committer: Committer
    feed: Feed
    engine: Engine
    records: RecordStore
    recorder: Grouper[Sequence[Record], int]
    sessions: Sessions
    passwords: Passwords
    readers: Threads  # for lists
    logins: Buckets
    means: Means
    clock: Callable[[], float]
    ticks: Callable[[], float]

    async def write(self, actor: str, work: Callable[[Draft], T]) -> T:
        """Runs work on a draft in the next transaction; its result once that is durable.

        The transaction may run more than once: work keeps nothing from run to run.
        """
        made: list[tuple[T, bool]] = []

        def member(reader: Reader) -> Batch | None:
            draft = Draft(reader, actor, self.clock())
            result = work(draft)
            made[:] = [(result, draft.voids_tokens)]
            return draft.batch()

        try:
            await self.committer.submit(member)
        finally:
            if made and made[0][1]:
                self.sessions.forget()
        return made[0][0]


__all__ = ["Core", "Means"]
