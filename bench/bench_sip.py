"""A typical INVITE: parsed by the compiled parser, by its plain twin, and taken to its numbers."""

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from callscreen.fastpath import sip, sip_reference
from callscreen.fastpath.answer import response, to_tag
from callscreen.fastpath.extract import NumberPolicy, NumberSource, PostStep, extract

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


def test_extract(benchmark: Callable[..., Any]) -> None:
    assert benchmark(extract, sip.parse(INVITE), CALLING, "1").number == "+13155550100"


def test_answer(benchmark: Callable[..., Any]) -> None:
    message, source = sip.parse(INVITE), ("10.0.0.7", 5060)

    def answer() -> bytes:
        return response(message, 302, "Moved", [], to_tag(b"k" * 32, message), source)

    assert benchmark(answer).startswith(b"SIP/2.0 302")


def test_the_compiled_parser_is_far_ahead_of_its_twin() -> None:
    """The ratio is printed by `-s`; the bound is far below what is measured."""

    def cost(parse: Callable[[bytes], object], rounds: int) -> float:
        best = float("inf")
        for _ in range(5):
            begin = time.perf_counter()
            for _ in range(rounds):
                parse(INVITE)
            best = min(best, (time.perf_counter() - begin) / rounds)
        return best

    compiled, plain = cost(sip.parse, 5_000), cost(sip_reference.parse, 200)
    print(f"parse: {compiled * 1e9:.0f} ns, the plain twin x {plain / compiled:.0f}")
    assert plain > 10 * compiled
