"""HTTP/1.1 on a connection, for uvicorn.

1. A method of any name reaches the application, which alone says what is allowed: one that the
   parser does not know is read as PATCH, which no route names.
2. What is no request, or has a request line and headers beyond the limits, ends the connection
   with status 400, in the form of every other exception.
3. A request that is not whole in time ends its connection, with status 408 where nothing was
   answered yet (RFC 9110, 15.5.9); so does a connection that sends none, without an answer. A long
   body has more time while it keeps coming, or while it is not asked for.
4. What arrives of a body after its answer is dropped, up to a limit, so that the answer is read.
"""

import asyncio
import re
from typing import Any, Final
from uuid import uuid4

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .config import Limits
from .envelope import encode, unread

__all__ = ["HttpProtocol"]

LIMITS: Final = Limits()
KNOWN: Final = frozenset((b"GET", b"PUT", b"POST", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH"))
METHOD: Final = re.compile(rb"([A-Z][A-Z0-9_-]{0,31}) [/h]")


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._between = True  # no request has begun
        self._head = 0  # octets received of a request whose headers are not whole
        self._ended = False  # with the octets received last, a request was whole
        self._arrived = 0  # octets of the body since the time began
        self._held = False  # since the time began, no more of the body was asked for
        self._dropped = 0  # octets of the body that came after its answer
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(LIMITS.receive_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def _expect(self, seconds: float | None) -> None:
        """Starts the time in which a request must arrive; None: it has arrived."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        if self._head < 0 and (self._held or self._arrived >= LIMITS.receive_bytes):
            self._arrived, self._held = 0, self.flow.read_paused
            self._expect(LIMITS.receive_seconds)
        elif self._between or self._answering():
            self.transport.close()
        else:
            self._refuse(408, "Request Timeout", "The request did not arrive in time.")

    def _answering(self) -> bool:
        """Whether octets of an answer are, or will be, on their way before that to this request."""
        cycle = self.cycle
        if self._head >= 0:  # it has none of its own yet
            return cycle is not None and not cycle.response_complete
        return cycle.response_started or bool(self.pipeline)

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "Bad Request", msg.rstrip(".") + ".")

    def _refuse(self, code: int, reason: str, message: str) -> None:
        body = encode(unread(message, code))
        head = (
            f"HTTP/1.1 {code} {reason}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nx-request-id: {uuid4().hex}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._between:
            method = METHOD.match(data)
            if method is not None and method[1] not in KNOWN:
                data = b"PATCH" + data[len(method[1]) :]
        self._ended = False
        super().data_received(data)
        if self._head >= 0 and not self._ended:  # else the octets are of two requests
            self._head += len(data)
            if self._head > LIMITS.header_bytes and not self.transport.is_closing():
                self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        self._between = False
        self._head = 0
        self._arrived, self._held, self._dropped = 0, False, 0
        self._expect(LIMITS.receive_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = -1
        octets = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > LIMITS.headers or octets > LIMITS.header_bytes:
            raise ValueError("too many headers, or too long")
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._arrived += len(body)
        self._held = self._held or self.flow.read_paused
        if self.cycle.response_complete:
            self._dropped += len(body)
            if self._dropped > LIMITS.drain_bytes:
                self.transport.close()

    def on_message_complete(self) -> None:
        self._between = self._ended = True
        self._head = -1
        self._expect(None)
        super().on_message_complete()
