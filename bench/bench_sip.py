"""A typical INVITE: parsed, taken to its numbers and answered, compiled and by the plain twins."""

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from callscreen.fastpath import (
    answer,
    answer_reference,
    extract,
    extract_reference,
    sip,
    sip_reference,
)
from callscreen.fastpath.extract_types import NumberPolicy, NumberSource, PostStep

INVITE = (
    b"INVITE sip:+15855551234@10.0.0.20:5060;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.7:5060;branch=z9hG4bK1f2a9c77;rport\r\n"
    b"Via: SIP/2.0/UDP 10.0.9.1:5060;branch=z9hG4bK74bf9\r\n"
    b"Max-Forwards: 68\r\n"
    b'From: "Anna Bell" <sip:+13155550100@carrier.example;user=phone>;tag=9fxced76sl\r\n'
    b"To: <sip:+15855551234@carrier.example;user=phone>\r\n"
    b"Call-ID: 3848276298220188511@10.0.9.1\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:+13155550100@10.0.0.7:5060>\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
    b"Supported: 100rel, timer\r\n"
    b'P-Asserted-Identity: "Anna Bell" <sip:+13155550100@carrier.example>\r\n'
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 135\r\n"
    b"\r\n"
    b"v=0\r\no=- 29739 7272939 IN IP4 10.0.0.8\r\ns=-\r\nc=IN IP4 10.0.0.8\r\nt=0 0\r\n"
    b"m=audio 49217 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
CALLING = [
    NumberSource(
        "hdr.from",
        NumberPolicy(attempt_implicit_user_phone=True),
        (PostStep("require_digits", min_length=3),),
    )
]


@pytest.mark.parametrize("parser", [sip, sip_reference], ids=["compiled", "plain"])
def test_parse(benchmark: Callable[..., Any], parser: ModuleType) -> None:
    assert benchmark(parser.parse, INVITE).method == b"INVITE"


@pytest.mark.parametrize("twin", [extract, extract_reference], ids=["compiled", "plain"])
def test_extract(benchmark: Callable[..., Any], twin: ModuleType) -> None:
    sources = twin.NumberSources(CALLING)
    found = benchmark(twin.extract, sip.parse(INVITE), sources, "1")
    assert found.number == "+13155550100"


@pytest.mark.parametrize("twin", [answer, answer_reference], ids=["compiled", "plain"])
def test_answer(benchmark: Callable[..., Any], twin: ModuleType) -> None:
    assert benchmark(answered(twin)).startswith(b"SIP/2.0 302")


def answered(twin: ModuleType) -> Callable[[], bytes]:
    """Tag, answer and destination of a message that is parsed already."""
    message, source = sip.parse(INVITE), ("10.0.0.7", 5060)

    def whole() -> bytes:
        twin.destination(message, source)
        tag = twin.to_tag(b"k" * 32, message)
        octets: bytes = twin.response(message, 302, "Moved", [], tag, source)
        return octets

    return whole


def test_the_compiled_are_far_ahead_of_their_twins() -> None:
    """The ratios are printed by `-s`; the bound is far below what is measured."""

    def cost(work: Callable[[], object], rounds: int) -> float:
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            for _ in range(rounds):
                work()
            best = min(best, (time.perf_counter() - begin) / rounds)
        return best

    message, sources = sip.parse(INVITE), extract.NumberSources(CALLING)
    for name, compiled, plain in (
        ("parse", lambda: sip.parse(INVITE), lambda: sip_reference.parse(INVITE)),
        (
            "extract",
            lambda: extract.extract(message, sources, "1"),
            lambda: extract_reference.extract(message, CALLING, "1"),
        ),
        ("answer", answered(answer), answered(answer_reference)),
    ):
        fast, slow = cost(compiled, 5_000), cost(plain, 200)
        print(f"{name}: {fast * 1e9:.0f} ns, the plain twin x {slow / fast:.0f}")
        assert slow > 4 * fast
