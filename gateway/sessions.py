"""The handlers of logging in and out.

1. A log-in that fails changes nothing, a session that the browser has least of all.
2. A page of another site may make a browser send a log-in, but gets no session begun by it.
"""

import time

from ..v1.authentication_pb2 import AuthenticateRequest, RevokeRequest
from ..v1.rules_pb2 import Product
from .call import Call
from .cookies import cleared, started
from .credentials import session_token
from .envelope import Rows
from .errors import ApiError

__all__ = ["LOGIN_FAILED", "authenticate", "log_out"]

LOGIN_FAILED = "The username and password provided were not correct."


async def authenticate(call: Call) -> Rows:
    """POST of a name and a password, answered by a token, and by the cookies of a session.

    Missing or misshapen information gets the same answer as a wrong password.
    """
    data = await call.json(empty=b"{}")
    username, password = data.get("username"), data.get("password")
    if not (isinstance(username, str) and isinstance(password, str) and username and password):
        raise ApiError(401, LOGIN_FAILED)
    request = AuthenticateRequest(
        product=Product.Value(call.product.upper()),
        username=username,
        password=password,
        session=call.headers.raw.get(b"sec-fetch-site") != b"cross-site",
    )
    try:
        answer = await call.ask(call.client.authentication.Authenticate, request)
    except ApiError as error:
        raise ApiError(401, LOGIN_FAILED) if error.code == 400 else error from None
    session = answer.session_token
    cookies = started(call.product, session, time.time(), _secure(call)) if session else ()
    return Rows(({"token": answer.token},), 1, cookies)


async def log_out(call: Call) -> Rows:
    """POST that ends what the request shows: the token, and the session beside it.

    The browser forgets its session even where the core knew of it no more.
    """
    forgotten = tuple(cleared(call.product, _secure(call)))
    revoke = call.client.authentication.Revoke
    try:
        await call.ask(revoke, RevokeRequest())
        session = session_token(call.product, call.headers, call.config.limits)
        if session and call.headers.authorization:
            await _end(call, session)
    except ApiError as error:
        if error.code == 401:
            error.headers = forgotten
        raise
    return Rows((), 0, forgotten)


async def _end(call: Call, session: str) -> None:
    """Ends the session that a request shows besides its token, where it is not over already."""
    metadata = (("authorization", f"Bearer {session}"), *call.metadata[1:])
    try:
        await call.client.call(call.client.authentication.Revoke, RevokeRequest(), metadata)
    except ApiError as error:
        if error.code != 401:
            raise


def _secure(call: Call) -> bool:
    return call.secure or call.config.secure_cookies
