"""Authentication: passwords and tokens."""

from google.protobuf.empty_pb2 import Empty

from ...v1 import authentication_pb2 as pb
from ...v1 import rules_pb2
from ..access import Principal
from ..commands import authenticate, redeem, reset, revoke, set_password
from ..commands.context import Core

PRODUCTS = {rules_pb2.PCS: "pcs", rules_pb2.CIN: "cin"}
NUMBERS = {name: number for number, name in PRODUCTS.items()}


class Authentication:
    """callscreen.v1.Authentication."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def authenticate(
        self, request: pb.AuthenticateRequest, _caller: Principal
    ) -> pb.AuthenticateResponse:
        login = await authenticate.authenticate(
            self._core,
            PRODUCTS.get(request.product, ""),
            request.username,
            request.password,
            request.session,
        )
        answer = pb.AuthenticateResponse(token=login.token, session_token=login.session)
        answer.expire_time.FromNanoseconds(int(login.expiry * 1e9))
        if login.session:
            answer.session_expire_time.FromNanoseconds(int(login.session_expiry * 1e9))
        return answer

    async def reset(self, request: pb.ResetRequest, caller: Principal) -> pb.ResetResponse:
        issued = await reset.reset(self._core, caller, request.name)
        answer = pb.ResetResponse(token=issued.token)
        if issued.token:
            answer.expire_time.FromNanoseconds(int(issued.expiry * 1e9))
        return answer

    async def redeem(self, request: pb.RedeemRequest, _caller: Principal) -> Empty:
        product = PRODUCTS.get(request.product, "")
        await redeem.redeem(self._core, product, request.token, request.password)
        return Empty()

    async def revoke(self, _request: pb.RevokeRequest, caller: Principal) -> Empty:
        await revoke.revoke(self._core, caller)
        return Empty()

    async def who_am_i(self, _request: pb.WhoAmIRequest, caller: Principal) -> pb.WhoAmIResponse:
        return pb.WhoAmIResponse(
            product=NUMBERS.get(caller.product, rules_pb2.PRODUCT_UNSPECIFIED),
            username=caller.username,
            role_id=caller.role_id,
            service_provider_name=caller.provider,
            subscriber_name=caller.subscriber,
            permissions=caller.groups,
        )

    async def set_password(self, request: pb.SetPasswordRequest, caller: Principal) -> Empty:
        await set_password.set_password(self._core, caller, request.name, request.password)
        return Empty()


__all__ = ["Authentication"]
