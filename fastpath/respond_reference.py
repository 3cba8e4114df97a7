"""A stateless user agent server that redirects, in plain Python: what respond.pyx means.

1. One message gives at most one answer, or is dropped and named by kind; nothing raises.
2. The numbers of a product are read by that product's sources. A listener of both asks PCS, then
   CIN where PCS lets the call go on.
3. The source address is the packet's own; only of a proxy of ours the second Via is believed.
4. A user part longer than `USER_OCTETS` is no place to send a call to.

RFC 3261 8.2, 8.2.7, 8.3, 18.2.2.
"""

import re
from collections import Counter
from functools import partial
from typing import Any, NamedTuple, Protocol

from . import answer_reference, sip_reference
from .answer_types import plain_address
from .awaiting_reference import awaited, granted_lines, known, told_of
from .counts_types import Counted
from .extract_reference import contact_place, extract, is_anonymous, request_place
from .extract_types import NumberSource
from .model import (
    BOTH,
    CIN,
    NONE,
    PCS,
    PRODUCT_NAMES,
    STIR_RULE,
    EngineSettings,
    StirSettings,
    Verdict,
)
from .plain import parse_address
from .recent_reference import RecentTable
from .recording_reference import Call, RecordIds, record_fields
from .respond_types import (
    ANSWER_MORE,
    EDGE_OCTETS,
    RETRY_AFTER,
    Address,
    Told,
    check_told,
)
from .routes_reference import USER_OCTETS, Answer, answer
from .sip_types import Malformed, Request
from .uri import parse_uri

__all__ = ["Responded", "Responder"]

ALLOW = (b"Allow", b"INVITE, ACK, CANCEL, OPTIONS")
# RFC 3261 section 8.2.1: these are known and not served. What lives in a dialog has none here.
REFUSED = frozenset({b"REGISTER", b"SUBSCRIBE", b"PUBLISH", b"MESSAGE", b"REFER"})
IN_DIALOG = frozenset({b"BYE", b"INFO", b"UPDATE", b"PRACK", b"NOTIFY"})
SERVED = frozenset({b"INVITE", b"CANCEL", b"OPTIONS"})
END = b"Content-Length: 0\r\n\r\n"  # of every answer
ODD = re.compile(rb"[^!-~]+")  # in an option tag: not to be given back

OPTIONS_HEADERS = (
    ALLOW,
    (b"Accept", b"application/sdp"),
    (b"Accept-Encoding", b"identity"),
    (b"Accept-Language", b"en"),
    (b"Supported", b""),  # no extension at all
)
NO_DIALOG = Answer(481, "Call/Transaction Does Not Exist")
NOT_READY = Answer(503, "Service Unavailable", ((b"Retry-After", b"%d" % RETRY_AFTER),))
TOO_MANY_HOPS = Answer(483, "Too Many Hops")
# PCS went no further on purpose: the other product is not asked either.
LAST_WORD = frozenset({"emergency", "protected"})
# A block of these is the network's; so is one of the provider's own blacklist.
NETWORK_RULES = frozenset({STIR_RULE, "call_guardian"})


class Screening(Protocol):
    """What of an index, compiled or plain, is asked here."""

    def screen(
        self,
        product: int,
        called: str,
        calling: str,
        anonymous: bool,
        source_ip: str = "",
        point_code: str = "",
        identity: int = NONE,
    ) -> Verdict: ...
    def signs(self, source_ip: str) -> bool: ...
    def stir_settings(self) -> StirSettings: ...
    def settings(self, product: int, provider: str = "") -> EngineSettings: ...
    def number_sources(
        self, product: int
    ) -> tuple[tuple[NumberSource, ...], tuple[NumberSource, ...]]: ...


class Responded(NamedTuple):
    """As respond_types.Responded, but for the record: fields of a CallRecord."""

    answer: bytes | None = None
    destination: Address | None = None
    record: dict[str, Any] | None = None
    dropped: str | None = None
    status: int = 0
    forward: bytes | None = None
    awaits: str = ""
    provider: str = ""
    calling: str = ""
    called: str = ""
    onward: bytes | None = None  # never here: the plain twin redirects
    send_to: Address | None = None


class Parties(NamedTuple):
    """Who is called by whom, E.164 or as dialled; empty where no source had a number."""

    called: str
    calling: str


class Invite(NamedTuple):
    """What an answer needs of an INVITE."""

    called: str
    user: str
    host: str
    contact: str
    uri: bytes
    history: list[bytes]


class Responder:
    """Answers messages; see respond.pyi for the arguments."""

    def __init__(
        self,
        index: Screening | None,
        secret: bytes,
        *,
        seed: bytes,
        recent: RecentTable,
        edge: str = "",
        product: int = BOTH,
        proxy: bool = False,
    ) -> None:
        self.index = index
        self._secret = secret
        self._ids = RecordIds(seed)
        self._recent = recent
        self._edge = edge.encode()[:EDGE_OCTETS].decode("utf-8", "ignore")
        self._product = product
        self._proxy = proxy
        self._counts = Counter[str]()
        self._answered = Counter[int]()
        self._dropped = Counter[str]()
        self._calls = Counter[tuple[str, str, str]]()

    def counts(self) -> Counted:
        count = self._counts
        return Counted(
            count["received"],
            count["acknowledged"],
            count["retransmitted"],
            count["limited"],
            count["forwarded"],
            count["records_made"],
            count["records_lost"],
            dict(self._answered),
            dict(self._dropped),
            dict(self._calls),
        )

    def receive(
        self,
        data: bytes,
        source: Address,
        transport: str = "udp",
        now_ns: int = 0,
        *,
        via_trusted: bool = False,
        over_rate: bool = False,
        told: Told | None = None,
    ) -> Responded:
        if told is not None:
            check_told(told)
        self._counts["received"] += 1
        received = Received(data, source, transport, now_ns, via_trusted, told)
        try:
            request = sip_reference.parse(data)
        except Malformed as fault:
            partial = fault.message
            if partial is None or not fault.status or partial.method == b"ACK":
                return self._drop(fault.kind)
            return self._send(partial, received, Answer(fault.status, fault.reason))
        if request.method == b"ACK":
            self._counts["acknowledged"] += 1
            return Responded()
        if over_rate:
            self._counts["limited"] += 1
            return self._send(request, received, NOT_READY)
        refusal = refused(request)
        if refusal is not None:
            return self._send(request, received, refusal)
        if request.method == b"CANCEL":
            # Section 9.2: 200 where the INVITE is remembered, whose final answer stands, as it was
            # sent at once; 481 where it is not. Silence (8.2.7) would only bring the CANCEL again.
            held = self._recent.holds(self._key(request), received.second)
            return self._send(request, received, Answer(200, "OK") if held else NO_DIALOG)
        if self.index is None:
            # RFC 3261 section 11.2: OPTIONS has the status that an INVITE would get.
            return self._send(request, received, NOT_READY)
        if request.method == b"OPTIONS":
            return self._send(request, received, Answer(200, "OK", OPTIONS_HEADERS))
        return self._invite(self.index, request, received)

    def _invite(self, index: Screening, request: Request, received: "Received") -> Responded:
        source_ip = received.source_ip(request)
        told = received.told
        parties, verdict = self._screen(index, request, source_ip, known(index, request, told))
        called = parties.called and verdict.called_number
        if told is None and (wait := awaited(index, request, self._product, source_ip, verdict)):
            calling = verdict.calling_number
            return Responded(awaits=wait, provider=verdict.rules_of, calling=calling, called=called)
        asked = Invite(
            called,
            user_of(request),
            request_place(request),
            contact_place(request),
            request.uri,
            request.all(b"history-info"),
        )
        given = answer(
            verdict.treatment, verdict.settings, asked, verdict.voicemail, is_network(verdict)
        )
        given = told_of(given, request, verdict, told)
        forward = self._proxy and given.status == 302
        if forward and request.max_forwards == 0:
            forward, given = False, TOO_MANY_HOPS
        product = verdict.product or PRODUCT_NAMES[self._product]
        record = None
        if self._recent.note(self._key(request), received.second):
            self._counts["retransmitted"] += 1
        else:
            # An unknown number's record is the listener's product's; of both: of neither.
            self._calls[product, verdict.treatment, verdict.reason] += 1
            self._counts["records_made"] += 1
            call = Call(
                self._ids(received.now_ns),
                product,
                verdict,
                given.status,
                request.call_id,
                source_ip,
                self._edge,
                received.now_ns,
            )
            record = record_fields(call)
            if told is not None:
                record["more"] = told.record
        granted = granted_lines(given, verdict, told)
        done = self._send(request, received, given, forward=forward, granted=granted)
        return done._replace(record=record)

    def _screen(
        self, index: Screening, request: Request, source_ip: str, identity: int
    ) -> tuple[Parties, Verdict]:
        anonymous = is_anonymous(request)
        screen = partial(index.screen, identity=identity)
        parties = numbers(index, request, CIN if self._product == CIN else PCS)
        if self._product != BOTH or looked_for(index, PCS) == looked_for(index, CIN):
            return parties, screen(self._product, *parties, anonymous, source_ip)
        # The products read different numbers out of this request: each is asked with its own.
        theirs = numbers(index, request, CIN)
        cin = screen(CIN, *theirs, anonymous, source_ip)
        if not parties.called and cin.product:
            return theirs, cin
        pcs = screen(PCS, *parties, anonymous, source_ip)
        if pcs.treatment != "continue" or pcs.reason in LAST_WORD:
            return parties, pcs
        if cin.reason == "not_provisioned":
            return parties, pcs
        if pcs.reason == "not_provisioned":
            return theirs, cin
        trace = pcs.trace + cin.trace
        if cin.reason == "service_off":
            return parties, pcs._replace(trace=trace)
        return theirs, cin._replace(trace=trace, rules_of=pcs.rules_of, awaits=pcs.awaits)

    def _key(self, request: Request) -> int:
        """What names the transaction: an INVITE has that of its CANCEL."""
        return int(answer_reference.to_tag(self._secret, request), 16)

    def _send(
        self,
        request: Request,
        received: "Received",
        given: Answer,
        *,
        forward: bool = False,
        granted: bytes = b"",
    ) -> Responded:
        tag = answer_reference.to_tag(self._secret, request)
        status, reason, headers = given
        octets = answer_reference.response(request, status, reason, headers, tag, received.source)
        at = len(octets) - len(END)
        octets = octets[:at] + granted + octets[at:]
        most = len(request.data) + ANSWER_MORE + len(granted)
        if received.transport == "udp" and len(octets) > most:
            return self._drop("answer_too_large")
        uri = None
        if forward:
            self._counts["forwarded"] += 1
            uri = dict(headers)[b"Contact"][1:].partition(b">")[0]
        else:
            self._answered[status] += 1
        destination = answer_reference.destination(request, received.source)
        return Responded(octets, destination, None, None, status, uri)

    def _drop(self, kind: str) -> Responded:
        self._dropped[kind] += 1
        return Responded(dropped=kind)


class Received(NamedTuple):
    """A message, and where it came from."""

    data: bytes
    source: Address
    transport: str
    now_ns: int
    via_trusted: bool
    told: Told | None

    @property
    def second(self) -> int:
        return self.now_ns // 1_000_000_000

    def source_ip(self, request: Request) -> str:
        """The call's source: the packet's, or what a proxy of ours wrote of whom it had it from."""
        own = plain_address(self.source[0])
        vias = request.via
        if not self.via_trusted or len(vias) < 2:
            return own
        via = sip_reference.via_element(vias[1])
        if via is None:
            return own
        host = (via.received or via.host).decode("ascii").removeprefix("[").removesuffix("]")
        return host if parse_address(host) else own


def refused(request: Request) -> Answer | None:
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


def looked_for(index: Screening, product: int) -> tuple[Any, ...]:
    """Where a product looks for its numbers, and what it makes of national ones."""
    return (*index.number_sources(product), index.settings(product).default_cc)


def numbers(index: Screening, request: Request, product: int) -> Parties:
    called, calling, code = looked_for(index, product)
    return Parties(
        extract(request, called, code).number or "", extract(request, calling, code).number or ""
    )


def user_of(request: Request) -> str:
    """The user part of the Request-URI without escapes; empty where it is too long or none."""
    user = parse_uri(request.uri).user
    return user.decode("utf-8", "surrogateescape") if len(user) <= USER_OCTETS else ""


def is_network(verdict: Verdict) -> bool:
    """Turned away by the network and not by its subscriber."""
    if verdict.reason in NETWORK_RULES:
        return True
    return verdict.reason == "blacklist" and verdict.trace[-1].scope == "service_provider"
