"""The record of a call, as it was decided.

Invariants
1. A record tells what was decided and answered, and of which data revision.
2. No stranger's text in it is longer than `TEXT_LIMIT`: the core takes every record made here.
"""

from google.protobuf.timestamp_pb2 import Timestamp

from ..fastpath.model import Verdict
from ..fastpath.sip_types import Request
from ..v1 import rules_pb2, screening_pb2
from .treatments import Answer

__all__ = ["TEXT_LIMIT", "call_record"]

TEXT_LIMIT = 250  # characters of a user part, a Call-ID or an edge's name

PRODUCT_VALUES = {
    "": rules_pb2.PRODUCT_UNSPECIFIED,
    "pcs": rules_pb2.PCS,
    "cin": rules_pb2.CIN,
}


def call_record(
    cdr_id: str,
    product: str,
    verdict: Verdict,
    given: Answer,
    request: Request,
    source_ip: str,
    edge: str,
    now: float,
) -> screening_pb2.CallRecord:
    """The record of a call that came and was answered at `now`, in seconds of Unix time."""
    second, part = divmod(now, 1)
    moment = Timestamp(seconds=int(second), nanos=int(part * 1e9))
    return screening_pb2.CallRecord(
        cdr_id=cdr_id,
        product=PRODUCT_VALUES[product],
        start_time=moment,
        end_time=moment,  # the answer ended the call, at once
        called_number=verdict.called_number,
        calling_number=verdict.calling_number,
        service_provider_name=verdict.service_provider_name,
        subscriber_name=verdict.subscriber_name,
        events=events(verdict, given),
        verdict=message_of(verdict),
        call_id=request.call_id.decode("utf-8", "replace")[:TEXT_LIMIT],
        source_ip=source_ip,
        status=given.status,
        edge=edge,
    )


def events(verdict: Verdict, given: Answer) -> str:
    """`ms:rule:outcome` in order, joined by ";". No rule here waits, so that all stand at 0."""
    steps = [f"0:{step.rule}:{step.outcome}" for step in verdict.trace]
    return ";".join(["0:invite", *steps, f"0:answer:{given.status}"])


def message_of(verdict: Verdict) -> screening_pb2.Verdict:
    return screening_pb2.Verdict(
        treatment=verdict.treatment,
        reason=verdict.reason,
        product=PRODUCT_VALUES[verdict.product],
        service_provider_name=verdict.service_provider_name,
        subscriber_name=verdict.subscriber_name,
        called_number=verdict.called_number,
        calling_number=verdict.calling_number,
        trace=[
            screening_pb2.Step(
                rule=rule,
                input=entered,
                entry=entry,
                scope=scope,
                outcome=outcome,
                treatment=treatment,
            )
            for rule, entered, entry, scope, outcome, treatment in verdict.trace
        ],
        revision=verdict.revision,
    )
