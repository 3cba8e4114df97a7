"""A stateless UAS that redirects (RFC 3261 sections 8.2, 8.2.7, 8.3, 18.2.2), without I/O.

Invariants
1. One datagram gives at most one answer, or is dropped and named by kind; nothing raises.
2. A request sent again gets the very same answer: the To tag is a keyed hash of what names the
   transaction, and an INVITE's answer is remembered for as long as a client repeats it (`recent`).
3. An INVITE makes one record however often it is sent, within the bounds of `recent`.
4. An ACK is never answered, nor is a response, nor is a provisional response ever sent.
5. An answer has at most `ANSWER_MORE` octets more than what it answers: nobody who writes another's
   address into a packet gets more sent there than that. A longer one is dropped and counted.
6. No clock, socket or randomness is inside: they are arguments.
"""

import re
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from ..fastpath import answer as sip_answer
from ..fastpath import sip, sip_types
from .metrics import Metrics
from .recent import Recent
from .treatments import Answer

__all__ = ["DATAGRAM_LIMIT", "Address", "Decide", "Decided", "Result", "Uas"]

DATAGRAM_LIMIT = 64 * 1024  # octets
ANSWER_MORE = 1024  # octets: Contact, Diversion, Allow and the like
RETRY_AFTER = 2  # seconds, for a call that comes before the first snapshot

ALLOW = (b"Allow", b"INVITE, ACK, CANCEL, OPTIONS")
# RFC 3261 section 8.2.1: these are known and not served. What lives in a dialog has none here.
REFUSED = frozenset({b"REGISTER", b"SUBSCRIBE", b"PUBLISH", b"MESSAGE", b"REFER"})
IN_DIALOG = frozenset({b"BYE", b"INFO", b"UPDATE", b"PRACK", b"NOTIFY"})
ODD = re.compile(rb"[^!-~]+")  # in an option tag: not to be given back
SERVED = frozenset({b"INVITE", b"CANCEL", b"OPTIONS"})

OPTIONS_HEADERS = (
    ALLOW,
    (b"Accept", b"application/sdp"),
    (b"Accept-Encoding", b"identity"),
    (b"Accept-Language", b"en"),
    (b"Supported", b""),  # no extension at all
)
NO_DIALOG = Answer(481, "Call/Transaction Does Not Exist")
NOT_READY = Answer(503, "Service Unavailable", ((b"Retry-After", str(RETRY_AFTER).encode()),))

Address: TypeAlias = tuple[str, int]
Record = TypeVar("Record")


class Decided(NamedTuple, Generic[Record]):
    """What becomes of an INVITE, and what is kept of it."""

    answer: Answer
    record: Record


class Result(NamedTuple, Generic[Record]):
    """What a datagram gave: answers with where they go, a call record, the kind of a drop."""

    sends: tuple[tuple[bytes, Address], ...] = ()
    record: Record | None = None
    dropped: str | None = None


# Message, source address, Unix time in seconds → the decision; None before there is any data.
Decide: TypeAlias = Callable[[sip_types.Request, str, float], Decided[Record] | None]


class Uas(Generic[Record]):
    """Answers datagrams. `decide` is asked once an INVITE, `ready` says whether it could answer."""

    def __init__(
        self,
        decide: Decide[Record],
        ready: Callable[[], bool],
        secret: bytes,
        metrics: Metrics,
        recent: Recent[Answer] | None = None,
    ) -> None:
        """`secret`, 1 to 64 octets, keys the To tags: who does not know it cannot guess one."""
        self._decide = decide
        self._ready = ready
        self._secret = secret
        self._metrics = metrics
        self._recent: Recent[Answer] = Recent() if recent is None else recent

    def receive_datagram(self, data: bytes, source: Address, now: float) -> Result[Record]:
        """What to send for `data` from `source` at `now`, in seconds of Unix time."""
        if len(data) > DATAGRAM_LIMIT:
            return Result(dropped="too_large")
        try:
            request = sip.parse(data)
        except sip_types.Malformed as fault:
            partial = fault.message
            if partial is None or not fault.status or partial.method == b"ACK":
                return Result(dropped=fault.kind)
            refusal = Answer(fault.status, fault.reason)
            return self._send(partial, source, refusal, self._tag(partial))
        if request.method == b"ACK":
            self._metrics.acknowledged += 1
            return Result()
        tag = self._tag(request)
        if request.method == b"INVITE":
            return self._invite(request, source, now, tag)
        return self._send(request, source, self._other(request, now, tag), tag)

    def _invite(
        self, request: sip_types.Request, source: Address, now: float, tag: bytes
    ) -> Result[Record]:
        kept = self._recent.get(tag, now)
        if kept is not None:
            self._metrics.retransmitted += 1
            return self._send(request, source, kept, tag)
        refusal = refused(request)
        if refusal is not None:
            return self._send(request, source, refusal, tag)
        answer, record = self._decide(request, source[0], now) or (NOT_READY, None)
        self._recent.put(tag, answer, now)
        return self._send(request, source, answer, tag, record)

    def _other(self, request: sip_types.Request, now: float, tag: bytes) -> Answer:
        """The answer to everything but INVITE and ACK."""
        answer = refused(request)
        if answer is not None:
            return answer
        if request.method == b"OPTIONS":
            # RFC 3261 section 11.2: the status that an INVITE would get; dispatchers rely on it.
            return Answer(200, "OK", OPTIONS_HEADERS) if self._ready() else NOT_READY
        # CANCEL, section 9.2: 200 where the INVITE is remembered, whose final answer stands, as it
        # was sent at once; 481 where it is not. Silence (8.2.7) would only bring the CANCEL again.
        return Answer(200, "OK") if self._recent.get(tag, now) is not None else NO_DIALOG

    def _tag(self, request: sip_types.Request) -> bytes:
        """The To tag. It names the transaction too: an INVITE has that of its CANCEL."""
        return sip_answer.to_tag(self._secret, request)

    def _send(
        self,
        request: sip_types.Request,
        source: Address,
        answer: Answer,
        tag: bytes,
        record: Record | None = None,
    ) -> Result[Record]:
        octets = sip_answer.response(
            request, answer.status, answer.reason, answer.headers, tag, source
        )
        if len(octets) > len(request.data) + ANSWER_MORE:
            return Result(record=record, dropped="answer_too_large")
        self._metrics.answered[answer.status] += 1
        return Result(((octets, sip_answer.destination(request, source)),), record)


def refused(request: sip_types.Request) -> Answer | None:
    """The inspection that comes before any work (RFC 3261 section 8.2.1 and 8.2.2).

    No merged request (482) is looked for: every transaction is over when it has been answered, and
    a dispatcher that tries a second time must get an answer. The body is not read, so that no
    content is refused either.
    """
    method = request.method
    if method in REFUSED:
        return Answer(405, "Method Not Allowed", (ALLOW,))
    if method not in SERVED and method not in IN_DIALOG:
        return Answer(501, "Not Implemented", (ALLOW,))
    if request.require and method != b"CANCEL":
        unsupported = ODD.sub(b" ", b", ".join(request.require))
        return Answer(420, "Bad Extension", ((b"Unsupported", unsupported),))
    if method in IN_DIALOG or (request.to.tag is not None and method != b"CANCEL"):
        return NO_DIALOG
    return None
