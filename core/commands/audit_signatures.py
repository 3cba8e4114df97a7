"""The audit log's rows of calls that edges signed, as their call records tell of them.

Invariants:
1. Rows are durable before the records are kept, and so before any record is acknowledged.
2. A record that was kept before, and is sent again, has no second row. Where the core stopped
   between row and record, the next sending makes a row anew: of the same call record, whose
   identifier is the row's request_id.
"""

from typing import Final
from uuid import UUID

from ...schema import PRODUCTS
from ...v1.records_pb2 import AppendRequest
from ...v1.screening_pb2 import CallRecord
from ..audit.signatures import PRODUCT, signature_row
from ..origin import Origin
from .context import Core

MARK: Final = b"\x82\x01"  # the tag of CallRecord.signature: stands in what holds one
METHOD: Final = "SIP"


def rows_of(core: Core, data: bytes) -> bytes:
    """Rows of the signatures in an encoded AppendRequest that was found in form."""
    if MARK not in data:
        return b""
    return b"".join(
        row_of(record, core.clock())
        for record in AppendRequest.FromString(data).records
        if record.HasField("signature") and not kept(core, record)
    )


def kept(core: Core, record: CallRecord) -> bool:
    id_ = UUID(record.cdr_id).bytes
    return any(core.records.get(product, id_) is not None for product in PRODUCTS)


def row_of(record: CallRecord, now: float) -> bytes:
    """`now` is Unix seconds, where the record has no time of its end."""
    end = record.end_time.ToNanoseconds() / 1e9 if record.HasField("end_time") else now
    of = Origin(record.cdr_id, record.source_ip, METHOD)
    return signature_row(record.signature, record.edge, "", of, end)


__all__ = ["PRODUCT", "rows_of"]
