"""The handler of logging in."""

from ..v1.authentication_pb2 import AuthenticateRequest
from ..v1.rules_pb2 import Product
from .call import Call
from .envelope import Rows
from .errors import ApiError
from .request import json_object

__all__ = ["LOGIN_FAILED", "authenticate"]

LOGIN_FAILED = "The username and password provided were not correct."


async def authenticate(call: Call) -> Rows:
    """POST of a name and a password, answered by a token.

    Missing or misshapen information gets the same answer as a wrong password.
    """
    data = json_object(call.headers, call.body or b"{}")
    username, password = data.get("username"), data.get("password")
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        raise ApiError(401, LOGIN_FAILED)
    request = AuthenticateRequest(
        product=Product.Value(call.product.upper()), username=username, password=password
    )
    try:
        answer = await call.client.call(call.client.authentication.Authenticate, request, "")
    except ApiError as error:
        raise ApiError(401, LOGIN_FAILED) if error.code == 400 else error from None
    return Rows(({"token": answer.token},), 1)
