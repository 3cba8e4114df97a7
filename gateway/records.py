"""The handler of call records."""

from ..schema.names import format_name
from ..v1.records_pb2 import QueryRequest
from .call import Call
from .envelope import Rows
from .errors import ApiError
from .rows import record_row

__all__ = ["query"]


async def query(call: Call) -> Rows:
    """GET of the records of a product, a provider or a subscriber."""
    if call.query.archive:
        raise ApiError(400, "Parameter 'archive' is not supported.")
    answer = await call.client.call(
        call.client.records.Query,
        QueryRequest(
            parent=format_name(call.product, "cdr", call.key),
            query=call.query.table,
            page_size=call.query.page.limit,
            skip=call.query.page.offset,
        ),
        call.token,
    )
    return Rows([record_row(record, call.product) for record in answer.records], answer.total_size)
