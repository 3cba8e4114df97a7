"""A stateless user agent server that redirects, in plain Python: what respond.pyx means.

1. One message gives at most one answer, or is dropped and named by kind; nothing raises.
2. The numbers of a product are read by that product's sources. A listener of both asks PCS, then
   CIN where PCS lets the call go on.
3. The source address is the packet's own; only of a proxy of ours the second Via is believed.
4. With a forwarding, datagrams are sent on as onward_reference.py says.

RFC 3261 8.2, 8.2.7, 8.3, 16.11, 18.2.2.
"""

import re
from collections import Counter
from typing import Any, NamedTuple

from . import answer_reference, sip_reference
from .awaiting_reference import awaited, diverts, granted_lines, known, told_of
from .callers_reference import Invite, Received, Screening, is_network, screened, user_of
from .counts_types import Counted
from .extract_reference import contact_place, request_place
from .inspecting_reference import NO_DIALOG, NOT_READY, OPTIONS_HEADERS, refused
from .model import BOTH, PRODUCT_NAMES
from .onward_reference import Onward, Sent
from .recent_reference import RecentTable
from .recording_reference import Call, RecordIds, record_fields
from .respond_types import ANSWER_MORE, DIVERT, EDGE_OCTETS, Address, Told, check_told
from .routes_reference import Answer, answer
from .routes_types import host_part
from .sip_types import Malformed, Request

__all__ = ["Responded", "Responder"]

ACK = re.compile(rb"ACK [^\n]+ SIP/2\.0\r?\n")  # nothing follows from it, whatever else it says
END = b"Content-Length: 0\r\n\r\n"  # of every answer


class Responded(NamedTuple):
    """As respond_types.Responded, but for the record: fields of a CallRecord."""

    answer: bytes | None = None
    destination: Address | None = None
    record: dict[str, Any] | None = None
    dropped: str | None = None
    status: int = 0
    awaits: str = ""
    provider: str = ""
    calling: str = ""
    called: str = ""
    onward: bytes | None = None
    send_to: Address | None = None
    place: bytes = b""
    cert_name: str = ""


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
        forwarding: Onward | None = None,
    ) -> None:
        self.index = index
        self._secret = secret
        self._ids = RecordIds(seed)
        self._recent = recent
        self._edge = edge.encode()[:EDGE_OCTETS].decode("utf-8", "ignore")
        self._product = product
        self.forwarding = forwarding
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
        # A stream's call is redirected: only a datagram is sent on.
        onward = self.forwarding if transport == "udp" else None
        if onward is None and ACK.match(data):
            self._counts["acknowledged"] += 1
            return Responded()
        try:
            request = sip_reference.parse(data)
        except Malformed as fault:
            if fault.kind == "response" and onward is not None:
                return self._went(onward.bring_back(data)) or self._drop(fault.kind)
            partial = fault.message
            if partial is None or not fault.status or partial.method == b"ACK":
                return self._drop(fault.kind)
            return self._send(partial, received, Answer(fault.status, fault.reason))
        if request.method == b"ACK":
            followed = self._follow(onward, request, received)
            if followed is None:
                self._counts["acknowledged"] += 1
            return followed or Responded()
        if over_rate:
            followed = self._follow(onward, request, received, waits=False)
            if followed is None:
                self._counts["limited"] += 1
            return followed or self._send(request, received, NOT_READY)
        refusal = refused(request, onward is not None)
        if refusal is not None:
            return self._send(request, received, refusal)
        if request.method == b"CANCEL":
            followed = self._follow(onward, request, received)
            # Section 9.2: 200 where the INVITE is remembered, whose final answer stands, as it was
            # sent at once; 481 where it is not. Silence (8.2.7) would only bring the CANCEL again.
            held = self._recent.holds(self._key(request), received.second)
            given = Answer(200, "OK") if held else NO_DIALOG
            return followed or self._send(request, received, given)
        if self.index is None:
            # RFC 3261 section 11.2: OPTIONS has the status that an INVITE would get.
            return self._send(request, received, NOT_READY)
        if request.method == b"OPTIONS":
            return self._send(request, received, Answer(200, "OK", OPTIONS_HEADERS))
        followed = self._follow(onward, request, received)
        return followed or self._invite(self.index, request, received, onward)

    def _follow(
        self, onward: Onward | None, request: Request, received: Received, waits: bool = True
    ) -> Responded | None:
        """What belongs to a call that was sent on goes where that went; None: nothing is known."""
        if onward is None:
            return None
        waits = waits and request.method == b"INVITE" and received.told is None
        return self._went(onward.send_after(request, received, self._key(request), waits))

    def _went(self, sent: Sent | None) -> Responded | None:
        if sent is None:
            return None
        self._counts["forwarded"] += 1
        return Responded(onward=sent.data, send_to=sent.to)

    def _invite(
        self, index: Screening, request: Request, received: Received, onward: Onward | None
    ) -> Responded:
        source_ip = received.source_ip(request)
        told = received.told
        identity = known(index, request, told)
        parties, verdict = screened(index, self._product, request, source_ip, identity)
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
        engine, egress = verdict.settings, ""
        if onward is not None:
            egress = host_part(engine.egress_route)
            if egress:  # nobody who calls chooses the next hop
                engine = engine._replace(use_contact=False)
        given = answer(verdict.treatment, engine, asked, verdict.voicemail, is_network(verdict))
        if diverts(given, request, verdict, told):
            return Responded(
                awaits=DIVERT,
                provider=verdict.rules_of,
                calling=verdict.calling_number,
                called=called,
                place=dict(given.headers)[b"Contact"][1:].partition(b">")[0],
                cert_name=verdict.settings.divert_cert_name,
            )
        given = told_of(given, request, verdict, told)
        sent, granted = None, granted_lines(given, verdict, told)
        if onward is not None and verdict.treatment == "continue" and given.status == 302:
            uri = dict(given.headers)[b"Contact"][1:].partition(b">")[0]
            found = onward.send_call(request, received, self._key(request), uri, egress)
            if isinstance(found, Answer):
                given, granted = found, b"" if told is None else told.always
            else:
                sent = found
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
                0 if sent else given.status,
                request.call_id,
                source_ip,
                self._edge,
                received.now_ns,
                egress if sent else "",
            )
            record = record_fields(call)
            if told is not None:
                record["more"] = told.record
        done = self._went(sent) or self._send(request, received, given, granted=granted)
        return done._replace(record=record)

    def _key(self, request: Request) -> int:
        """What names the transaction: an INVITE has that of its CANCEL."""
        return int(answer_reference.to_tag(self._secret, request), 16)

    def _send(
        self,
        request: Request,
        received: Received,
        given: Answer,
        *,
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
        self._answered[status] += 1
        destination = answer_reference.destination(request, received.source)
        return Responded(octets, destination, None, None, status)

    def _drop(self, kind: str) -> Responded:
        self._dropped[kind] += 1
        return Responded(dropped=kind)
