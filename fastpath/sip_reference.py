"""What the SIP parser means, in plain Python: the twin of sip.pyx, verdict for verdict.

1. Strict: what RFC 3261's grammar does not allow in the fields a decision needs is refused.
2. Octets that decide nothing (unknown headers, the body) are kept and never looked at.
3. All faults are gathered; the lowest `Fault` is the one reported.
4. A request is answerable when its topmost Via names a host and its method is not ACK; else
   `Malformed.message` is None. (RFC 4475 3.3.1 wants an answer even without From, To or Call-ID.)
"""

import re
from dataclasses import dataclass, field

from .sip_types import (
    COMPACT,
    LISTS,
    MAX_CSEQ,
    MAX_HEADERS,
    MAX_MAX_FORWARDS,
    MAX_MESSAGE,
    MAX_PORT,
    MAX_TTL,
    Fault,
    Malformed,
    NameAddr,
    TopVia,
    split_list,
    unfold,
)
from .uri import HOST, TOKEN, VALUE, check_uri, field_params, parse_name_addr, valid_host

_BARE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_START = re.compile(rb"(" + TOKEN + rb") ([^ ]+) (SIP/[0-9]+\.[0-9]+)", re.IGNORECASE)
_ACK = re.compile(rb"ACK(?![A-Za-z0-9\-.!%*_+`'~])")
_HEADER = re.compile(rb"(" + TOKEN + rb")[ \t]*:(.*)", re.DOTALL)
_VIA = re.compile(
    rb"(" + TOKEN + rb")[ \t]*/[ \t]*(" + TOKEN + rb")[ \t]*/[ \t]*(" + TOKEN + rb")[ \t]+"
    rb"(" + HOST + rb")(?:[ \t]*:[ \t]*([0-9]+))?([ \t]*(?:;.*)?)",
    re.DOTALL,
)
_WORD = rb"[A-Za-z0-9\-.!%*_+`'~()<>:\\\"/\[\]?{}]+"
_CALL_ID = re.compile(_WORD + rb"(?:@" + _WORD + rb")?")
_CSEQ = re.compile(rb"([0-9]+)[ \t]+(" + TOKEN + rb")")
_DIGITS = re.compile(rb"[0-9]+")
_PLAIN_VALUE = re.compile(VALUE)
_LWS = b" \t\r\n"
_ANSWERED_FROM = Fault.START_LINE  # faults below it are never answered


@dataclass
class Message:
    """A request as parsed; the attributes of sip_types.Request."""

    data: bytes
    method: bytes = b""
    uri: bytes = b""
    top_via: TopVia = field(default_factory=TopVia)
    from_: NameAddr = field(default_factory=NameAddr)
    to: NameAddr = field(default_factory=NameAddr)
    call_id: bytes = b""
    cseq: tuple[int, bytes] = (0, b"")
    max_forwards: int | None = None
    content_length: int | None = None
    body: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def via(self) -> list[bytes]:
        return self.all(b"via")

    @property
    def contacts(self) -> list[bytes]:
        return self.all(b"contact")

    @property
    def require(self) -> list[bytes]:
        return self.all(b"require")

    def first(self, name: bytes) -> bytes | None:
        """The first value of a header field, of a list its first element; None without one."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header field in order; name in any case or compact, lists split."""
        wanted = _canonical(name)
        values = [value for each, value in self.headers if _canonical(each) == wanted]
        return [one for v in values for one in split_list(v)] if wanted in LISTS else values


def parse(data: bytes) -> Message:
    """A request from one datagram (RFC 3261 7, 8.2, 18.3, 20). Raises Malformed."""
    if len(data) > MAX_MESSAGE:
        raise Malformed(Fault.TOO_LARGE, None)
    start = 0
    while data.startswith(b"\r\n", start):
        start += 2
    if start == len(data):
        raise Malformed(Fault.KEEPALIVE, None)
    if data[start : start + 4].upper() == b"SIP/":
        raise Malformed(Fault.RESPONSE, None)
    message = Message(data)
    faults: set[Fault] = set()
    lines = _frame(data, start, message, faults)
    usable = False
    if lines:
        _start_line(lines[0], message, faults)
        fields = _headers(lines[1:], message, faults)
        usable = _required(fields, message, faults)
        usable = usable and not _ACK.match(lines[0])
    if faults:
        worst = min(faults)
        raise Malformed(worst, message if usable and worst >= _ANSWERED_FROM else None)
    return message


def _frame(data: bytes, start: int, message: Message, faults: set[Fault]) -> list[bytes]:
    """The complete lines before the empty one; sets the body."""
    end = data.find(b"\r\n\r\n", start)
    if end < 0:
        faults.add(Fault.TRUNCATED)
        head = data[start:]
        if head.endswith(b"\r"):
            head = head[:-1]
    else:
        head, message.body = data[start:end], data[end + 4 :]
    if _BARE_END.search(head):
        faults.add(Fault.LINE_END)
    lines = head.split(b"\r\n")
    return lines if end >= 0 else lines[:-1]


def _start_line(line: bytes, message: Message, faults: set[Fault]) -> None:
    found = _START.fullmatch(line)
    if found is None:
        faults.add(Fault.START_LINE)
        return
    message.method, message.uri = found[1], found[2]
    if found[3].upper() != b"SIP/2.0":
        faults.add(Fault.VERSION)
    try:
        if check_uri(message.uri):
            faults.add(Fault.SCHEME)
        elif b"?" in message.uri.rpartition(b"@")[2]:
            faults.add(Fault.REQUEST_URI)  # RFC 3261 19.1.1: no headers in a Request-URI
    except ValueError:
        faults.add(Fault.REQUEST_URI)


def _headers(lines: list[bytes], message: Message, faults: set[Fault]) -> dict[bytes, list[bytes]]:
    """Joins folded lines and fills message.headers; answers values by canonical name."""
    joined: list[bytes] = []
    for line in lines:
        if joined and line[:1] in (b" ", b"\t"):
            joined[-1] += b"\r\n" + line
        else:
            joined.append(line)
    if len(joined) > MAX_HEADERS:
        faults.add(Fault.TOO_MANY_HEADERS)
    fields: dict[bytes, list[bytes]] = {}
    for each in joined[:MAX_HEADERS]:
        found = _HEADER.fullmatch(each)
        if found is None:
            faults.add(Fault.HEADER)
            continue
        value = unfold(found[2].strip(_LWS))
        message.headers.append((found[1], value))
        fields.setdefault(_canonical(found[1]), []).append(value)
    return fields


def _required(fields: dict[bytes, list[bytes]], message: Message, faults: set[Fault]) -> bool:
    """Counts and reads the fields a decision needs; True where the topmost Via is usable."""
    for name in (b"via", b"from", b"to", b"call-id", b"cseq", b"max-forwards"):
        label = name.decode().upper().replace("-", "_")
        if name not in fields:
            if name != b"max-forwards":
                faults.add(Fault[f"NO_{label}"])
        elif len(fields[name]) > 1 and name != b"via":
            faults.add(Fault[f"TWO_{label}"])
    usable = b"via" in fields and _via(fields[b"via"][0], message, faults)
    if b"from" in fields:
        message.from_ = _address(fields[b"from"][0], Fault.FROM, faults)
    if b"to" in fields:
        message.to = _address(fields[b"to"][0], Fault.TO, faults)
    if b"call-id" in fields:
        message.call_id = fields[b"call-id"][0]
        if not _CALL_ID.fullmatch(message.call_id):
            message.call_id = b""
            faults.add(Fault.CALL_ID)
    if b"cseq" in fields:
        _cseq(fields[b"cseq"][0], message, faults)
    if b"max-forwards" in fields:
        message.max_forwards = _number(fields[b"max-forwards"][0], MAX_MAX_FORWARDS)
        if message.max_forwards is None:
            faults.add(Fault.MAX_FORWARDS)
    _content_length(fields.get(b"content-length", []), message, faults)
    if not all(_contact_ok(value) for value in fields.get(b"contact", [])):
        faults.add(Fault.CONTACT)
    return usable


def via_element(element: bytes) -> TopVia | None:
    """A Via element taken apart as the topmost one is; None where it names no host."""
    message = Message(b"")
    return message.top_via if _via(element, message, set()) else None


def _via(value: bytes, message: Message, faults: set[Fault]) -> bool:
    # An element that is empty is the first one here, though split_list leaves it out.
    top = b"" if value.startswith(b",") else (split_list(value) or [b""])[0]
    found = _VIA.fullmatch(top)
    port = _number(found[5], MAX_PORT) if found and found[5] is not None else None
    if not found or not valid_host(found[4]) or (found[5] is not None and not port):
        faults.add(Fault.VIA)
        return False
    if found[1].upper() != b"SIP" or found[2] != b"2.0":
        faults.add(Fault.VIA)
    message.top_via = TopVia(transport=found[3], host=found[4], port=port)
    try:
        message.top_via = _via_params(message.top_via, found[6])
    except ValueError:
        faults.add(Fault.VIA)
    return True


def _via_params(via: TopVia, text: bytes) -> TopVia:
    known: dict[bytes, bytes | None] = {}
    for name, value in field_params(text):
        if name not in (b"branch", b"received", b"maddr", b"ttl", b"rport"):
            continue
        if name in known:
            raise ValueError("repeated parameter")
        if (value is None and name != b"rport") or (value or b"").startswith(b'"'):
            raise ValueError("bad parameter value")
        known[name] = value
    rport, maddr, ttl = known.get(b"rport"), known.get(b"maddr"), known.get(b"ttl")
    if rport is not None and not _number(rport, MAX_PORT):
        raise ValueError("bad rport")
    if maddr is not None and not valid_host(maddr):
        raise ValueError("bad maddr")
    hops = _number(ttl, MAX_TTL) if ttl is not None else None
    if ttl is not None and hops is None:
        raise ValueError("bad ttl")
    return via._replace(
        branch=known.get(b"branch"),
        rport=b"rport" in known,
        received=known.get(b"received"),
        maddr=maddr,
        ttl=hops,
    )


def _address(value: bytes, fault: Fault, faults: set[Fault]) -> NameAddr:
    try:
        return parse_name_addr(value)
    except ValueError:
        faults.add(fault)
        return NameAddr()


def _cseq(value: bytes, message: Message, faults: set[Fault]) -> None:
    found = _CSEQ.fullmatch(value)
    number = _number(found[1], MAX_CSEQ) if found else None
    if found is None or number is None:
        faults.add(Fault.CSEQ)
        return
    message.cseq = (number, found[2])
    if message.method and found[2] != message.method:
        faults.add(Fault.CSEQ)


def _content_length(values: list[bytes], message: Message, faults: set[Fault]) -> None:
    lengths = {_number(value, MAX_MESSAGE) for value in values}
    if not lengths:
        return
    length = lengths.pop()
    if lengths or length is None or length > len(message.body):
        faults.add(Fault.CONTENT_LENGTH)
        return
    message.content_length = length
    message.body = message.body[:length]


def _contact_ok(value: bytes) -> bool:
    """Quotes and brackets close, and a URI with a question mark stands in brackets (20.10)."""
    state, bracket, question, index = b"", False, False, 0
    while index < len(value):
        octet = value[index : index + 1]
        if state == b'"':
            index += octet == b"\\"
            state = b"" if octet == b'"' else state
        elif state == b"<":
            state = b"" if octet == b">" else state
        elif octet == b",":
            if question and not bracket:
                return False
            bracket = question = False
        else:
            state = octet if octet in b'"<' else b""
            bracket |= octet == b"<"
            question |= octet == b"?"
        index += 1
    return not state and (bracket or not question)


def _number(text: bytes, most: int) -> int | None:
    """Digits as a number up to `most`, or None."""
    short = text.lstrip(b"0")
    if not _DIGITS.fullmatch(text) or len(short) > len(str(most)):
        return None
    number = int(short or b"0")
    return number if number <= most else None


def _canonical(name: bytes) -> bytes:
    lower = name.lower()
    return COMPACT.get(lower, lower)
