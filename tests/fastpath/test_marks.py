"""Where a head ends, its marks and line feeds, by every way; and nothing is read beyond."""

import ctypes
import mmap

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callscreen.fastpath import marks, marks_reference

WAYS = ["octets", "narrow", *(["wide"] if marks.wide() else [])]
BORDERS = [*range(14, 19), *range(30, 35), *range(62, 67), *range(126, 131)]  # octets


@pytest.mark.parametrize("way", WAYS)
def test_every_octet_is_plain_or_marked_as_the_twin_says(way: str) -> None:
    every = bytes(octet for octet in range(256) if octet not in b"\r\n")
    for shift in (0, 1, 15, 16, 31, 32, 63):
        data = b"x" * shift + every + b"\r\n\r\n"
        assert marks.found(data, 0, way) == marks_reference.found(data, 0)


@pytest.mark.parametrize("way", WAYS)
def test_a_line_end_is_seen_on_every_side_of_a_border(way: str) -> None:
    for size in BORDERS:
        line = b"x" * size
        for end in (b"\r\n\r\n", b"\r\n", b"\r", b"\n", b"\r\r\n", b"\r\n\n", b"\r\n\r", b"\n\r\n"):
            for rest in (b"", b"y", b"\n", b"\r", b"y" * 70 + b"\n"):
                data = line + end + rest
                assert marks.found(data, 0, way) == marks_reference.found(data, 0), data


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"x" * 13, b"; ", b"\xff", b"\r\n\r\n", b"a"])
    ),
    st.integers(0, 130),
    st.integers(0, 130),
)
@example([b"\r\n\r\n"], 62, 0)
@example([b"\r\n", b"\r\n"], 61, 60)
def test_any_octets_are_read_alike(pieces: list[bytes], before: int, start: int) -> None:
    data = b"v" * before + b"".join(pieces)
    start = min(start, len(data))
    wanted = marks_reference.found(data, start)
    for way in WAYS:
        assert marks.found(data, start, way) == wanted


@pytest.fixture
def last_page() -> tuple[int, int]:
    """Address and size of memory that a page follows which nobody may read."""
    size = 16 * mmap.PAGESIZE
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    at = libc.mmap(None, size + mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, 0)
    assert at not in (None, ctypes.c_void_p(-1).value)
    assert libc.mprotect(at + size, mmap.PAGESIZE, 0) == 0
    return at, size


def test_nothing_is_read_beyond_a_datagram(last_page: tuple[int, int]) -> None:
    """Every length of several messages, each placed so that one octet more would be the end."""
    from bench.instructions.messages import ACK, BROKEN, INVITE, OPTIONS, SMALL
    from callscreen.fastpath import measure_sip

    at, size = last_page
    faults = set()
    for message in (SMALL, INVITE[:400], OPTIONS, ACK, BROKEN, b"\r\n" * 40, b"x\r\nv:\r\nt:"):
        for length in range(len(message) + 1):
            place = at + size - length
            ctypes.memmove(place, message, length)
            faults.add(measure_sip.whole_at(place, length))
    assert {0, 1, 9} <= faults  # sound, keep-alive, truncated
