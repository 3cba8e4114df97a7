"""The record of a call in plain Python: what recording.pyx means.

Invariants
1. A record tells what was decided and answered, and of which data revision.
2. No stranger's text in it is longer than `TEXT_LIMIT`: the core takes every record made here.
3. Identifiers are UUIDs of version 7 (RFC 9562 5.7); those made one after another by one maker sort
   in that order, also within a millisecond and when the clock steps back.
4. Time and randomness are arguments.
"""

from typing import Any, NamedTuple

from .answer_reference import siphash
from .model import PRODUCT_NAMES, Verdict

__all__ = ["TEXT_LIMIT", "Call", "RecordIds", "record_fields"]

TEXT_LIMIT = 250  # characters of a user part or a Call-ID

# The count of a millisecond has 42 bits and starts at random in the lower half.
FIRST_COUNT_BITS = 41
LOW_BITS = 30  # of the count stand after the variant, the rest before it
LOW_MASK = (1 << LOW_BITS) - 1
VARIANT = 0b10 << LOW_BITS


class RecordIds:
    """Makes record identifiers. All that is random in them comes of 16 octets."""

    __slots__ = ("_count", "_drawn", "_millisecond", "_seed", "_tail")

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0
        self._millisecond = 0
        self._count = 0
        self._tail = 0

    def __call__(self, now_ns: int) -> str:
        """The next identifier at `now_ns`, in nanoseconds of Unix time."""
        millisecond = now_ns // 1_000_000
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            self._count = self._draw() & ((1 << FIRST_COUNT_BITS) - 1)
            self._tail = self._draw() & 0xFFFFFFFF
        else:
            self._count += 1
        time = f"{self._millisecond:012x}"
        middle = f"{VARIANT | self._count & LOW_MASK:08x}"
        return (
            f"{time[:8]}-{time[8:]}-7{self._count >> LOW_BITS:03x}"
            f"-{middle[:4]}-{middle[4:]}{self._tail:08x}"
        )

    def _draw(self) -> int:
        """The next 64 bits."""
        self._drawn += 1
        return siphash(self._seed, (self._drawn - 1).to_bytes(8, "little"))


class Call(NamedTuple):
    """A call that was decided and answered at `now_ns`, in nanoseconds of Unix time."""

    cdr_id: str
    product: str
    verdict: Verdict
    status: int  # of the answer
    call_id: bytes
    source_ip: str
    edge: str
    now_ns: int
    onward: str = ""  # host that the call was sent on to; empty: it was answered


def record_fields(call: Call) -> dict[str, Any]:
    """The fields of the CallRecord of a call, those of inner messages as dictionaries."""
    verdict = call.verdict
    second, nanos = divmod(call.now_ns, 1_000_000_000)
    moment = {"seconds": second, "nanos": nanos}
    return {
        "cdr_id": call.cdr_id,
        "product": PRODUCT_NAMES.index(call.product),
        "start_time": moment,
        "end_time": moment,  # the answer ended the call, at once
        "called_number": verdict.called_number,
        "calling_number": verdict.calling_number,
        "service_provider_name": verdict.service_provider_name,
        "subscriber_name": verdict.subscriber_name,
        "events": events(verdict, call.status, call.onward),
        "verdict": verdict_fields(verdict),
        "call_id": call.call_id.decode("ascii")[:TEXT_LIMIT],
        "source_ip": call.source_ip,
        "status": call.status,
        "edge": call.edge,
    }


def events(verdict: Verdict, status: int, onward: str) -> str:
    """`ms:rule:outcome` in order, joined by ";". No rule here waits, so that all stand at 0."""
    steps = [f"0:{step.rule}:{step.outcome}" for step in verdict.trace]
    end = f"0:forward:{onward}" if onward else f"0:answer:{status}"
    return ";".join(["0:invite", *steps, end])


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "treatment": verdict.treatment,
        "reason": verdict.reason,
        "product": PRODUCT_NAMES.index(verdict.product),
        "service_provider_name": verdict.service_provider_name,
        "subscriber_name": verdict.subscriber_name,
        "called_number": verdict.called_number,
        "calling_number": verdict.calling_number,
        "trace": [step._asdict() for step in verdict.trace],  # named as those of screening.proto
        "revision": verdict.revision,
    }
