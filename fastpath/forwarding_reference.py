"""Sending on as a stateless proxy in plain Python: what forwarding.pyx means (RFC 3261 16.11).

1. The same octets from the same host give the same branch, whatever changed meanwhile.
2. A response goes only to a host that the branch itself vouches for.
3. Limits of size and of memory are the compiled one's own.
"""

import ipaddress
import re

from .answer_reference import _topmost, siphash, to_tag
from .answer_types import DEFAULT_PORT, plain_address
from .claims_reference import claimless
from .forwarding_types import COOKIE, MAX_FORWARDS_SET, SPIRALS, branch_key, parse_sent_by
from .sip_reference import Message, _via, parse
from .sip_types import Malformed, Request, TopVia, split_list, unfold
from .uri import parse_name_addr, parse_uri

__all__ = ["Forwarding"]

_STATUS = re.compile(rb"SIP/2\.0 [1-6][0-9][0-9] ")
_BRANCH = re.compile(COOKIE + rb"([0-9a-f]{16})([0-9a-f]{16})")
_RPORT = re.compile(rb";[ \t]*rport[ \t]*=[ \t]*([0-9]+)", re.IGNORECASE)
_BREAK = re.compile(rb"[\r\n]")  # in a response each is a blank, folds or not
_LWS = b" \t\r\n"
EDITS = 16  # of one request: fewer than these


class Forwarding:
    """As the compiled one, without counters and without what is remembered."""

    def __init__(self, via: str, secret: bytes) -> None:
        self._own, self._key = parse_sent_by(via), branch_key(secret)

    def forward(
        self,
        data: bytes,
        source: tuple[str, int],
        uri: bytes,
        more: bytes = b"",
        secret: bytes = b"secret",
        trusted: bool = False,
    ) -> bytes | str | None:
        """A request as it goes on, or why it does not; None: it is malformed."""
        try:
            message = parse(data)
        except Malformed:
            return None
        if self.is_looping(message):
            return "loop"
        return self.rewritten(message, to_tag(secret, message), source, uri, more, trusted)

    def is_looping(self, message: Request) -> bool:
        """Whether a request has come through here too often."""
        return sum(self._is_ours(sound(via)) for via in message.via) >= SPIRALS

    def rewritten(
        self,
        message: Request,
        key: bytes,
        source: tuple[str, int],
        uri: bytes,
        more: bytes,
        trusted: bool,
    ) -> bytes | str:
        """A request as it goes on; "too_long" where there are too many claims to leave out."""
        start, _, rest = message.data.lstrip(b"\r\n").partition(b"\r\n")
        method = start.partition(b" ")[0]
        own = b"Via: SIP/2.0/UDP %s;branch=%s\r\n" % (
            self._own.text.encode(),
            COOKIE + key + self._check(key, source[0]),
        )
        counted = message.max_forwards is not None
        hops = b"" if counted else b"Max-Forwards: %d\r\n" % MAX_FORWARDS_SET
        replaced = more.startswith(b"P-Asserted-Identity:")
        *edited, body = self._edited(rest, message, source)
        cleared = [claimless(line, replaced, trusted) for line in edited]
        edits = 1 + counted + self._is_routed_here(message) + sum(cuts for _, cuts in cleared)
        if edits >= EDITS:
            return "too_long"
        lines = [line for line, _ in cleared]
        return b"".join([method, b" ", uri, b" SIP/2.0\r\n", own, more, hops, *lines, body])

    def relay(self, data: bytes) -> tuple[bytes, tuple[str, int]] | str:
        """A response as it goes on, and where to, or why it does not."""
        if not _STATUS.match(data):
            return "response_malformed"
        at = data.find(b"\n") + 1 or len(data)
        vias: list[tuple[bytes, int, int]] = []  # an element, and its field
        while at < len(data) and data[at : at + 1] not in (b"\r", b"\n"):
            end = _end(data, at)
            name, colon, value = data[at:end].partition(b":")
            if colon and name.rstrip(b" \t").lower() in (b"via", b"v"):
                vias += [(element.strip(_LWS), at, end) for element in _elements(value)]
            at = end
        if at >= len(data) or len(vias) < 2:
            return "response_malformed"
        first, second = (_BREAK.sub(b" ", element) for element, *_ in vias[:2])
        own, behind = sound(first), sound(second)
        if own is None or behind is None:
            return "response_malformed"
        found = _BRANCH.fullmatch(own.branch or b"")
        host = plain_address((behind.received or behind.host).decode("latin-1").strip("[]"))
        if not self._is_ours(own) or found is None or not _is_address(host):
            return "response_not_ours"
        if self._check(found[1], host) != found[2]:
            return "response_not_ours"
        rport = _RPORT.search(second)
        port = int(rport[1]) if rport else behind.port or DEFAULT_PORT
        return _without(data, vias), (host, port)

    def _edited(self, rest: bytes, message: Request, source: tuple[str, int]) -> list[bytes]:
        """What follows the first line, with what is replaced of the first of each field."""
        out: list[bytes] = []
        done: set[bytes] = set()
        at = 0
        while not rest.startswith(b"\r\n", at):
            end = _end(rest, at)
            line, at = rest[at:end], end
            name = line.partition(b":")[0].rstrip(b" \t").lower()
            name = b"via" if name == b"v" else name
            if name not in done:
                done.add(name)
                line = self._line(line, name, message, source)
            out.append(line)
        return [*out, rest[at:]]

    def _line(self, line: bytes, name: bytes, message: Request, source: tuple[str, int]) -> bytes:
        label, _, value = line.partition(b":")
        label += b":" + value[: len(value) - len(value.lstrip(_LWS))]
        value = value.lstrip(_LWS)
        if name == b"via":
            first = _elements(value)[0].rstrip(_LWS)
            topmost = _topmost(unfold(first), message.top_via, source)
            return label + topmost + value[len(first) :]
        if name == b"max-forwards":
            hops = max((message.max_forwards or 0) - 1, 0)
            return label + b"%d" % hops + value[len(value.rstrip(_LWS)) :]
        elements = _elements(value) if name == b"route" else []
        if elements and self._is_own_route(elements[0]):
            if len(elements) == 1:
                return b""
            return label + value[value.index(elements[1], len(elements[0])) :]
        return line

    def _is_routed_here(self, message: Request) -> bool:
        """Whether the topmost Route names us (RFC 3261 16.4)."""
        elements = _elements(message.first(b"route") or b"")
        return bool(elements) and self._is_own_route(elements[0])

    def _is_own_route(self, element: bytes) -> bool:
        try:
            uri = parse_uri(parse_name_addr(unfold(element)).uri)
        except ValueError:
            return False
        port = getattr(uri, "port", None) or DEFAULT_PORT
        return (getattr(uri, "host", b"").lower(), port) == (
            self._own.host.encode(),
            self._own.port,
        )

    def _is_ours(self, via: TopVia | None) -> bool:
        return via is not None and (via.host.lower(), via.port or DEFAULT_PORT) == (
            self._own.host.encode(),
            self._own.port,
        )

    def _check(self, key: bytes, host: str) -> bytes:
        packed = ipaddress.ip_address(plain_address(host)).packed
        return b"%016x" % siphash(self._key, key + packed)


def sound(element: bytes) -> TopVia | None:
    """A Via element taken apart; None where anything is amiss with it."""
    message = Message(b"")
    faults: set[object] = set()
    _via(element, message, faults)  # type: ignore[arg-type]
    return None if faults else message.top_via


def _elements(value: bytes) -> list[bytes]:
    return split_list(value.strip(_LWS))


def _end(data: bytes, at: int) -> int:
    """Where the field that begins there ends, with its folds."""
    while True:
        at = data.find(b"\n", at) + 1 or len(data)
        if data[at : at + 1] not in (b" ", b"\t"):
            return at


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _without(data: bytes, vias: list[tuple[bytes, int, int]]) -> bytes:
    """A response without the topmost Via."""
    (first, start, end), (second, other, _) = vias[:2]
    if other != start:
        return data[:start] + data[end:]
    colon = data.index(b":", start) + 1
    kept = data.index(second, data.index(first, colon) + len(first))
    return data[:colon] + data[kept:]
