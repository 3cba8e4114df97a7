"""What the SIP parser and its plain twin share: limits, faults, and the shapes of what they answer.

1. A fault's number is its rank: a message with several is refused for the lowest.
2. `Malformed.message` is None where nothing may be answered: the datagram is dropped and counted.
3. Octets stay octets: nothing here decodes what a stranger sent.
"""

import re
from enum import IntEnum
from typing import NamedTuple, Protocol

# Limits, in octets unless the name says otherwise.
MAX_MESSAGE = 65_536
MAX_HEADERS = 200  # header fields a message, folded lines counted as one
MAX_HOST = 255
MAX_CSEQ = 2**31 - 1  # RFC 3261 8.1.1.5
MAX_MAX_FORWARDS = 255  # RFC 3261 20.22
MAX_PORT = 65_535
MAX_TTL = 255


class Fault(IntEnum):
    """Why a message is refused, in order of precedence. The numbers stand in sip_scan.pxd too."""

    KEEPALIVE = 1
    TOO_LARGE = 2
    RESPONSE = 3
    LINE_END = 4
    START_LINE = 5
    VERSION = 6
    REQUEST_URI = 7
    SCHEME = 8
    TRUNCATED = 9
    TOO_MANY_HEADERS = 10
    HEADER = 11
    NO_VIA = 12
    NO_FROM = 13
    NO_TO = 14
    NO_CALL_ID = 15
    NO_CSEQ = 16
    TWO_FROM = 17
    TWO_TO = 18
    TWO_CALL_ID = 19
    TWO_CSEQ = 20
    TWO_MAX_FORWARDS = 21
    VIA = 22
    FROM = 23
    TO = 24
    CALL_ID = 25
    CSEQ = 26
    MAX_FORWARDS = 27
    CONTENT_LENGTH = 28
    CONTACT = 29


class Answer(NamedTuple):
    """How a fault is answered: status 0 is never answered; kind names its counter."""

    status: int
    reason: str
    kind: str


FAULTS: dict[Fault, Answer] = {
    Fault.KEEPALIVE: Answer(0, "Keep-Alive", "keepalive"),
    Fault.TOO_LARGE: Answer(0, "Message Too Large", "too_large"),
    Fault.RESPONSE: Answer(0, "Not A Request", "response"),
    Fault.LINE_END: Answer(0, "Bad Line End", "line_end"),
    Fault.START_LINE: Answer(400, "Bad Request-Line", "start_line"),
    Fault.VERSION: Answer(505, "Version Not Supported", "version"),
    Fault.REQUEST_URI: Answer(400, "Bad Request-URI", "request_uri"),
    Fault.SCHEME: Answer(416, "Unsupported URI Scheme", "scheme"),
    Fault.TRUNCATED: Answer(400, "No End Of Headers", "truncated"),
    Fault.TOO_MANY_HEADERS: Answer(400, "Too Many Headers", "too_many_headers"),
    Fault.HEADER: Answer(400, "Bad Header Field", "header"),
    Fault.NO_VIA: Answer(400, "Missing Via", "missing"),
    Fault.NO_FROM: Answer(400, "Missing From", "missing"),
    Fault.NO_TO: Answer(400, "Missing To", "missing"),
    Fault.NO_CALL_ID: Answer(400, "Missing Call-ID", "missing"),
    Fault.NO_CSEQ: Answer(400, "Missing CSeq", "missing"),
    Fault.TWO_FROM: Answer(400, "Repeated From", "repeated"),
    Fault.TWO_TO: Answer(400, "Repeated To", "repeated"),
    Fault.TWO_CALL_ID: Answer(400, "Repeated Call-ID", "repeated"),
    Fault.TWO_CSEQ: Answer(400, "Repeated CSeq", "repeated"),
    Fault.TWO_MAX_FORWARDS: Answer(400, "Repeated Max-Forwards", "repeated"),
    Fault.VIA: Answer(400, "Bad Via", "via"),
    Fault.FROM: Answer(400, "Bad From", "from"),
    Fault.TO: Answer(400, "Bad To", "to"),
    Fault.CALL_ID: Answer(400, "Bad Call-ID", "call_id"),
    Fault.CSEQ: Answer(400, "Bad CSeq", "cseq"),
    Fault.MAX_FORWARDS: Answer(400, "Bad Max-Forwards", "max_forwards"),
    Fault.CONTENT_LENGTH: Answer(400, "Bad Content-Length", "content_length"),
    Fault.CONTACT: Answer(400, "Bad Contact", "contact"),
}


class NameAddr(NamedTuple):
    """From, To and their like (RFC 3261 20.10): display as received, quotes kept."""

    display: bytes = b""
    uri: bytes = b""
    tag: bytes | None = None


class TopVia(NamedTuple):
    """The topmost Via (RFC 3261 20.42, RFC 3581). host keeps the brackets of an IPv6 address."""

    transport: bytes = b""
    host: bytes = b""
    port: int | None = None
    branch: bytes | None = None
    rport: bool = False  # the parameter is there, with or without a value
    received: bytes | None = None
    maddr: bytes | None = None
    ttl: int | None = None


class Request(Protocol):
    """What a parsed request shows; the compiled Message and its twin both do.

    Of a message inside Malformed, fields that could not be read are empty or None.
    """

    @property
    def data(self) -> bytes: ...
    @property
    def method(self) -> bytes: ...
    @property
    def uri(self) -> bytes: ...
    @property
    def top_via(self) -> TopVia: ...
    @property
    def via(self) -> list[bytes]: ...
    @property
    def from_(self) -> NameAddr: ...
    @property
    def to(self) -> NameAddr: ...
    @property
    def call_id(self) -> bytes: ...
    @property
    def cseq(self) -> tuple[int, bytes]: ...
    @property
    def max_forwards(self) -> int | None: ...
    @property
    def content_length(self) -> int | None: ...
    @property
    def body(self) -> bytes: ...
    @property
    def contacts(self) -> list[bytes]: ...
    @property
    def require(self) -> list[bytes]: ...
    @property
    def headers(self) -> list[tuple[bytes, bytes]]: ...

    def first(self, name: bytes) -> bytes | None: ...
    def all(self, name: bytes) -> list[bytes]: ...


class Malformed(ValueError):
    """A message that is refused; `message` is what can be answered, or None: drop it."""

    def __init__(self, fault: Fault, message: Request | None) -> None:
        self.fault = fault
        self.status, self.reason, self.kind = FAULTS[fault]
        self.message = message
        super().__init__(self.reason)


# Compact header names (RFC 3261 7.3.3 and the IANA registry of SIP header fields).
COMPACT: dict[bytes, bytes] = {
    b"a": b"accept-contact",
    b"b": b"referred-by",
    b"c": b"content-type",
    b"d": b"request-disposition",
    b"e": b"content-encoding",
    b"f": b"from",
    b"i": b"call-id",
    b"j": b"reject-contact",
    b"k": b"supported",
    b"l": b"content-length",
    b"m": b"contact",
    b"n": b"identity-info",
    b"o": b"event",
    b"r": b"refer-to",
    b"s": b"subject",
    b"t": b"to",
    b"u": b"allow-events",
    b"v": b"via",
    b"x": b"session-expires",
    b"y": b"identity",
}
LETTERS: dict[bytes, bytes] = {name: letter for letter, name in COMPACT.items()}

# Header fields whose value is a comma-separated list (RFC 3261 7.3.1, the fields' own grammars).
LISTS: frozenset[bytes] = frozenset(
    b"accept accept-contact accept-encoding accept-language alert-info allow allow-events "
    b"call-info contact content-encoding content-language diversion error-info history-info "
    b"in-reply-to p-asserted-identity p-preferred-identity path proxy-require reason record-route "
    b"reject-contact request-disposition require route service-route supported unsupported via "
    b"warning".split()
)

_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|<[^>]*(?:>|\Z)|[^",<]+|,', re.DOTALL)


def unfold(value: bytes) -> bytes:
    """A header value with every line fold as one space (RFC 3261 7.3.1)."""
    if b"\r" not in value:
        return value
    return b" ".join(line.strip(b" \t") for line in value.split(b"\r\n")).strip(b" ")


def split_list(value: bytes) -> list[bytes]:
    """Elements of a comma list; commas in quotes and in <> do not separate, empty ones fall out."""
    if b"," not in value:
        return [value] if value else []
    commas = [m.start() for m in _PIECE.finditer(value) if m[0] == b","]
    starts = [0, *(comma + 1 for comma in commas)]
    elements = (
        value[a:b].strip(b" \t") for a, b in zip(starts, [*commas, len(value)], strict=True)
    )
    return [element for element in elements if element]
