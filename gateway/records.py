"""The handler of call records."""

from typing import Any

from ..schema import record_to_json
from ..v1.records_pb2 import QueryRequest
from ..v1.screening_pb2 import CallRecord
from .call import Call
from .envelope import Rows
from .errors import ApiError

__all__ = ["query"]


async def query(call: Call) -> Rows:
    """GET of the records of a product, a provider or a subscriber."""
    if call.query.archive:
        raise ApiError(400, "Parameter 'archive' is not supported.")
    answer = await call.ask(
        call.client.records.Query,
        QueryRequest(
            parent=call.name,
            query=call.query.table,
            page_size=call.query.page.limit,
            skip=call.query.page.offset,
        ),
    )
    return Rows([_row(record, call.product) for record in answer.records], answer.total_size)


def _row(record: CallRecord, product: str) -> dict[str, Any]:
    """A record beside who made it, and when: the edge, at the call's end."""
    attributes = record_to_json(record, product)
    edge, end = record.edge or None, attributes["end_time"]
    return {
        "scope": f"{product}_cdr",
        "meta": {"modified_by": edge, "modified": end, "created_by": edge, "created": end},
        "attributes": attributes,
    }
