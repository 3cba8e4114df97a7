"""The next calls of a number, shown to who has the edge's token: GET /trace of the admin endpoint.

    /trace?number=%2B15551230001&count=10&seconds=60     Authorization: Bearer TOKEN

answers lines of JSON: first that it watches, then one a call, and one for the final response to
each that was sent on; until there were so many calls and these are answered, or the time is over.

Invariants
1. Without the token nothing is said, and an edge without one shows nothing to anybody.
2. What a caller wrote stands in JSON strings alone.
"""

import asyncio
import hmac
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from ..fastpath.extract import extract
from ..fastpath.index import Index
from ..fastpath.numbers import unpack
from ..fastpath.sip import Malformed, Message, parse
from ..fastpath.tapping_types import Tapped
from ..ops.offers import Answer, Asked, Offer, Pieces
from ..v1 import rules_pb2, screening_pb2
from ..v1.records_pb2 import AppendRequest
from .hep import call_id
from .taps import Busy, Taps

__all__ = ["COUNT_MOST", "SECONDS_MOST", "described", "trace_offer"]

COUNT_MOST = 1_000  # calls
SECONDS_MOST = 600
JSON_LINES = "application/x-ndjson"
PCS = 1

LookUp = Callable[[], Index | None]


def trace_offer(taps: Taps, token: str, index: LookUp) -> Offer:
    """What answers /trace; `index` gives what answers calls at the moment."""
    secret = f"Bearer {token}".encode()

    def offer(asked: Asked) -> Answer | Pieces:
        shown = asked.authorization.encode("latin-1", "replace")
        if not token or not hmac.compare_digest(shown, secret):
            return Answer(401, b"the edge's token is needed: Authorization: Bearer TOKEN\n")
        try:
            number = asked.query["number"]
            count, seconds = (
                bounded(asked.query, name, default, most)
                for name, default, most in (
                    ("count", 1, COUNT_MOST),
                    ("seconds", SECONDS_MOST, SECONDS_MOST),
                )
            )
            with taps.watching(number):  # a bad one is refused before anything is promised
                pass
        except KeyError:
            return Answer(400, b"number is missing\n")
        except ValueError as error:
            return Answer(400, f"{error}\n".encode())
        except Busy as error:
            return Answer(503, f"{error}\n".encode())
        return Pieces(calls(taps, number, count, seconds, index), JSON_LINES)

    return offer


def bounded(query: Any, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    text = text.lstrip("0")
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > most:
        raise ValueError(f"{name} is 1 to {most}")
    return int(text)


async def calls(
    taps: Taps, number: str, count: int, seconds: int, index: LookUp
) -> AsyncGenerator[bytes]:
    """The lines of an answer."""
    try:
        with taps.watching(number) as queue:
            yield line({"watching": number})
            ringing: set[bytes] = set()  # calls sent on, by Call-ID, that have no final answer yet
            async with asyncio.timeout(seconds):
                while count or ringing:
                    tapped = await queue.get()
                    call = call_id(tapped.request)
                    if tapped.relayed:
                        if is_final(tapped) and call in ringing:
                            ringing.discard(call)
                            yield line(brought_back(tapped, call))
                    elif count:
                        count -= 1
                        if tapped.target:
                            ringing.add(call)
                        yield line(described(tapped, index()))
    except TimeoutError:
        yield line({"ended": f"{seconds} seconds are over"})
    except Busy as error:
        yield line({"ended": str(error)})


def is_final(tapped: Tapped) -> bool:
    """Whether a response ends the INVITE of its call."""
    return tapped.status >= 200 and b"INVITE" in cseq(tapped.request)


def cseq(message: bytes) -> bytes:
    """The CSeq of a message, b"" for none."""
    for each in message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        name, _, value = each.partition(b":")
        if name.strip().lower() == b"cseq":
            return value
    return b""


def brought_back(tapped: Tapped, call: bytes) -> dict[str, Any]:
    """The final response to a call that was sent on."""
    return {
        "time_ns": tapped.now_ns,
        "peer": f"{tapped.host} port {tapped.port}",
        "response": text(tapped.request.partition(b"\r\n")[0]),
        "to": f"{tapped.target} port {tapped.answer_port}",
        "call_id": text(call),
    }


def line(said: dict[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def described(tapped: Tapped, index: Index | None) -> dict[str, Any]:
    """A call in words: as it was parsed, decided and answered."""
    record = None
    if tapped.record:
        record = AppendRequest.FromString(tapped.record).records[0]
    head = tapped.answer.partition(b"\r\n\r\n")[0].split(b"\r\n")
    said: dict[str, Any] = {
        "time_ns": tapped.now_ns,
        "transport": tapped.transport,
        "peer": f"{tapped.host} port {tapped.port}",
        "request": text(tapped.request.partition(b"\r\n")[0]),
        "repeated": tapped.repeated,
        "numbers": [unpack(number) for number in tapped.numbers if number],
        "answer": "" if tapped.target else text(head[0]),
        "contact": [text(each) for each in head if each.lower().startswith(b"contact:")],
    }
    if tapped.target:
        said["sent_on"] = text(head[0])
        said["next_hop"] = f"{tapped.target} port {tapped.answer_port}"
    product = record.verdict.product if record else 0
    try:
        message = parse(tapped.request)
    except Malformed as error:  # it was cut on its way here
        said["unread"] = str(error)
    else:
        said["call_id"] = text(message.call_id)
        if index is not None:
            said |= numbers(message, index, product or PCS)
    if record is not None:
        said["verdict"] = verdict(record.verdict)
        said["record"] = record.cdr_id
        if record.HasField("identity"):
            said["identity"] = identity(record.identity)
        if record.HasField("signature"):
            said["signature"] = signature(record.signature)
    return said


def numbers(message: Message, index: Index, product: int) -> dict[str, Any]:
    """Called and calling number, each with the place it was read from and those tried before."""
    called, calling = index.number_sources(product)
    code = index.settings(product).default_cc
    return {
        name: {
            "number": found.number or "",
            "source": found.source,
            "tried": [f"{each.source}: {each.error}" for each in found.tried],
        }
        for name, sources in (("called", called), ("calling", calling))
        for found in (extract(message, sources, code),)
    }


def verdict(found: screening_pb2.Verdict) -> dict[str, Any]:
    return {
        "treatment": found.treatment,
        "reason": found.reason,
        "product": rules_pb2.Product.Name(found.product).lower(),
        "owner": f"{found.service_provider_name}/{found.subscriber_name}".strip("/"),
        "revision": found.revision,
        "steps": [step(each) for each in found.trace],
    }


def identity(found: screening_pb2.Identity) -> dict[str, Any]:
    """What was found of the caller's identity, check by check."""
    results = {True: "passed", False: "failed"}
    return {
        "state": found.state,
        "verstat": found.verstat,
        "code": found.code,
        "attest": found.attest,
        "signer": found.signer,
        "x5u_host": found.x5u_host,
        "replayed": found.replayed,
        "checks": [
            f"{each.name}: {results[each.passed] if each.HasField('passed') else 'not looked at'}"
            + (f", {each.detail}" if each.detail else "")
            for each in found.checks
        ],
    }


def signature(made: screening_pb2.Signature) -> dict[str, Any]:
    """How the call was signed, or why not."""
    owner = f"{made.service_provider_name}/{made.source_name}".strip("/")
    return {
        "source": owner,
        "mask": made.mask,
        "attest": made.attest,
        "certificate": made.cert_name,
        "orig": made.orig,
        "dest": list(made.dest),
        "origid": made.origid,
        "failure": made.failure,
    }


def step(one: screening_pb2.Step) -> str:
    """One step: rule, outcome, and what was looked up and found where."""
    parts: Sequence[tuple[str, str]] = (
        ("", one.outcome),
        ("input ", one.input),
        ("entry ", one.entry),
        ("of ", one.scope),
        ("then ", one.treatment),
    )
    return f"{one.rule}: " + ", ".join(word + value for word, value in parts if value)


def text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
