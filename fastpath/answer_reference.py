"""Answers of a stateless user agent server in plain Python: what answer.pyx and answer_write mean.

1. An answer goes to the packet's own source address, never to a maddr, a received or a host that a
   stranger wrote: no datagram can make this server send to a third party.
2. What is copied is copied octet for octet; the topmost Via alone gains received and rport.
3. A retransmission gets the same octets: the To tag is a keyed hash, no clock and no chance.

RFC 3261 8.2.6, 8.2.7, 18.2; RFC 3581.
"""

import re
from collections.abc import Sequence

from .answer_types import DEFAULT_PORT, plain_address, tag_key
from .sip_types import Request, TopVia
from .siphash_reference import rounds

__all__ = ["destination", "response", "to_tag"]

_REPLACED = (b"received", b"rport", b"")  # parameters of the topmost Via; the empty ones go too
_CONTROL = bytes(range(0x20)) + b"\x7f"
_PIECE = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[^";]+|;', re.DOTALL)


def response(
    message: Request,
    status: int,
    reason: str,
    headers: Sequence[tuple[bytes, bytes]],
    to_tag: bytes | None,
    received: tuple[str, int],
) -> bytes:
    """The final answer to a request that came from `received`, (host, port) of the packet.

    Works on the message inside Malformed too: fields that are not there are left out. Raises
    ValueError for a status outside 100..699 or a control octet in the reason, tag or a header.
    """
    if not 100 <= status <= 699:
        raise ValueError(f"not a SIP status: {status}")
    lines = [b"SIP/2.0 %d %s" % (status, _clean(reason.encode()))]
    tag = _clean(to_tag or b"")
    vias = message.via
    if vias:
        lines.append(b"Via: " + _topmost(vias[0], message.top_via, received))
        lines += [b"Via: " + via for via in vias[1:]]
    for label, name in (
        (b"From", b"from"),
        (b"To", b"to"),
        (b"Call-ID", b"call-id"),
        (b"CSeq", b"cseq"),
    ):
        value = message.first(name)
        if value is not None:
            if name == b"to" and tag and message.to.tag is None and message.to.uri:
                value += b";tag=" + tag
            lines.append(label + b": " + value)
    lines += [_clean(name) + b": " + _clean(value) for name, value in headers]
    lines.append(b"Content-Length: 0\r\n\r\n")
    return b"\r\n".join(lines)


def destination(message: Request, source: tuple[str, int]) -> tuple[str, int]:
    """Where an answer goes over UDP: the source host; its port with rport, else the Via's or 5060.

    RFC 3261 18.2.2 would send to a maddr: refused here, it would reflect traffic to strangers.
    """
    via = message.top_via
    return source[0], source[1] if via.rport else via.port or DEFAULT_PORT


def to_tag(key: bytes, message: Request) -> bytes:
    """The To tag of an answer, the same for a retransmission (RFC 3261 8.2.7, 19.3).

    A CANCEL gets the tag of the INVITE it cancels, an ACK is never answered. key: 1..64 octets.
    """
    via = message.top_via
    parts = (message.call_id, message.from_.tag or b"", b"%d" % message.cseq[0], via.branch or b"")
    return b"%016x" % siphash(tag_key(key), b"\0".join(parts))


def siphash(key: bytes, data: bytes) -> int:
    """SipHash-2-4 of 64 bits: nobody without the 16 octets of the key can make one."""
    halves = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    state = [word ^ halves[place % 2] for place, word in enumerate(start)]
    data += b"\0" * (7 - len(data) % 8) + bytes([len(data) % 256])
    for place in range(0, len(data), 8):
        word = int.from_bytes(data[place : place + 8], "little")
        state[3] ^= word
        rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _topmost(element: bytes, via: TopVia, source: tuple[str, int]) -> bytes:
    """The topmost Via with what the packet says in place of what its sender claimed."""
    host = plain_address(source[0])
    differs = plain_address(via.host.decode("latin-1").strip("[]")) != host
    if not (via.rport or differs or via.received is not None):
        return element
    kept = [part for part in _parameters(element) if _name(part) not in _REPLACED]
    added = [b"received=" + host.encode()]
    if via.rport:
        added.append(b"rport=%d" % source[1])
    return b";".join([*kept, *added])


def _parameters(element: bytes) -> list[bytes]:
    """An element split at its semicolons, those in quotes left alone."""
    ends = [m.start() for m in _PIECE.finditer(element) if m[0] == b";"]
    starts = [0, *(end + 1 for end in ends)]
    return [element[a:b] for a, b in zip(starts, [*ends, len(element)], strict=True)]


def _name(part: bytes) -> bytes:
    return part.partition(b"=")[0].strip().lower()


def _clean(text: bytes) -> bytes:
    if len(text.translate(None, _CONTROL)) != len(text):
        raise ValueError("a control octet in an answer")
    return text
