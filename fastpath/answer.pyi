from collections.abc import Sequence

from .sip_types import Request

__all__ = ["destination", "response", "to_tag"]

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

def destination(message: Request, source: tuple[str, int]) -> tuple[str, int]:
    """Where an answer goes over UDP: the source host; its port with rport, else the Via's or 5060.

    RFC 3261 18.2.2 would send to a maddr: refused here, it would reflect traffic to strangers.
    """

def to_tag(key: bytes, message: Request) -> bytes:
    """The To tag of an answer, the same for a retransmission (RFC 3261 8.2.7, 19.3).

    A CANCEL gets the tag of the INVITE it cancels, an ACK is never answered. key: 1..64 octets.
    """
