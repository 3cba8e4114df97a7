"""What a command works with: made once by the server, handed to every command.

Invariants:
1. Time, randomness and the pepper come from the outer layer; no command reads a clock itself.
2. Every write of an object, a credential or a token passes `write`, and so the committer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from ...identity.model import Policy, Question, Signed, SignRequest, Verdict
from ...ops import tracing
from ..access import Principal
from ..audio import AudioFolder
from ..buckets import Buckets
from ..committer import Committer
from ..engine import Engine
from ..feed import Feed
from ..logins import Logins
from ..mail import Mailer, Outcome
from ..origin import current
from ..passwords import Passwords
from ..recorder import Recorder
from ..sessions import Sessions
from ..signings import Signings
from ..store.contract import Batch, Reader, Store
from ..store.records import RecordStore
from ..threads import Threads
from .draft import Draft
from .means import Means

if TYPE_CHECKING:
    from ..bulk.jobs import Jobs

T = TypeVar("T")


class Identities(Protocol):
    """What signs calls and verifies callers: identity.service.Identities."""

    def sign(self, request: SignRequest) -> Signed:
        """Signs. Raises NoSignature."""

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """What is found within the budget."""


@dataclass(frozen=True, slots=True)
class Core:
    """`clock` gives Unix seconds, `ticks` seconds that never go back."""

    data: Path  # the data folder
    backup: asyncio.Lock  # held while one is made
    store: Store
    committer: Committer
    feed: Feed
    engine: Engine
    records: RecordStore
    recorder: Recorder
    sessions: Sessions
    passwords: Passwords
    readers: Threads  # for lists
    jobs: "Jobs"
    logins: Logins
    resets: Buckets  # that no caller's token asks for, by user name
    resets_here: Buckets  # and by address
    redeems: Buckets  # by address
    mail: Mailer
    audio: AudioFolder
    means: Means
    identities: Identities
    signings: Signings
    clock: Callable[[], float]
    ticks: Callable[[], float]

    async def write(self, caller: Principal, work: Callable[[Draft], T], dear: bool = False) -> T:
        """Runs work on a draft in the next transaction; its result once that is durable.

        `caller` is who it is stamped and audited with; what it may do is for work to ask. The
        transaction may run more than once: work keeps nothing from run to run. `dear`: it takes
        long, and what waits already goes before it.
        """
        made: list[tuple[T, bool, list[str]]] = []
        origin = current()  # here, not on the committer's thread

        def member(reader: Reader) -> Batch | None:
            draft = Draft(reader, caller, self.clock(), origin)
            result = work(draft)
            made[:] = [(result, draft.voids_tokens, draft.unmailed)]
            return draft.batch()

        try:
            with tracing.span("commit"):
                await self.committer.submit(member, dear)
        finally:
            if made and made[0][1]:
                self.sessions.forget()
        result, _, unmailed = made[0]
        for about in unmailed:
            self.mail.tell(Outcome.NO_ROOM, about)
        return result


__all__ = ["Core", "Identities", "Means"]
