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
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ..fastpath.counts_types import Counted
from ..fastpath.forwarding import Forwarding, NameTable
from ..fastpath.index import Index
from ..fastpath.peers import PeerTable
from ..fastpath.respond import Responder
from ..fastpath.respond_types import SIGN, VERIFY, Responded, Told
from ..fastpath.sip import Message, parse
from ..identity.model import (
    REASONS,
    Check,
    Policy,
    Question,
    Signed,
    SignRequest,
    State,
    Verdict,
)
from ..identity.signing import NoSignature
from ..ops.metrics import SLOW, Histogram
from .handed_over import Piece
from .questions import Unsigned, call_source, caller_of, question_of, to_sign
from .remembered import Remembered, key_of
from .telling import Signature, tell

__all__ = ["Clerk", "Identity", "Wanted", "could_not_tell"]

log = logging.getLogger("callscreen.edge")

PCS = 1
Look = Callable[[], Index | None]
Keep = Callable[[Piece, Responded], None]  # takes a call that was answered


class Identity(Protocol):
    """What signs and verifies: identity.service.Identities."""

    def sign(self, request: SignRequest) -> Signed:
        """Signs. Raises NoSignature."""

    def verify_now(self, question: Question, trust_name: str, policy: Policy) -> Verdict | None:
        """What is found without a wait; None: a certificate must be fetched first."""

    async def verify(
        self, question: Question, trust_name: str, policy: Policy, budget_seconds: float
    ) -> Verdict:
        """What is found within the budget."""


class Wanted(NamedTuple):
    """What a call waits for, and for how many seconds at most."""

    question: Question
    trust_name: str
    policy: Policy
    budget: float


class Clerk:
    """Works on one call after another. `wall` gives Unix time in nanoseconds."""

    def __init__(
        self,
        responder: Responder,
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

    def work(self, piece: Piece) -> Wanted | None:
        """Answers a call, or says what must be waited for: then it is worked on again, with its
        verdict."""
        self._responder.index = self._index()
        if self._peers is not None:
            self._responder.peers = self._peers()
        try:
            return self._work(piece)
        finally:
            self._responder.index = None  # one that is replaced is let go

    def _work(self, piece: Piece) -> Wanted | None:
        known = None
        if piece.transport == "udp" and not piece.key:
            piece.key = key_of(*piece.source, piece.request)
            working, known = self._remembered.begin(piece.key)
            if working:
                self.repeated += 1
                return None
        told: Told | Responded | Wanted | None = known
        try:
            if told is None:
                told = self._told(piece)
        except Exception:  # a fault of ours: the call goes on all the same
            log.exception("a call is answered without caller identity")
            told = tell(could_not_tell("fault"))
        if isinstance(told, Wanted):
            return told
        try:
            done = self._answered(piece, told) if isinstance(told, Told) else told
        finally:  # before it is sent: who answers it by sending it again is answered again
            if piece.key and known is None:
                self._remembered.end(piece.key, told if isinstance(told, Told) else None)
        self._deliver(piece, done)
        return None

    def counts(self) -> Counted:
        """What was counted here; a message received counts where it was received."""
        counted = self._responder.counts()
        dropped = Counter(counted.dropped) + self.unsent
        return counted._replace(received=0, dropped=dict(dropped))

    def _told(self, piece: Piece) -> Told | Responded | Wanted:
        """What to tell of a call, by the data of the moment; or its answer, where it awaits nothing
        any more."""
        index = self._responder.index
        first = self._receive(piece, None)
        if index is None or not first.awaits:
            return first
        message = parse(piece.request)
        verdict, signature = piece.verdict, None
        code = index.settings(PCS, first.provider).default_cc
        caller = caller_of(message, code)
        if first.awaits == VERIFY and verdict is None:
            wanted = wanted_of(question_of(message, caller.user, code), index, first.provider)
            verdict = self._identity.verify_now(wanted.question, wanted.trust_name, wanted.policy)
            if verdict is None:
                spent = (self._wall() - piece.now_ns) / 1e9
                return wanted._replace(budget=max(0.0, wanted.budget - spent))
        if first.awaits == SIGN:
            signature = self._signature(piece, message, caller.number, code)
        return tell(verdict, message, signature, caller)

    def _signature(
        self, piece: Piece, message: Message, number: str, code: str
    ) -> Signature | None:
        """How the call was signed, or why not; None where no source has its address."""
        index = self._responder.index
        assert index is not None
        source = call_source(message, piece.source[0], piece.via_trusted)
        origination = index.origination(source, number and "+" + number)
        if origination is None:
            return None
        request = None
        try:
            now = self._wall() / 1e9
            request = to_sign(message, origination, number, code, now)
            signed = self._identity.sign(request)
        except (Unsigned, NoSignature) as why:
            return Signature(origination, request, None, str(why))
        return Signature(origination, request, signed)

    def _answered(self, piece: Piece, told: Told) -> Responded:
        try:
            return self._receive(piece, told)
        except ValueError:  # what was told makes no answer, by a fault of ours
            log.exception("a call is answered without caller identity")
            return self._receive(piece, tell(could_not_tell("fault")))

    def _receive(self, piece: Piece, told: Told | None) -> Responded:
        return self._responder.receive(
            piece.request,
            piece.source,
            piece.transport,
            piece.now_ns,
            via_trusted=piece.via_trusted,
            told=told,
        )

    def _deliver(self, piece: Piece, done: Responded) -> None:
        if done.answer is not None or done.onward is not None:
            why = piece.send(done, piece.own)
            if why:
                self.unsent[why] += 1
        self.seconds.observe(max(0.0, (self._wall() - piece.now_ns) / 1e9))
        self._keep(piece, done)


def wanted_of(question: Question, index: Index, provider: str) -> Wanted:
    """What a call that is to be verified waits for, by a provider's rules."""
    settings = index.stir_settings()
    policy = Policy(
        freshness=settings.freshness,
        require_date=settings.require_date,
        require_identity=settings.require_identity,
        replayed_invalid=settings.replayed_invalid,
        malformed_failed=settings.malformed_failed,
    )
    trust = index.stir(provider).auth_address
    return Wanted(question, trust, policy, settings.fetch_budget / 1e3)


def could_not_tell(why: str) -> Verdict:
    """The verdict of a call that nobody could look at."""
    return Verdict(State.UNKNOWN, code=436, reason=REASONS[436], checks=(Check("room", None, why),))
