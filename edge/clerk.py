"""One thread's work on calls that await caller identity: asked, signed or verified, answered.

Invariants
1. A call that was taken is answered once, whatever fails: then as one that could not be told.
2. Nothing here waits: where a certificate must be fetched first, the call is given back with what
   it waits for.
3. A call sent again meanwhile is no second piece of work, and one that comes later is told the same
   again: its Identity has the same time.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..fastpath.asking import Asked, Asker, Plain
from ..fastpath.counts_types import Counted
from ..fastpath.forwarding import Forwarding, NameTable
from ..fastpath.handing import Replies
from ..fastpath.index import Index
from ..fastpath.peers import PeerTable
from ..fastpath.respond_types import SIGN, VERIFY, Responded, Told
from ..identity.model import (
    REASONS,
    Check,
    Policy,
    Question,
    State,
    Verdict,
)
from ..identity.service import PlainSigned
from ..identity.signing import NoSignature
from ..ops.metrics import SLOW, Histogram
from .handed_over import Piece
from .questions import Caller, Unsigned, caller_asked, question_of, signed_by, to_sign
from .remembered import Remembered, key_of
from .replying import Answer, Replier
from .telling import Signature, tell, tell_signed

__all__ = ["Clerk", "Identity", "Wanted", "could_not_tell"]

log = logging.getLogger("callscreen.edge")

PCS = 1
Look = Callable[[], Index | None]
Keep = Callable[[Sequence[tuple[Piece, Responded]]], None]  # takes calls that were answered


class Identity(Protocol):
    """What signs and verifies: identity.service.Identities."""

    def sign_plain(
        self, cert_name: str, attest: str, orig: str, dest: str, origid: str, iat: int
    ) -> PlainSigned:
        """Signs. Raises NoSignature."""

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        """What is found without a wait; None: a certificate must be fetched first."""

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """What is found within the budget."""


class Wanted(NamedTuple):
    """What a call waits for, and for how many seconds from its receipt at most."""

    question: Question
    trust_name: str
    policy: Policy
    budget: float


class Clerk:
    """Works on some calls at a time. `wall` gives Unix time in nanoseconds."""

    def __init__(
        self,
        responder: Asker,
        identity: Identity,
        index: Look,
        remembered: Remembered[Told],
        keep: Keep,
        wall: Callable[[], int],
    ) -> None:
        self._responder = responder
        self._identity = identity
        self._index = index
        self._remembered = remembered
        self._keep = keep
        self._wall = wall
        self._replies = Replies()
        self._peers: Callable[[], PeerTable] | None = None
        self.seconds = Histogram(SLOW)  # from a call's receipt to its answer
        self.repeated = 0  # calls that came again while they were worked on
        self.unsent: Counter[str] = Counter()  # answers, by what was amiss

    def forward(self, forwarding: Forwarding, peers: Callable[[], PeerTable]) -> None:
        """Sends calls on from here, to those who are peers at the moment."""
        self._responder.forwarding = forwarding
        self._peers = peers

    def resolve(self, names: NameTable) -> None:
        """Sends calls on to where these names lead, from the next one on."""
        self._responder.names = names

    def work(self, pieces: Sequence[Piece]) -> list[tuple[Piece, Wanted]]:
        """Answers calls. Gives those back that must wait, and for what: they are worked on again,
        with their verdicts."""
        self._responder.index = self._index()
        if self._peers is not None:
            self._responder.peers = self._peers()
        try:
            return self._work(pieces)
        finally:
            self._responder.index = None  # one that is replaced is let go

    def _work(self, pieces: Sequence[Piece]) -> list[tuple[Piece, Wanted]]:
        """Takes a step for all, and then the next: what it needs is near, and not fetched again
        for each."""
        begun = [each for each in pieces if self._begins(each)]
        asked = [each.told or self._asked(each) for each in begun]
        told = [self._told(*each) for each in zip(begun, asked, strict=True)]
        waits, ended, done = [], [], []
        for piece, found in zip(begun, told, strict=True):
            if isinstance(found, Wanted):
                waits.append((piece, found))
                continue
            if piece.key and found is not piece.told:
                ended.append((piece.key, found if isinstance(found, Told) else None))
            answered = self._answered(piece, found) if isinstance(found, Told) else found
            if answered is not None:
                done.append((piece, answered))
        self._remembered.end(ended)  # before: who answers by sending it again is answered again
        self._deliver(done)
        return waits

    def _begins(self, piece: Piece) -> bool:
        """Whether a call is worked on from here on; where it was told something, it has that."""
        if piece.transport != "udp" or piece.key:
            return True
        piece.key = key_of(*piece.source, piece.request)
        working, piece.told = self._remembered.begin(piece.key)
        self.repeated += working
        return not working

    def _asked(self, piece: Piece) -> Asked | Plain | Responded | None:
        """What a call says, or its answer where it awaits nothing any more; None: a fault."""
        try:
            return self._responder.ask(
                piece.request, piece.source, piece.transport, piece.now_ns, piece.via_trusted
            )
        except Exception:
            log.exception("a call is answered without caller identity")
            return None

    def counts(self) -> Counted:
        """What was counted here; a message received counts where it was received."""
        counted = self._responder.counts()
        dropped = Counter(counted.dropped) + self.unsent + Counter(self._replies.counts().dropped)
        return counted._replace(received=0, dropped=dict(dropped))

    def _told(
        self, piece: Piece, asked: Asked | Plain | Told | Responded | None
    ) -> Told | Responded | Wanted:
        """What to tell of a call, by the data of the moment, where it awaits anything."""
        try:
            if isinstance(asked, Plain):
                return self._signed(asked)
            if isinstance(asked, Asked):
                return self._found(piece, asked)
        except Exception:  # a fault of ours: the call goes on all the same
            log.exception("a call is answered without caller identity")
            asked = None
        return asked or tell(could_not_tell("fault"))

    def _found(self, piece: Piece, asked: Asked) -> Told | Wanted:
        index = self._responder.index
        assert index is not None
        verdict, signature = piece.verdict, None
        caller = caller_asked(asked, piece.request)
        if asked.awaits == VERIFY and verdict is None:
            wanted = wanted_of(question_of(asked, caller), index, asked.provider)
            verdict = self._identity.verify_now(wanted.question, wanted.trust_name, wanted.policy)
            if verdict is None:
                return wanted
        if asked.awaits == SIGN:
            signature = self._signature(index, asked, caller)
        return tell(verdict, asked, signature, caller)

    def _signed(self, plain: Plain) -> Told:
        """What to tell of a call that is signed as most are."""
        orig, dest, origination = plain
        request = signed_by(origination, orig, dest, self._wall() / 1e9)
        try:
            return tell_signed(origination, request, self._identity.sign_plain(*request))
        except NoSignature as why:
            return tell(None, None, Signature(origination, request, None, str(why)))

    def _signature(self, index: Index, asked: Asked, caller: Caller) -> Signature | None:
        """How the call was signed, or why not; None where no source has its address."""
        number, origination = caller.number, asked.origination
        if origination is None:
            origination = index.origination(asked.source, number and "+" + number)
            if origination is None:
                return None
        request = None
        try:
            request = to_sign(asked, origination, number, self._wall() / 1e9)
            signed = self._identity.sign_plain(*request)
        except (Unsigned, NoSignature) as why:
            return Signature(origination, request, None, str(why))
        return Signature(origination, request, signed)

    def _answered(self, piece: Piece, told: Told) -> Responded | None:
        """The answer of a call; None where there is none, by a fault of ours."""
        try:
            return self._receive(piece, told)
        except ValueError:  # what was told makes no answer
            log.exception("a call is answered without caller identity")
        except Exception:
            log.exception("a call could not be answered")
            return None
        return self._receive(piece, tell(could_not_tell("fault")))

    def _receive(self, piece: Piece, told: Told) -> Responded:
        return self._responder.receive(
            piece.request,
            piece.source,
            piece.transport,
            piece.now_ns,
            via_trusted=piece.via_trusted,
            told=told,
        )

    def _deliver(self, done: Sequence[tuple[Piece, Responded]]) -> None:
        together: dict[Replier, list[Answer]] = {}
        for piece, answered in done:
            if answered.answer is not None and isinstance(piece.send, Replier):
                assert answered.destination is not None
                entry = (answered.answer, *answered.destination, piece.own)
                together.setdefault(piece.send, []).append(entry)
            elif answered.answer is not None or answered.onward is not None:
                why = piece.send(answered, piece.own)
                if why:
                    self.unsent[why] += 1
        for replier, answers in together.items():
            replier.send_all(self._replies, answers)
        now = self._wall()
        for piece, _ in done:
            self.seconds.observe(max(0.0, (now - piece.now_ns) / 1e9))
        self._keep(done)


def wanted_of(question: Question, index: Index, provider: str) -> Wanted:
    """What a call that is to be verified waits for, by a provider's rules."""
    settings = index.stir_settings()
    trust = index.stir(provider).auth_address
    return Wanted(question, trust, policy_of(settings), settings.fetch_budget / 1e3)


policy_of = lru_cache(maxsize=8)(Policy.of)  # the settings of an index


def could_not_tell(why: str) -> Verdict:
    """The verdict of a call that nobody could look at."""
    return Verdict(State.UNKNOWN, code=436, reason=REASONS[436], checks=(Check("room", None, why),))
