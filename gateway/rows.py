"""What the core answers, as rows of data: {scope, meta, attributes}."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from ..schema import body_of, kind_of
from ..v1.object_pb2 import Object
from ..v1.screening_pb2 import CallRecord

__all__ = ["object_row", "record_row", "timestamp"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def timestamp(at: Timestamp) -> str:
    """RFC 3339 in UTC, always with six digits of a second."""
    return f"{_second(at.seconds)}.{at.nanos // 1000:06d}Z"


def object_row(obj: Object, product: str) -> dict[str, Any]:
    """A provisioned object as the references show it."""
    kind = kind_of(obj)
    stamps = obj.stamps
    return {
        "scope": kind.type,
        "meta": {
            "modified_by": stamps.modified_by,
            "modified": timestamp(stamps.modified),
            "created_by": stamps.created_by,
            "created": timestamp(stamps.created),
        },
        "attributes": kind.to_json(body_of(obj), product),
    }


def record_row(record: CallRecord, product: str) -> dict[str, Any]:
    """A call record: PCS and CIN name the parties differently, and order the fields so.

    additional_data holds one trace: the steps that decided, and how the call was answered.
    """
    end = timestamp(record.end_time)
    head: dict[str, Any] = {
        "cdr_id": record.cdr_id,
        "start_time": timestamp(record.start_time),
        "end_time": end,
        "additional_data": [_trace(record)],
    }
    owner = {
        "service_provider_name": record.service_provider_name,
        "subscriber_name": record.subscriber_name,
    }
    called, calling = record.called_number, record.calling_number
    if product == "pcs":
        attributes = {**head, "called_number": called, "calling_number": calling, **owner}
    else:
        attributes = {**head, **owner, "called_party": called, "calling_party": calling}
    return {
        "scope": f"{product}_cdr",
        "meta": {
            "modified_by": record.edge,
            "modified": end,
            "created_by": record.edge,
            "created": end,
        },
        "attributes": {**attributes, "events": record.events},
    }


def _trace(record: CallRecord) -> dict[str, Any]:
    verdict = record.verdict
    return {
        "treatment": verdict.treatment,
        "reason": verdict.reason,
        "revision": verdict.revision,
        "trace": [
            {field.name: getattr(step, field.name) for field in step.DESCRIPTOR.fields}
            for step in verdict.trace
        ],
        "call_id": record.call_id,
        "source_ip": record.source_ip,
        "status": record.status,
        "edge": record.edge,
    }
