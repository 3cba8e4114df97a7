"""Records: call records in, and out by table query."""

from collections.abc import AsyncIterator

from ...v1 import records_pb2 as pb
from ..access import Principal
from ..commands import append_records, paging, query_records
from ..commands.context import Core
from .pipeline import answered


class Records:
    """callscreen.v1.Records."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def append(
        self, requests: AsyncIterator[tuple[bytes, Principal]]
    ) -> AsyncIterator[pb.AppendResponse]:
        return answered(requests, self._append)

    async def _append(self, data: bytes, caller: Principal) -> pb.AppendResponse:
        id, _ = await append_records.append(self._core, caller, data)
        return pb.AppendResponse(id=id)

    async def query(self, request: pb.QueryRequest, caller: Principal) -> pb.QueryResponse:
        page = await self._core.readers.run(
            lambda gone: query_records.query(
                self._core,
                caller,
                request.parent,
                request.query,
                request.page_size if request.HasField("page_size") else None,
                request.page_token,
                request.skip,
                paging.patience(gone, self._core.ticks),
            )
        )
        return pb.QueryResponse(
            records=page.records, next_page_token=page.next_page_token, total_size=page.total
        )


__all__ = ["Records"]
