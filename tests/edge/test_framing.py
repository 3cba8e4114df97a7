"""Whatever a stream is cut into, its messages come out whole, and what has no end ends it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.edge.framing import HEAD_OCTETS, MESSAGE_OCTETS, Frame, Framer, Kind

from .messages import request

CALL = request(body=b"v=0\r\n\r\nmore")
BARE = request("OPTIONS")


def frames(*pieces: bytes) -> list[Frame]:
    framer = Framer()
    return [frame for piece in pieces for frame in framer.receive(piece)]


def without_length(message: bytes) -> bytes:
    head, _, _ = message.partition(b"\r\nContent-Length")
    return head + b"\r\n\r\n"


def with_length(*values: str) -> bytes:
    lines = "".join(f"Content-Length: {value}\r\n" for value in values)
    return without_length(BARE)[:-2] + lines.encode() + b"\r\n"


@pytest.mark.parametrize("cut", range(len(CALL) + len(BARE)))
def test_messages_are_whole_wherever_they_are_cut(cut: int) -> None:
    octets = CALL + BARE
    assert frames(octets[:cut], octets[cut:]) == [
        Frame(Kind.MESSAGE, CALL),
        Frame(Kind.MESSAGE, BARE),
    ]


@given(
    parts=st.lists(
        st.sampled_from(
            [CALL, BARE, b"\r\n", b"\r\n\r\n", b"x", with_length("1", "2"), without_length(BARE)]
        ),
        max_size=6,
    ),
    cuts=st.lists(st.integers(0, 2_000), max_size=8),
)
def test_cuts_change_nothing(parts: list[bytes], cuts: list[int]) -> None:
    octets = b"".join(parts)
    edges = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    pieces = [octets[a:b] for a, b in pairwise(edges)]
    assert frames(*pieces) == frames(octets)
    assert frames(*(octets[place : place + 1] for place in range(len(octets)))) == frames(octets)


def test_two_line_ends_are_a_ping_and_one_is_nothing() -> None:
    ping, call = Frame(Kind.PING), Frame(Kind.MESSAGE, BARE)
    assert frames(b"\r\n\r\n") == [ping]
    assert frames(b"\r\n\r\n\r\n\r\n" + BARE + b"\r\n\r\n") == [ping, ping, call, ping]
    assert frames(b"\r\n" + BARE + b"\r\n" + BARE) == [call, call]


def test_line_ends_between_messages_are_no_message_that_has_begun() -> None:
    framer = Framer()
    for piece in (b"\r", b"\n", b"\r", b"\n"):
        list(framer.receive(piece))
        assert not framer.partial
    list(framer.receive(b"I"))
    assert framer.partial


@pytest.mark.parametrize(
    "line",
    [
        *("l: 3", "L:3", "content-length : 3", "Content-Length:\r\n 3", "CONTENT-LENGTH: 3 "),
        *("l: 3\r\n ", "l:\r\n\t\r\n 3 \r\n\t"),
    ],
)
def test_every_form_of_the_length_counts(line: str) -> None:
    message = without_length(BARE)[:-2] + line.encode() + b"\r\n\r\nabc"
    assert frames(message + BARE) == [Frame(Kind.MESSAGE, message), Frame(Kind.MESSAGE, BARE)]


def test_a_length_that_is_said_twice_counts_once() -> None:
    message = with_length("0", "0")
    assert frames(message) == [Frame(Kind.MESSAGE, message)]


@pytest.mark.parametrize(
    "values",
    [("1", "2"), ("-1",), ("0x1",), ("",), ("1" * 30,), ("1, 1",), ("1\r\n 2",), ("1\r\n\t, 1",)],
)
def test_a_length_that_cannot_be_told_ends_the_stream(values: tuple[str, ...]) -> None:
    head = with_length(*values)
    assert frames(head + BARE) == [Frame(Kind.BAD_LENGTH, head)]


def test_a_missing_length_ends_the_stream() -> None:
    head = without_length(CALL)
    assert frames(head + BARE) == [Frame(Kind.NO_LENGTH, head)]


def test_a_message_has_a_most() -> None:
    head = with_length("0")
    room = MESSAGE_OCTETS - len(with_length("65000"))
    assert frames(with_length(str(room)) + bytes(room))[0].kind is Kind.MESSAGE
    assert frames(with_length(str(room + 1))) == [Frame(Kind.TOO_LARGE, with_length(str(room + 1)))]
    assert frames(head[:-2] + b"X: " + bytes(HEAD_OCTETS))[0].kind is Kind.HEAD_TOO_LARGE


def test_nothing_comes_after_the_end() -> None:
    framer = Framer()
    list(framer.receive(without_length(CALL)))
    assert list(framer.receive(BARE)) == []
    assert not framer.partial
    assert not framer._buffer


@given(st.binary(max_size=300))
def test_any_octets_are_taken(octets: bytes) -> None:
    kept = frames(octets)
    assert sum(len(frame.octets) for frame in kept) <= len(octets)
