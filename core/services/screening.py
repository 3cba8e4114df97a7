"""Screening: decisions on calls."""

from collections.abc import AsyncIterator

from ...v1 import screening_pb2 as pb
from ..access import Principal
from ..commands import explain, screen
from ..commands.context import Core
from ..errors import InvalidInput
from ..limits import BATCH_CALLS


class Screening:
    """callscreen.v1.Screening."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def screen(self, request: pb.ScreenRequest, caller: Principal) -> pb.ScreenResponse:
        return pb.ScreenResponse(verdict=screen.screen(self._core, caller, request.call))

    async def screen_batches(
        self, requests: AsyncIterator[tuple[pb.ScreenBatchRequest, Principal]]
    ) -> AsyncIterator[pb.ScreenBatchResponse]:
        async for request, caller in requests:
            if len(request.calls) > BATCH_CALLS:
                raise InvalidInput(f"A batch has at most {BATCH_CALLS} calls.")
            verdicts = [screen.screen(self._core, caller, call) for call in request.calls]
            yield pb.ScreenBatchResponse(verdicts=verdicts)

    async def explain(self, request: pb.ExplainRequest, caller: Principal) -> pb.ExplainResponse:
        verdict, lines = explain.explain(self._core, caller, request.call)
        return pb.ExplainResponse(verdict=verdict, lines=lines)


__all__ = ["Screening"]
