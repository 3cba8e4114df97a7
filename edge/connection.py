"""One connection of SIP over TCP or TLS: octets in, answers out, an end in time.

Invariants
1. It is bounded in what it leaves unfinished, in how long it does, and in what it does not read.
2. What comes together is answered together: one write, however many messages there are.
3. A peer that was refused, or that has closed its half over TCP, gets the answers that it waits for
   before the connection ends; what it sends after a refusal is dropped unread, for a reset would
   take the refusal along.
4. Nothing is logged for a message, and nothing here raises into the event loop.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from .framing import Frame, Framer, Kind

__all__ = ["Connection", "Limits", "Owner", "StreamCounts"]

log = logging.getLogger("callscreen.edge")

PONG = b"\r\n"
AT_ONCE = ("unread", "fault")  # what is still to be written is given up


@dataclass(frozen=True)
class Limits:
    """Of the connections of one listener."""

    connections: int = 4_096
    connections_a_host: int = 256
    message_seconds: float = 10.0  # from a message's first octet to its last
    idle_seconds: float = 3_600.0
    handshake_seconds: float = 10.0
    unread_octets: int = (
        256 * 1024
    )  # answers that the peer has not read; then it is not read either
    unread_seconds: float = 10.0


@dataclass(slots=True)
class StreamCounts:
    """Of one listener. Plain numbers, written by the event loop alone."""

    opened: int = 0
    messages: int = 0
    closed: Counter[str] = field(default_factory=Counter)  # by us, and why


class Owner(Protocol):
    """Whose connections they are."""

    limits: Limits
    counts: StreamCounts
    open: set["Connection"]
    now: Callable[[], float]
    admits: Callable[[str], bool]

    def answer(self, message: bytes, source: tuple[str, int], connection: "Connection") -> None:
        """Has a whole message answered by `write`, or after `expect` by `reply`."""

    def refusal(self, frame: Frame, source: tuple[str, int]) -> bytes:
        """The answer to a head whose message has no end that can be told; empty: none."""

    def left(self, connection: "Connection", host: str) -> None:
        """A connection is over."""


class Connection(asyncio.Protocol):
    """One peer."""

    def __init__(self, owner: Owner, host: str, port: int) -> None:
        self._owner = owner
        self._source = host, port
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self.made = False
        self._answers: list[bytes] | None = None  # those to what is being taken; None: nothing is
        self._awaited = 0  # answers that come later
        self._begun: float | None = None  # when the message that is not whole began
        self._heard = owner.now()
        self._unread: float | None = None  # since when the peer has not read
        self._ended = False  # the peer sends nothing more
        self._closed: float | None = None  # when it was closed by us
        self._refused = False  # and why: the peer's octets have no end that can be told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.made = True
        transport.set_write_buffer_limits(high=self._owner.limits.unread_octets)
        self._owner.open.add(self)
        self._owner.counts.opened += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._owner.left(self, self._source[0])

    def eof_received(self) -> bool:
        """Stays for answers that are still to come; over TLS nothing can follow the peer's end."""
        self._ended = True
        transport = self._transport
        return bool(self._awaited) and transport is not None and transport.can_write_eof()

    def pause_writing(self) -> None:
        self._unread = self._owner.now()
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._unread = None
        if self._begun is not None:  # meanwhile it was we who did not read
            self._begun = self._owner.now()
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        if self._closed is not None:
            return
        if not self._owner.admits(self._source[0]):
            self.close("untrusted")
            return
        self._heard = self._owner.now()
        self._answers = []
        try:
            for frame in self._framer.receive(data):
                self._begun = None
                if not self._frame(frame):
                    return
        except Exception:  # a fault of ours: this peer is let go, the others stay
            log.exception("a stream of SIP is closed")
            self.close("fault")
            return
        finally:
            self._flush()
        if not self._framer.partial:
            self._begun = None
        elif self._begun is None:
            self._begun = self._heard

    def overdue(self, now: float) -> str:
        """Why it should be closed by now; empty where it should not."""
        limits = self._owner.limits
        if self._closed is not None:
            return "unread" if now - self._closed > limits.unread_seconds else ""
        if self._unread is not None and now - self._unread > limits.unread_seconds:
            return "unread"
        if self._begun is not None and now - self._begun > limits.message_seconds:
            return "slow"
        if now - self._heard > limits.idle_seconds:
            return "idle"
        return "" if self._owner.admits(self._source[0]) else "untrusted"

    def close(self, why: str) -> None:
        """Closes it for a reason of ours; what the peer has not read by then is lost."""
        transport = self._transport
        if transport is None:
            return
        if self._closed is not None or transport.is_closing():  # what was left has not been read
            transport.abort()
            return
        self._flush()
        self._owner.counts.closed[why] += 1
        self._closed = self._owner.now()
        if why in AT_ONCE:
            transport.abort()
        elif self._refused:
            self._finish()
        else:
            transport.close()

    def write(self, octets: bytes) -> None:
        """Writes an answer; nothing where nobody could read it any more."""
        if self._answers is not None:
            self._answers.append(octets)
        elif octets and self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def expect(self) -> None:
        """One answer comes later, by `reply`."""
        self._awaited += 1

    def reply(self, octets: bytes) -> None:
        """Writes an answer that was expected."""
        self._awaited -= 1
        self.write(octets)
        if self._ended or self._refused:
            self._finish()

    def _finish(self) -> None:
        """Ends our half once nothing more is awaited; the peer, or time, ends the other."""
        transport = self._transport
        if transport is None or self._awaited:
            return
        if self._ended or not transport.can_write_eof():
            transport.close()
        else:
            transport.write_eof()

    def _flush(self) -> None:
        answers, self._answers = self._answers, None
        if answers:
            self.write(b"".join(answers))

    def _frame(self, frame: Frame) -> bool:
        """Whether another may follow it."""
        if frame.kind is Kind.PING:
            self.write(PONG)
            return True
        self._owner.counts.messages += 1
        if frame.kind is Kind.MESSAGE:
            self._owner.answer(frame.octets, self._source, self)
            return True
        self.write(self._owner.refusal(frame, self._source))
        self._refused = True
        self.close(frame.kind.value)
        return False
