"""Reads WAV files as they come in: no I/O, no whole file in memory.

The form is RIFF ("Multimedia Programming Interface and Data Specifications 1.0", 1991) with the
formats of "New Multimedia Data Types and Data Techniques" (1994) and WAVE_FORMAT_EXTENSIBLE.

Invariants:
1. What passes has one `fmt ` chunk, then one `data` chunk that lies in the file, of whole frames.
2. No size in the file is believed: all chunks together are exactly what was received.
3. What cannot become a file that passes is refused with the octets that show it, not at the end.
4. Never more than BUFFER octets are kept, nor more than CHUNKS chunks looked at.
"""

import struct
from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn

CHUNKS: Final = 256  # chunks of a file
BUFFER: Final = 64  # octets of a chunk that are kept
RATES: Final = (8_000, 48_000)  # samples a second, from and to
CHANNELS: Final = (1, 2)

PCM: Final = 1
ALAW: Final = 6
MULAW: Final = 7
EXTENSIBLE: Final = 0xFFFE
ENCODINGS: Final = {PCM: "pcm", ALAW: "alaw", MULAW: "ulaw"}
BITS: Final = {PCM: (8, 16), ALAW: (8,), MULAW: (8,)}
# What follows the format's number in the GUID of a sub-format.
GUID_REST: Final = bytes.fromhex("0000000010008000 00aa00389b71")

RIFF_HEADER: Final = 12
CHUNK_HEADER: Final = 8
FMT_BYTES: Final = 16  # of the shortest fmt chunk
EXTENSIBLE_BYTES: Final = 40  # of the fmt chunk of WAVE_FORMAT_EXTENSIBLE


class WavError(ValueError):
    """Not such a file; the text completes the sentence `The file ...`."""


class Wav(NamedTuple):
    """What a file holds. `encoding` is pcm, alaw or ulaw; `data` is the length in octets."""

    encoding: str
    channels: int
    rate: int
    bits: int
    data: int

    @property
    def frame(self) -> int:
        """Octets of one sample of every channel."""
        return self.channels * self.bits // 8

    @property
    def seconds(self) -> float:
        return self.data / (self.rate * self.frame)


class WavReader:
    """Takes a file piece by piece."""

    def __init__(self, most_bytes: int, most_seconds: float) -> None:
        self._most_bytes = most_bytes
        self._most_seconds = most_seconds
        self._received = 0
        self._end = most_bytes  # where the RIFF form ends, once its size is known
        self._padding = 0  # octets that may follow: a form of an odd size may be padded
        self._place = 0  # where what is not yet looked at begins
        self._kept = b""
        self._wanted = RIFF_HEADER  # octets that the next step looks at
        self._step: Callable[[bytes], None] = self._riff
        self._skip = 0  # octets to pass over before that
        self._left = CHUNKS
        self._format: Wav | None = None
        self._data: int | None = None

    def receive(self, octets: bytes) -> None:
        """Takes the next octets. Raises WavError."""
        self._received += len(octets)
        if self._received > self._most_bytes:
            _refuse(self._too_long)
        view = memoryview(octets)
        while view:
            if self._skip:
                passed = min(self._skip, len(view))
                self._skip -= passed
                self._place += passed
                view = view[passed:]
                continue
            taken = min(self._wanted - len(self._kept), len(view))
            self._kept += bytes(view[:taken])
            view = view[taken:]
            if len(self._kept) == self._wanted:
                found, self._kept = self._kept, b""
                self._place += len(found)
                self._step(found)
        if self._received > self._end + self._padding:
            _refuse("goes on after its end")

    def finish(self) -> Wav:
        """What the file holds, all of it received. Raises WavError."""
        if self._received < RIFF_HEADER:
            _refuse("is no WAV file")
        if self._received < self._end or self._kept:
            _refuse("ends before its end")
        if self._format is None or self._data is None:
            _refuse("has no samples")
        return self._format._replace(data=self._data)

    @property
    def _too_long(self) -> str:
        return f"must have at most {self._most_bytes} octets"

    def _riff(self, found: bytes) -> None:
        name, size, form = struct.unpack("<4sI4s", found)
        if (name, form) != (b"RIFF", b"WAVE"):
            _refuse("is no WAV file")
        if size + CHUNK_HEADER > self._most_bytes:
            _refuse(self._too_long)
        self._end, self._padding = size + CHUNK_HEADER, size % 2
        self._next()

    def _next(self) -> None:
        self._wanted, self._step = CHUNK_HEADER, self._chunk

    def _chunk(self, found: bytes) -> None:
        name, size = struct.unpack("<4sI", found)
        self._left -= 1
        if not self._left:
            _refuse("has too many chunks")
        if self._place + size > self._end:
            _refuse("has a chunk that is longer than the file")
        if name == b"fmt ":
            self._begin_format(size)
            return
        if name == b"data":
            self._take_data(size)
        self._skip = size + size % 2
        self._next()

    def _begin_format(self, size: int) -> None:
        if self._format is not None:
            _refuse("says its format twice")
        if not FMT_BYTES <= size <= BUFFER:
            _refuse("has a format that cannot be read")
        self._wanted, self._step = size, self._take_format

    def _take_format(self, found: bytes) -> None:
        format_, channels, rate, byte_rate, align, bits = struct.unpack_from("<HHIIHH", found)
        if format_ == EXTENSIBLE:
            format_ = _sub_format(found, bits)
        if format_ not in ENCODINGS or bits not in BITS[format_]:
            _refuse("must be 8 or 16 bit PCM, A-law or mu-law")
        if channels not in CHANNELS:
            _refuse("must have one or two channels")
        if not RATES[0] <= rate <= RATES[1]:
            _refuse(f"must have {RATES[0]} to {RATES[1]} samples a second")
        wav = Wav(ENCODINGS[format_], channels, rate, bits, 0)
        if align != wav.frame or byte_rate != rate * align:
            _refuse("has a format that contradicts itself")
        self._format = wav
        self._skip = len(found) % 2
        self._next()

    def _take_data(self, size: int) -> None:
        if self._format is None:
            _refuse("must say its format before its samples")
        if self._data is not None:
            _refuse("has its samples twice")
        if not size:
            _refuse("has no samples")
        if size % self._format.frame:
            _refuse("ends within a sample")
        if self._format._replace(data=size).seconds > self._most_seconds:
            _refuse(f"must last at most {self._most_seconds:.0f} seconds")
        self._data = size


def _sub_format(found: bytes, bits: int) -> int:
    """The format that an extensible one stands for. Raises WavError."""
    if len(found) < EXTENSIBLE_BYTES:
        _refuse("has a format that cannot be read")
    extra, valid, _, format_, rest = struct.unpack_from("<HHIH14s", found, FMT_BYTES)
    if extra < EXTENSIBLE_BYTES - FMT_BYTES - 2 or valid not in (0, bits) or rest != GUID_REST:
        _refuse("has a format that cannot be read")
    return int(format_)


def _refuse(what: str) -> NoReturn:
    raise WavError(what)


__all__ = ["Wav", "WavError", "WavReader"]
