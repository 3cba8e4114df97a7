"""CallerIdentity: calls signed and callers verified."""

from ...v1 import identity_pb2 as pb
from ..access import Principal
from ..commands import sign_call, verify_call
from ..commands.context import Core


class CallerIdentity:
    """callscreen.v1.CallerIdentity."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def sign(self, request: pb.SignCallRequest, caller: Principal) -> pb.SignCallResponse:
        return await sign_call.sign(self._core, caller, request)

    async def verify(
        self, request: pb.VerifyCallRequest, caller: Principal
    ) -> pb.VerifyCallResponse:
        return await verify_call.verify(self._core, caller, request)


__all__ = ["CallerIdentity"]
