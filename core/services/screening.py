"""Screening: decisions on calls."""

import asyncio
from collections.abc import AsyncIterator

from ...v1 import screening_pb2 as pb
from ..access import Principal
from ..commands import explain, screen
from ..commands.context import Core
from ..errors import InvalidInput
from ..limits import BATCH_CALLS, CALLS_AT_A_STRETCH


class Screening:
    """callscreen.v1.Screening."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def screen(self, request: pb.ScreenRequest, caller: Principal) -> pb.ScreenResponse:
        return pb.ScreenResponse(verdict=screen.screen(self._core, caller, _call_of(request)))

    async def screen_batches(
        self, requests: AsyncIterator[tuple[pb.ScreenBatchRequest, Principal]]
    ) -> AsyncIterator[pb.ScreenBatchResponse]:
        async for request, caller in requests:
            if len(request.calls) > BATCH_CALLS:
                raise InvalidInput(f"A batch has at most {BATCH_CALLS} calls.")
            answer = pb.ScreenBatchResponse()
            for start in range(0, len(request.calls), CALLS_AT_A_STRETCH):
                if start:
                    await asyncio.sleep(0)
                answer.verdicts.extend(
                    screen.screen(self._core, caller, call)
                    for call in request.calls[start : start + CALLS_AT_A_STRETCH]
                )
            yield answer

    async def explain(self, request: pb.ExplainRequest, caller: Principal) -> pb.ExplainResponse:
        verdict, lines = explain.explain(self._core, caller, _call_of(request))
        return pb.ExplainResponse(verdict=verdict, lines=lines)


def _call_of(request: pb.ScreenRequest | pb.ExplainRequest) -> pb.Call:
    """Raises InvalidInput where there is none."""
    if not request.HasField("call"):
        message = f"{request.DESCRIPTOR.name}(): Field 'call' is required, but missing."
        raise InvalidInput(message, [("call", "required", message)])
    return request.call


__all__ = ["Screening"]
