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

from ..fastpath.asking import Asked, Asker, Claimed, Plain
from ..fastpath.counts_types import Counted
from ..fastpath.forwarding import Forwarding, NameTable
from ..fastpath.handing import Replies, key_of
from ..fastpath.index import Index
from ..fastpath.peers import PeerTable
from ..fastpath.respond_types import SIGN, VERIFY, Responded, Told
from ..identity.model import REASONS, Check, State, Verdict
from ..identity.signing import NoSignature
from ..ops.metrics import SLOW, Histogram
from .diverting import names, tell_diverted
from .handed_over import Piece
from .questions import (
    Caller,
    Unsigned,
    caller_asked,
    claimed_question,
    question_of,
    signed_by,
    to_sign,
)
from .remembered import Remembered
from .replying import Answer, Replier
from .telling import Signature, of_screened, tell, tell_signed, tell_valid
from .verifying import Identity, Rules, Wanted

__all__ = ["Clerk", "could_not_tell"]

log = logging.getLogger("callscreen.edge")

PCS = 1
Look = Callable[[], Index | None]
Keep = Callable[[Sequence[tuple[Piece, Responded]]], None]  # takes calls that were answered


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
        self._rules: Rules | None = None  # of the calls that are worked on, once they are asked for
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
            self._responder.index = self._rules = None  # one that is replaced is let go

    def _work(self, pieces: Sequence[Piece]) -> list[tuple[Piece, Wanted]]:
        """Takes a step for all, and then the next: what it needs is near, and not fetched again
        for each."""
        begun = self._begun(pieces)
        asked = [each.told or self._asked(each) for each in begun]
        verdicts = self._verdicts(asked)
        told = [self._told(*each) for each in zip(begun, asked, verdicts, strict=True)]
        waits, ended, done = [], [], []
        for piece, found in zip(begun, told, strict=True):
            if isinstance(found, Wanted):
                waits.append((piece, found))
                continue
            if isinstance(found, Told):
                found, answered = self._answered(piece, found)
            else:
                answered = found
            if piece.key and found is not piece.told:
                ended.append((piece.key, found if isinstance(found, Told) else None))
            if answered is not None:
                done.append((piece, answered))
        self._remembered.end(ended)  # before: who answers by sending it again is answered again
        self._deliver(done)
        return waits

    def _begun(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """The calls that are worked on from here on; those that were told something have that."""
        new = [each for each in pieces if not each.key and each.transport == "udp"]
        for piece in new:
            piece.key = key_of(*piece.source, piece.request)
        repeated = set()
        for piece, (working, told) in zip(
            new, self._remembered.begin([each.key for each in new]), strict=True
        ):
            piece.told = told
            if working:
                repeated.add(piece)
        self.repeated += len(repeated)
        return [each for each in pieces if each not in repeated] if repeated else pieces

    def _asked(self, piece: Piece) -> Asked | Claimed | Plain | Responded | None:
        """What a call says, or its answer where it awaits nothing any more; None: a fault."""
        try:
            return self._ask(piece, whole=piece.verdict is not None)
        except Exception:
            log.exception("a call is answered without caller identity")
            return None

    def _ask(self, piece: Piece, whole: bool) -> Asked | Claimed | Plain | Responded:
        return self._responder.ask(
            piece.request, piece.source, piece.transport, piece.now_ns, piece.via_trusted, whole
        )

    def counts(self) -> Counted:
        """What was counted here; a message received counts where it was received."""
        counted = self._responder.counts()
        dropped = Counter(counted.dropped) + self.unsent + Counter(self._replies.counts().dropped)
        return counted._replace(received=0, dropped=dict(dropped))

    def _told(
        self,
        piece: Piece,
        asked: Asked | Claimed | Plain | Told | Responded | None,
        verdict: Verdict | None,
    ) -> Told | Responded | Wanted:
        """What to tell of a call, by the data of the moment, where it awaits anything."""
        try:
            if isinstance(asked, Claimed):
                if verdict is not None and verdict.state is State.VALID and not verdict.failed:
                    piece.verdict = verdict
                    return tell_valid(asked, verdict)
                asked = self._ask(piece, whole=True)
                assert not isinstance(asked, Claimed)
            if isinstance(asked, Plain):
                return self._signed(asked)
            if isinstance(asked, Asked):
                return self._found(piece, asked, verdict or piece.verdict)
        except Exception:  # a fault of ours: the call goes on all the same
            log.exception("a call is answered without caller identity")
            asked = None
        return asked or tell(could_not_tell("fault"))

    def _ruled(self) -> Rules:
        """By what rules the calls of the moment are verified."""
        if self._rules is None:
            assert self._responder.index is not None
            self._rules = Rules(self._responder.index)
        return self._rules

    def _verdicts(self, asked: Sequence[object]) -> list[Verdict | None]:
        """The verdict on each call that is to be verified as most are, where it is known."""
        found: list[Verdict | None] = [None] * len(asked)
        claimed = [(at, each) for at, each in enumerate(asked) if isinstance(each, Claimed)]
        if not claimed:
            return found
        try:
            rules = self._ruled()
            calls = [(claimed_question(each), rules.trust(each.provider)) for _, each in claimed]
            verdicts = self._identity.verify_together(calls, rules.policy)
        except Exception:  # a fault of ours: each call by itself has another chance
            log.exception("calls are verified one by one")
            return found
        for (at, _), verdict in zip(claimed, verdicts, strict=True):
            found[at] = verdict
        return found

    def _found(self, piece: Piece, asked: Asked, verdict: Verdict | None) -> Told | Wanted:
        index = self._responder.index
        assert index is not None
        signature = None
        caller = caller_asked(asked, piece.request)
        if asked.awaits == VERIFY and verdict is None:
            wanted = self._ruled().wanted(question_of(asked, caller), asked.provider)
            verdict = self._identity.verify_now(wanted.question, wanted.trust_name, wanted.policy)
            if verdict is None:
                return wanted
            piece.verdict = verdict
        if asked.awaits == SIGN:
            signature = self._signature(index, asked, caller)
        if verdict is not None:
            verdict = of_screened(verdict, asked)
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

    def _answered(self, piece: Piece, told: Told) -> tuple[Told, Responded | None]:
        """The answer of a call, and what was told for it; None where there is no answer, by a fault
        of ours."""
        try:
            done = self._receive(piece, told)
            if done.awaits:
                told = self._diverted(piece, told, done)
                done = self._receive(piece, told)
            return told, done
        except ValueError:  # what was told makes no answer
            log.exception("a call is answered without caller identity")
        except Exception:
            log.exception("a call could not be answered")
            return told, None
        told = tell(could_not_tell("fault"))
        return told, self._receive(piece, told)

    def _diverted(self, piece: Piece, told: Told, done: Responded) -> Told:
        """What to tell of a call that is sent elsewhere, and whose diversion is to be signed."""
        index = self._responder.index
        assert index is not None
        default_cc = index.settings(PCS, done.provider).default_cc
        verdict = piece.verdict
        try:
            if verdict is not None and not names(verdict, done.called):
                verdict = self._called(piece, done)
            return tell_diverted(told, done, piece.request, verdict, default_cc, self._identity)
        except Exception:  # a fault of ours: the call goes there all the same
            log.exception("a diversion is not signed")
        return told._replace(diversion=b"")

    def _called(self, piece: Piece, done: Responded) -> Verdict | None:
        """The verdict on a call to whom it has been diverted before, and not to the party in To."""
        asked = self._ask(piece, whole=True)
        if not isinstance(asked, Asked):
            return None
        question = question_of(asked, caller_asked(asked, piece.request))
        question = question._replace(dest=done.called, target=done.called)
        wanted = self._ruled().wanted(question, done.provider)
        return self._identity.verify_now(wanted.question, wanted.trust_name, wanted.policy)

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


def could_not_tell(why: str) -> Verdict:
    """The verdict of a call that nobody could look at."""
    return Verdict(State.UNKNOWN, code=436, reason=REASONS[436], checks=(Check("room", None, why),))
