"""The handlers of new passwords: asking for one, and setting it.

1. Whoever shows no token is answered alike, whether the administrator is there or not.
"""

from typing import Any

from ..v1.authentication_pb2 import RedeemRequest, ResetRequest
from ..v1.rules_pb2 import Product
from .call import Call
from .envelope import Rows
from .errors import ApiError, not_found

__all__ = ["redeem", "reset"]


async def reset(call: Call) -> Rows:
    """POST that begins a new password; whoever may change the administrator is told the token."""
    try:
        answer = await call.ask(call.client.authentication.Reset, ResetRequest(name=call.name))
    except ApiError as error:
        raise not_found("Administrator") if error.code == 404 else error from None
    return Rows(({"token": answer.token},), 1) if answer.token else Rows((), 0)


async def redeem(call: Call) -> Rows:
    """POST of an activation or reset token and the new password."""
    data = await call.json()
    request = RedeemRequest(
        product=Product.Value(call.product.upper()),
        token=_text(data, "token"),
        password=_text(data, "password"),
    )
    await call.ask(call.client.authentication.Redeem, request)
    return Rows((), 0)


def _text(data: dict[str, Any], name: str) -> str:
    """A field of the body that must be there. Raises ApiError."""
    value = data.get(name)
    if value in (None, ""):
        raise ApiError(400, f"Password(): Field '{name}' is required, but missing.")
    if not isinstance(value, str):
        raise ApiError(400, f"Password(): Field '{name}' must be a string.")
    return value
