"""The record of a call, as it was decided.

Invariants
1. A record tells what was decided and answered, and of which data revision.
2. No stranger's text in it is longer than `TEXT_LIMIT`: the core takes every record made here.
3. A call is kept as it stands (`Call`) and becomes the fields of a CallRecord when it is sent.
"""

from typing import Any, NamedTuple

from ..fastpath.model import Verdict
from ..v1 import rules_pb2

__all__ = ["TEXT_LIMIT", "Call", "record_fields"]

TEXT_LIMIT = 250  # characters of a user part, a Call-ID or an edge's name

PRODUCT_VALUES = {
    "": rules_pb2.PRODUCT_UNSPECIFIED,
    "pcs": rules_pb2.PCS,
    "cin": rules_pb2.CIN,
}


class Call(NamedTuple):
    """A call that was decided and answered at `now`, in seconds of Unix time."""

    cdr_id: str
    product: str
    verdict: Verdict
    status: int  # of the answer
    call_id: bytes
    source_ip: str
    edge: str
    now: float


def record_fields(call: Call) -> dict[str, Any]:
    """The fields of the CallRecord of a call, those of inner messages in dictionaries of their own.

    Dictionaries, because a repeated field takes them at a third of what a message costs.
    """
    verdict = call.verdict
    second, part = divmod(call.now, 1)
    moment = {"seconds": int(second), "nanos": int(part * 1e9)}
    return {
        "cdr_id": call.cdr_id,
        "product": PRODUCT_VALUES[call.product],
        "start_time": moment,
        "end_time": moment,  # the answer ended the call, at once
        "called_number": verdict.called_number,
        "calling_number": verdict.calling_number,
        "service_provider_name": verdict.service_provider_name,
        "subscriber_name": verdict.subscriber_name,
        "events": events(verdict, call.status),
        "verdict": verdict_fields(verdict),
        "call_id": call.call_id.decode("utf-8", "replace")[:TEXT_LIMIT],
        "source_ip": call.source_ip,
        "status": call.status,
        "edge": call.edge,
    }


def events(verdict: Verdict, status: int) -> str:
    """`ms:rule:outcome` in order, joined by ";". No rule here waits, so that all stand at 0."""
    steps = [f"0:{step.rule}:{step.outcome}" for step in verdict.trace]
    return ";".join(["0:invite", *steps, f"0:answer:{status}"])


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    return {
        "treatment": verdict.treatment,
        "reason": verdict.reason,
        "product": PRODUCT_VALUES[verdict.product],
        "service_provider_name": verdict.service_provider_name,
        "subscriber_name": verdict.subscriber_name,
        "called_number": verdict.called_number,
        "calling_number": verdict.calling_number,
        "trace": [step._asdict() for step in verdict.trace],  # named as those of screening.proto
        "revision": verdict.revision,
    }
