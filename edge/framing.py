"""Messages out of a stream of octets (RFC 3261 18.3, RFC 5626 4.4.1), without I/O.

Invariants
1. However the octets are cut into pieces, the same frames come out.
2. At most MESSAGE_OCTETS are kept; a head or a message that would be longer ends the stream.
3. Where the end of a message cannot be told the frame says so, and nothing comes after it.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

__all__ = ["HEAD_OCTETS", "MESSAGE_OCTETS", "Frame", "Framer", "Kind"]

MESSAGE_OCTETS = 65_536  # of a message, head and body
HEAD_OCTETS = 32_768
LENGTH_OCTETS = 16  # of the text of a length: more is no number that is allowed

# At the beginning of a line: content-length or l, and its value with all of its folds.
LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE)
END = b"\r\n\r\n"


class Kind(Enum):
    """What a frame is. After one that is neither MESSAGE nor PING the stream is of no more use."""

    MESSAGE = "message"
    PING = "ping"  # answered with CRLF
    NO_LENGTH = "no_length"  # a head without Content-Length: the body's end is unknown
    BAD_LENGTH = "bad_length"  # a head whose Content-Length is no number, or several
    TOO_LARGE = "too_large"  # a head whose body would be too long
    HEAD_TOO_LARGE = "head_too_large"  # octets without the end of a head


class Frame(NamedTuple):
    """A message with its body; a head alone where the kind says that its body has no end."""

    kind: Kind
    octets: bytes = b""


class Framer:
    """Takes octets as they come; `receive` gives the frames that they complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = 0  # octets in which no head ends
        self._size = 0  # of the message whose head is there; 0: none is
        self._ended = False

    @property
    def partial(self) -> bool:
        """Whether a message has begun and is not whole."""
        return not END.startswith(self._buffer) and not self._ended

    def receive(self, octets: bytes) -> Iterator[Frame]:
        """The frames that these octets complete, in order."""
        if not self._ended:
            self._buffer += octets
        while not self._ended:
            frame = self._next()
            if frame is None:
                return
            if frame.kind not in (Kind.MESSAGE, Kind.PING):
                self._ended = True
                self._buffer.clear()
            yield frame

    def _next(self) -> Frame | None:
        """One more frame; None where more octets are needed."""
        buffer = self._buffer
        while not self._size and buffer.startswith(b"\r\n"):
            if buffer.startswith(END):
                del buffer[: len(END)]
                return Frame(Kind.PING)
            if END.startswith(buffer):
                return None
            del buffer[:2]  # a pong, or what some put between messages
        if not self._size:
            frame = self._head()
            if not self._size:
                return frame
        return self._take(self._size, Kind.MESSAGE) if len(buffer) >= self._size else None

    def _head(self) -> Frame | None:
        """Sets the size of the message that begins; a frame where it has none that may be."""
        end = self._buffer.find(END, max(0, self._looked - len(END) + 1), HEAD_OCTETS)
        if end < 0:
            self._looked = len(self._buffer)
            if self._looked < HEAD_OCTETS:
                return None
            return Frame(Kind.HEAD_TOO_LARGE, bytes(self._buffer[:HEAD_OCTETS]))
        head = end + len(END)
        lengths = {value.strip(b" \t\r\n") for value in LENGTH.findall(self._buffer, 0, end + 2)}
        if not lengths:
            return self._take(head, Kind.NO_LENGTH)
        text = lengths.pop()
        if lengths or not text.isdigit() or len(text) > LENGTH_OCTETS:
            return self._take(head, Kind.BAD_LENGTH)
        if head + int(text) > MESSAGE_OCTETS:
            return self._take(head, Kind.TOO_LARGE)
        self._size = head + int(text)
        return None

    def _take(self, size: int, kind: Kind) -> Frame:
        octets = bytes(self._buffer[:size])
        del self._buffer[:size]
        self._looked = self._size = 0
        return Frame(kind, octets)
