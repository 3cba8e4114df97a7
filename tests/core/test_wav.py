"""WAV files: what is readable passes, however it is cut; nothing else does."""

import io
import struct
import wave

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.core.wav import BUFFER, CHUNKS, Wav, WavError, WavReader

from .wavs import GUID, chunk, extensible, fmt, riff, wav

MOST = 20_000  # octets
SECONDS = 2.0
DATA = chunk(b"data", bytes(1600))


def read(octets: bytes, step: int = 1 << 16) -> Wav:
    reader = WavReader(MOST, SECONDS)
    for place in range(0, len(octets), step):
        reader.receive(octets[place : place + step])
    return reader.finish()


def refused(octets: bytes) -> str:
    with pytest.raises(WavError) as error:
        read(octets)
    return str(error.value)


GOOD = {
    "pcm": (wav(), Wav("pcm", 1, 8000, 16, 1600)),
    "pcm 8": (wav(bits=8), Wav("pcm", 1, 8000, 8, 1600)),
    "stereo": (wav(channels=2, rate=48000), Wav("pcm", 2, 48000, 16, 1600)),
    "alaw": (wav(format_=6, bits=8), Wav("alaw", 1, 8000, 8, 1600)),
    "ulaw": (wav(format_=7, bits=8), Wav("ulaw", 1, 8000, 8, 1600)),
    "with an empty extension": (
        riff(fmt(7, bits=8, extra=b"\0\0"), DATA),
        Wav("ulaw", 1, 8000, 8, 1600),
    ),
    "extensible": (riff(extensible(), DATA), Wav("pcm", 1, 8000, 16, 1600)),
    "extensible alaw": (riff(extensible(6, 8, 8), DATA), Wav("alaw", 1, 8000, 8, 1600)),
    "other chunks": (
        riff(chunk(b"JUNK", b"x" * 7), fmt(), chunk(b"fact", b"1234"), DATA, chunk(b"LIST", b"y")),
        Wav("pcm", 1, 8000, 16, 1600),
    ),
    "odd and padded": (wav(bytes(7), bits=8), Wav("pcm", 1, 8000, 8, 7)),
    "odd, its padding not counted": (
        riff(fmt(bits=8), chunk(b"data", bytes(7)), size=4 + 24 + 15),
        Wav("pcm", 1, 8000, 8, 7),
    ),
    "odd and not padded": (
        riff(fmt(bits=8), chunk(b"data", bytes(7))[:-1]),
        Wav("pcm", 1, 8000, 8, 7),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_readable_passes_however_it_is_cut(name: str) -> None:
    octets, expected = GOOD[name]
    for step in (1, 3, 12, 1000, 1 << 16):
        assert read(octets, step) == expected


BAD = {
    "nothing": (b"", "is no WAV file"),
    "a page": (b"<html></html>", "is no WAV file"),
    "big-endian": (b"RIFX" + wav()[4:], "is no WAV file"),
    "another form": (wav().replace(b"WAVE", b"AVI "), "is no WAV file"),
    "a header alone": (riff(), "has no samples"),
    "no format": (riff(DATA), "must say its format before its samples"),
    "no data": (riff(fmt()), "has no samples"),
    "empty data": (wav(b""), "has no samples"),
    "two formats": (riff(fmt(), fmt(), DATA), "says its format twice"),
    "two data": (riff(fmt(), DATA, DATA), "has its samples twice"),
    "mp3": (wav(format_=0x55), "must be 8 or 16 bit PCM, A-law or mu-law"),
    "float": (wav(format_=3, bits=32), "must be 8 or 16 bit PCM, A-law or mu-law"),
    "24 bit": (wav(bits=24), "must be 8 or 16 bit PCM, A-law or mu-law"),
    "alaw of 16 bit": (wav(format_=6), "must be 8 or 16 bit PCM, A-law or mu-law"),
    "no channel": (wav(channels=0), "must have one or two channels"),
    "three channels": (wav(bytes(12), channels=3), "must have one or two channels"),
    "slow": (wav(rate=7999), "must have 8000 to 48000 samples a second"),
    "fast": (wav(rate=48001), "must have 8000 to 48000 samples a second"),
    "half a sample": (wav(bytes(3)), "ends within a sample"),
    "long": (wav(bytes(8001 * 2), bits=8), "must last at most 2 seconds"),
    "a short format": (riff(chunk(b"fmt ", bytes(14)), DATA), "has a format that cannot be read"),
    "a long format": (
        riff(fmt(extra=bytes(BUFFER)), DATA),
        "has a format that cannot be read",
    ),
    "a short extension": (
        riff(fmt(0xFFFE, extra=bytes(20)), DATA),
        "has a format that cannot be read",
    ),
    "another sub-format": (riff(extensible(guid=GUID[::-1]), DATA), "has a format that cannot"),
    "20 of 24 bits": (riff(extensible(valid=12), DATA), "has a format that cannot be read"),
    "a false align": (
        riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 4, 16)), DATA),
        "has a format that contradicts itself",
    ),
    "a false rate": (
        riff(chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 1, 2, 16)), DATA),
        "has a format that contradicts itself",
    ),
    "a chunk beyond the file": (
        riff(fmt(), b"data" + struct.pack("<I", 1602) + bytes(1600)),
        "has a chunk that is longer than the file",
    ),
    "a chunk of 4 GiB": (
        riff(fmt(), b"data" + b"\xff" * 4 + bytes(1600)),
        "has a chunk that is longer than the file",
    ),
    "a form of 4 GiB": (riff(fmt(), DATA, size=0xFFFFFFFF), f"must have at most {MOST} octets"),
    "cut": (wav()[:-1], "ends before its end"),
    "half a chunk's header": (riff(fmt(), DATA, b"LIST\0\0"), "ends before its end"),
    "more than it says": (wav() + b"\0", "goes on after its end"),
    "too many chunks": (
        riff(fmt(), *[chunk(b"JUNK", b"")] * CHUNKS, DATA),
        "has too many chunks",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_not_readable_is_refused(name: str) -> None:
    octets, why = BAD[name]
    assert why in refused(octets)


def test_what_is_too_long_is_refused_with_its_first_octets() -> None:
    reader = WavReader(MOST, SECONDS)
    with pytest.raises(WavError, match=str(MOST)):
        reader.receive(riff(size=2**31)[:12])
    reader = WavReader(MOST, SECONDS)
    with pytest.raises(WavError, match=str(MOST)):
        reader.receive(bytes(MOST + 1))


def test_what_another_reader_reads_passes_alike() -> None:
    for channels, bits, rate in ((1, 8, 8000), (1, 16, 16000), (2, 16, 44100)):
        file = io.BytesIO()
        with wave.open(file, "wb") as writer:
            writer.setnchannels(channels)
            writer.setsampwidth(bits // 8)
            writer.setframerate(rate)
            writer.writeframes(bytes(channels * bits // 8 * 100))
        found = read(file.getvalue())
        assert found == ("pcm", channels, rate, bits, channels * bits // 8 * 100)


def outcome(octets: bytes, steps: "list[int]") -> "Wav | str":
    reader, place = WavReader(MOST, SECONDS), 0
    try:
        for step in (*steps, len(octets)):
            reader.receive(octets[place : place + step])
            place += step
        return reader.finish()
    except WavError as error:
        return str(error)


CHANGES = st.lists(
    st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=4)), min_size=0, max_size=3
)


@settings(max_examples=300, deadline=None)
@given(
    base=st.sampled_from([octets for octets, _ in GOOD.values()] + [b""]),
    changes=CHANGES,
    cut=st.integers(0, 2000),
    tail=st.binary(max_size=40),
    steps=st.lists(st.integers(1, 50), max_size=20),
)
def test_whatever_comes_is_read_or_refused(base, changes, cut, tail, steps) -> None:
    octets = bytearray(base[: cut or None])
    for place, new in changes:
        octets[place : place + len(new)] = new
    octets += tail
    found = outcome(bytes(octets), steps)
    if isinstance(found, str):
        return
    assert 0 < found.data <= len(octets)
    assert found.seconds <= SECONDS
    assert found.data % found.frame == 0
    if found.encoding == "pcm" and octets[20:22] == b"\1\0":
        with wave.open(io.BytesIO(bytes(octets))) as other:
            assert other.getnframes() * found.frame == found.data
